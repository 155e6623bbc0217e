"""What a new OpenAPI document takes from the clients of an old one.

One rule, used both ways: what clients may send must still be taken, so that
a request's schema may only grow; what they may be answered they must have
been told of, so that an answer's may only shrink. Members that are added to
an answer are no matter: its objects are open. What generated code takes its
own names from stays as well.
"""

from collections.abc import Iterator
from typing import Any

from tests.openapi_operations import Document, Operation, operations, resolved

Schema = dict[str, Any]

ANYTHING: Schema = {}
OTHERS = "any other member"
TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
LEAST = {"minimum", "minLength", "minItems", "minProperties"}
MOST = {"maximum", "maxLength", "maxItems", "maxProperties"}
EXACT = {"pattern", "format"}
PROSE = {"description", "title", "example", "examples", "default", "deprecated"}
KNOWN = {"type", "enum", "items", "properties", "required", "additionalProperties"}
KNOWN |= LEAST | MOST | EXACT | PROSE


def breaks(old: Document, new: Document) -> list[str]:
    """Return what a client of `old` may stumble over in `new`, in words; nothing is best."""
    return list(_Comparison(old, new).find())


class _Comparison:
    """Two documents, and where they are looked at."""

    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new

    def find(self) -> Iterator[str]:
        for name in _schemas(self._old) - _schemas(self._new):
            yield f"the schema {name} is gone"
        now = {(one.path, one.method): one for one in operations(self._new)}
        for before in operations(self._old):
            name = f"{before.method} {before.path}"
            if (after := now.get((before.path, before.method))) is None:
                yield f"{name}: is gone"
                continue
            for part in (_names, self._security, self._parameters, self._bodies, self._answers):
                yield from (f"{name}: {found}" for found in part(before, after))

    def _security(self, before: Operation, after: Operation) -> Iterator[str]:
        was = before.said.get("security", self._old.get("security", []))
        asked = after.said.get("security", self._new.get("security", []))
        if asked and any(one not in asked for one in was or [{}]):
            yield "is guarded otherwise"

    def _parameters(self, before: Operation, after: Operation) -> Iterator[str]:
        was, now = (
            {(one["in"], one["name"]): one for one in side.said["parameters"]}
            for side in (before, after)
        )
        for key, old in was.items():
            if (new := now.get(key)) is None:
                yield f"the parameter {key[1]} is gone"
                continue
            if new.get("required") and not old.get("required"):
                yield f"the parameter {key[1]} is required"
            if old["schema"].get("default") != new["schema"].get("default"):
                yield f"the parameter {key[1]} has another default"
            yield from _values_named(old["schema"], new["schema"])
            yield from self._sent(old["schema"], new["schema"], f"the parameter {key[1]}")
        for key in now.keys() - was.keys():
            if now[key].get("required"):
                yield f"the parameter {key[1]} is new and required"
        if [key for key in was if key in now] != [key for key in now if key in was]:
            yield "the parameters, which some clients take by place, are in another order"

    def _bodies(self, before: Operation, after: Operation) -> Iterator[str]:
        was, now = (side.said.get("requestBody", {}) for side in (before, after))
        if now.get("required") and not was.get("required"):
            yield "the body is required"
        for media_type, content in before.bodies.items():
            if media_type not in after.bodies:
                yield f"a body as {media_type} is not taken"
            else:
                new = after.bodies[media_type]["schema"]
                yield from self._sent(content["schema"], new, "the body")

    def _answers(self, before: Operation, after: Operation) -> Iterator[str]:
        for status, answer in before.said["responses"].items():
            if status not in after.said["responses"]:
                yield f"the status {status} is gone"
                continue
            old = resolved(self._old, answer)
            new = resolved(self._new, after.said["responses"][status])
            for name in old.get("headers", {}).keys() - new.get("headers", {}).keys():
                yield f"{status}: the header {name} is gone"
            for media_type, content in old.get("content", {}).items():
                if media_type not in new.get("content", {}):
                    yield f"{status}: is not {media_type} any more"
                else:
                    said = new["content"][media_type]["schema"]
                    yield from self._answered(content["schema"], said, str(status))

    def _sent(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        for found in _refused(old, new, self._old, self._new):
            yield f"{where}{found} was taken"

    def _answered(self, old: Schema, new: Schema, where: str) -> Iterator[str]:
        for found in _refused(new, old, self._new, self._old):
            yield f"{where}{found} is new in an answer"


def _names(before: Operation, after: Operation) -> Iterator[str]:
    """Yield what generated code would call otherwise."""
    for key in ("operationId", "tags"):
        if before.said.get(key) != after.said.get(key):
            yield f"{key} was {before.said.get(key)}"


def _schemas(document: Document) -> set[str]:
    """Return what generated code calls its classes."""
    return set(document["components"]["schemas"])


def _values_named(old: Schema, new: Schema) -> Iterator[str]:
    """Yield the values that generated code would call otherwise."""
    was, now = (
        dict(zip(one.get("enum", []), one.get("x-enum-varnames", []), strict=False))
        for one in (old, new)
    )
    for value, name in was.items():
        if now.get(value, name) != name:
            yield f"the value {value} was called {name}"


def _refused(
    given: Schema, taken: Schema, of_given: Document, of_taken: Document, where: str = ""
) -> Iterator[str]:
    """Yield what the schema `given` allows and `taken` does not."""
    given, taken = resolved(of_given, given), resolved(of_taken, taken)
    if taken == ANYTHING:
        return
    for schema in (given, taken):
        unknown = {key for key in schema if not key.startswith("x-")} - KNOWN
        assert not unknown, (
            f"{where} has {unknown}, which tests/openapi_compatibility.py cannot compare"
        )
    yield from (f"{where}: {found}" for found in _values_refused(given, taken))
    if "items" in taken and "array" in _types(given):
        yield from _refused(
            given.get("items", ANYTHING), taken["items"], of_given, of_taken, f"{where}/*"
        )
    if "object" in _types(given) & _types(taken):
        required = set(taken.get("required", [])) - set(given.get("required", []))
        yield from (f"{where}/{name}: none" for name in sorted(required))
        named = given.get("properties", {}).keys() | taken.get("properties", {}).keys()
        for name in [*sorted(named), OTHERS]:
            one, other = _member(given, name), _member(taken, name)
            if one is not None and other is None:
                yield f"{where}/{name}"
            elif one is not None and other is not None:
                yield from _refused(one, other, of_given, of_taken, f"{where}/{name}")


def _member(schema: Schema, name: str) -> Schema | None:
    """Return the schema of a member of an object, None where there must be none."""
    if name in schema.get("properties", {}):
        return dict(schema["properties"][name])
    rest = schema.get("additionalProperties", ANYTHING)
    return None if rest is False else ANYTHING if rest is True else dict(rest)


def _types(schema: Schema) -> set[str]:
    named = schema.get("type", TYPES)
    return {named} if isinstance(named, str) else set(named)


def _values_refused(given: Schema, taken: Schema) -> Iterator[str]:
    yield from sorted(_types(given) - _types(taken) - _widened(taken))
    if "enum" in taken:
        yield from sorted(set(given.get("enum", ["any value"])) - set(taken["enum"]))
    for key in sorted(LEAST & taken.keys()):
        if given.get(key, float("-inf")) < taken[key]:
            yield f"{key} {given.get(key, 'none')}"
    for key in sorted(MOST & taken.keys()):
        if given.get(key, float("inf")) > taken[key]:
            yield f"{key} {given.get(key, 'none')}"
    for key in sorted(EXACT & taken.keys()):
        if given.get(key) != taken[key]:
            yield f"{key} {given.get(key, 'none')}"


def _widened(taken: Schema) -> set[str]:
    """Return the types that a number takes in."""
    return {"integer"} if "number" in _types(taken) else set()
