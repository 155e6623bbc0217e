"""Request parsing: loads the body or the query with a schema, and reports every error."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar
from urllib.parse import parse_qs

from flask import Request
from marshmallow import ValidationError
from marshmallow.exceptions import SCHEMA
from webargs.flaskparser import FlaskParser

from taskservice.adapters.http.protocol.bodies import BodySchema, parse_json, read_body
from taskservice.adapters.http.protocol.problems import invalid_request
from taskservice.adapters.http.protocol.request import ApiRequest, current_request
from taskservice.adapters.http.protocol.strict_fields import StrictSchema

UNKNOWN_PARAMETER = "is not a parameter of this operation"


class ParametersSchema(StrictSchema):
    """The schema of a query. Unknown parameters are errors."""

    error_messages = {"unknown": UNKNOWN_PARAMETER}  # noqa: RUF012

    behind_headers: ClassVar[Sequence[str]] = ()
    """The parameters that the document has behind the request headers."""

    def defaults(self) -> Any:
        """Return the value of an empty query. Subclasses may skip the load."""
        return self.load({})


class StrictParser(FlaskParser):
    """Loads a body or a query. Raises `ProblemError`: 413, 415, 400, then 422 with every error.

    It calls marshmallow directly, because webargs' own loading takes longer than the parsing.
    """

    def parse(self, argmap: Any, *_: Any, location: str | None = None, **__: Any) -> Any:
        """Return what the schema `argmap` loads. No operation has both a body and parameters."""
        assert location in {"query", "json"}
        request = current_request()
        return _load_query(request, argmap) if location == "query" else _load_body(request, argmap)


def _load_query(request: Request, schema: ParametersSchema) -> Any:
    if not request.query_string:
        return schema.defaults()
    try:
        # Every parameter is optional, so absent ones need no look.
        return schema.load(_parameters(request), partial=True)
    except ValidationError as error:
        raise invalid_request(
            [_parameter_error(path[0], detail) for path, detail in validation_errors(error)]
        ) from None


def _load_body(request: ApiRequest, schema: BodySchema) -> Any:
    request.body = request.body or read_body(request)
    value = parse_json(request, request.body, schema)
    errors = [_parameter_error(name, UNKNOWN_PARAMETER) for name in _parameters(request)]
    try:
        loaded = schema.load(value)
    except ValidationError as error:
        errors += [_pointer_error(path, detail) for path, detail in validation_errors(error)]
    if errors:
        raise invalid_request(errors)
    return loaded


def _parameters(request: Request) -> dict[str, str | list[str]]:
    """Return the query parameters. A repeated one is a list, which every field rejects.

    A byte that is not UTF-8 becomes a lone surrogate, which every field rejects.
    """
    query = request.query_string.decode(errors="surrogateescape")
    parameters = parse_qs(query, keep_blank_values=True, errors="surrogateescape")
    return {name: one[0] if len(one) == 1 else one for name, one in parameters.items()}


def validation_errors(error: ValidationError) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path and the detail of each error, in the order of the input.

    A path has the names of members and the indexes of items; that of the whole is empty.
    """
    return _flattened(error.messages, error.data)


def _flattened(messages: Any, data: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(messages, dict):
        yield from (((), detail) for detail in messages)
        return
    for name, inner in sorted(messages.items(), key=_position_in(data)):
        path = (str(name),) if name != SCHEMA or _has(data, name) else ()
        for rest, detail in _flattened(inner, _member(data, name)):
            yield (*path, *rest), detail


def _member(data: Any, name: Any) -> Any:
    """Return a member of an object or an item of an array, None if it has no such."""
    with suppress(LookupError, TypeError):
        return data[name]
    return None


def _has(data: Any, name: str) -> bool:
    return isinstance(data, Mapping) and name in data


def _position_in(data: Any) -> Callable[[tuple[Any, Any]], Any]:
    """Return the sort key for the position of a name or an index in `data`.

    Missing names come first. marshmallow takes unknown names from a set, whose order
    differs between processes.
    """
    if not isinstance(data, Mapping):
        return lambda item: item[0]
    positions = {name: n for n, name in enumerate(data)}
    return lambda item: positions.get(item[0], -1)


def _parameter_error(name: str, detail: str) -> dict[str, str]:
    return {"parameter": _encodable(name), "detail": detail}


def _pointer_error(path: Sequence[str], detail: str) -> dict[str, str]:
    return {"pointer": "".join(f"/{name}" for name in escaped(path)), "detail": detail}


def escaped(path: Iterable[str]) -> Iterator[str]:
    """Yield the parts of a path as a JSON pointer has them (RFC 6901, section 3)."""
    return (_encodable(name).replace("~", "~0").replace("/", "~1") for name in path)


def _encodable(name: str) -> str:
    """Return `name` with lone surrogates replaced, as UTF-8 cannot encode them."""
    return name.encode("utf-8", "replace").decode()
