"""Self-documenting blueprint: derives the problem responses of each operation."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask import Flask
from flask_smorest import Blueprint

from taskservice.adapters.http.openapi.examples import TASK_ID as EXAMPLE_ID
from taskservice.adapters.http.openapi.headers import REQUEST_HEADERS
from taskservice.adapters.http.openapi.problems import PROBLEM_RESPONSES
from taskservice.adapters.http.protocol.request_parser import StrictParser

COMMON_PROBLEMS = (
    "unauthenticated",
    "not-your-tasks",
    "too-many-requests",
    "malformed-request",
    "precondition-failed",
    "internal",
    "unavailable",
)
BODY_PROBLEMS = ("body-too-large", "unsupported-media-type", "invalid-request")
QUERY_PROBLEMS = ("invalid-request",)
IDEMPOTENCY_KEY_PROBLEMS = ("body-too-large", "key-in-use", "key-reused", "storage-full")
IF_MATCH_PROBLEMS = ("precondition-required",)

_find_entity_id = re.compile(r"<uuid:((\w+)_id)>").search
"""Finds the id of an entity in a rule: the name of the path parameter, and of the entity."""


class DocumentedBlueprint(Blueprint):
    """A blueprint with strict parsing. An operationId is the name of the view function."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(_document_headers)

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: Callable[..., Any] | None = None,
        *args: Any,
        headers: Sequence[str] = (),
        links: Sequence[str] = (),
        problems: Sequence[str] = (),
        **options: Any,
    ) -> None:
        """Register a view, and document its request `headers` and response `links`.

        `problems` are those of this operation only.
        """
        assert view_func is not None
        apidoc = vars(view_func).setdefault("_apidoc", {})
        apidoc.setdefault("manual_doc", {})["operationId"] = view_func.__name__
        responses = apidoc.setdefault("response", {}).setdefault("responses", {})
        apidoc["headers"] = [REQUEST_HEADERS[name] for name in headers]
        if links:
            (response,) = responses[min(apidoc["success_status_codes"])]
            response["links"] = {name: {"$ref": f"#/components/links/{name}"} for name in links}
        for problem in (*_problems(rule, apidoc, headers), *problems):
            status, name = PROBLEM_RESPONSES[problem]
            responses[status] = [name]
        if found := _find_entity_id(rule):
            options["parameters"] = [_id_parameter(*found.groups())]
        super().add_url_rule(rule, endpoint, view_func, *args, **options)


def patch_media_types(app: Flask, path: str) -> tuple[str, ...]:
    """Return the media types that PATCH accepts on the route `path`, or `()` without a PATCH."""
    for rule in app.url_map.iter_rules():
        if rule.rule == path and "PATCH" in (rule.methods or ()):
            (body,) = vars(app.view_functions[rule.endpoint])["_apidoc"]["arguments"]["parameters"]
            return tuple(body["schema"].media_types)
    return ()


def _document_headers(doc: dict[str, Any], info: dict[str, Any], **_: Any) -> dict[str, Any]:
    if headers := info.get("headers"):
        queries = doc.get("parameters", [])
        before = [_part(one, exclude=one["schema"].behind_headers) for one in queries]
        behind = [_part(one, only=one["schema"].behind_headers) for one in queries]
        doc["parameters"] = [*before, *headers, *behind]
    return doc


def _part(query: dict[str, Any], **choice: Sequence[str]) -> dict[str, Any]:
    """Return a description of query parameters with some of them."""
    return {**query, "schema": type(query["schema"])(**choice)}


def _id_parameter(name: str, entity: str) -> dict[str, Any]:
    return {
        "in": "path",
        "name": name,
        "description": f"The `id` of the {entity}.",
        "example": EXAMPLE_ID,
    }


def _not_found_problem(entity: str) -> str:
    """Return the problem of an entity that does not exist: its own type, or the general one."""
    own = f"{entity}-not-found"
    return own if own in PROBLEM_RESPONSES else "not-found"


def _problems(rule: str, apidoc: dict[str, Any], headers: Sequence[str]) -> Iterator[str]:
    """Yield the problems of an operation. For a shared status, the last one documents both."""
    yield from COMMON_PROBLEMS
    if "If-Match" in headers:
        yield from IF_MATCH_PROBLEMS
    if found := _find_entity_id(rule):
        yield _not_found_problem(found[2])
    for parameters in apidoc.get("arguments", {}).get("parameters", []):
        yield from BODY_PROBLEMS if parameters["in"] == "json" else QUERY_PROBLEMS
    if "Idempotency-Key" in headers:
        yield from IDEMPOTENCY_KEY_PROBLEMS
