"""What a request says in its body or in its parameters, by a schema; none may be misspelt."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs

from flask import Request
from marshmallow import ValidationError
from webargs.flaskparser import FlaskParser

from taskservice.adapters.http.protocol.bodies import BodySchema, json_value, read_body
from taskservice.adapters.http.protocol.fields import StrictSchema
from taskservice.adapters.http.protocol.problems import invalid
from taskservice.adapters.http.protocol.request import ApiRequest, exchange

UNKNOWN_PARAMETER = "is not a parameter of this operation"


class ParametersSchema(StrictSchema):
    """The shape of a query: a misspelt parameter is told, not ignored."""

    error_messages = {"unknown": UNKNOWN_PARAMETER}  # noqa: RUF012

    def defaults(self) -> Any:
        """Return what no query at all means; what can tell it at once need not load it."""
        return self.load({})


class StrictParser(FlaskParser):
    """Loads a body or a query, or raises `ProblemError`: 413, 415, 400, then 422 with every fault.

    It goes straight to marshmallow: webargs' way there takes longer than all that is done on it.
    """

    def parse(self, argmap: Any, *_: Any, location: str | None = None, **__: Any) -> Any:
        """Return what the schema `argmap` loads; no operation takes parameters beside a body."""
        assert location in {"query", "json"}
        asked = exchange()
        return _queried(asked, argmap) if location == "query" else _sent(asked, argmap)


def _queried(asked: Request, schema: ParametersSchema) -> Any:
    if not asked.query_string:
        return schema.defaults()
    try:
        return schema.load(_parameters(asked))
    except ValidationError as error:
        raise invalid([_parameter_error(name, detail) for name, detail in _faults(error)]) from None


def _sent(asked: ApiRequest, schema: BodySchema) -> Any:
    asked.body = read_body(asked)
    value = json_value(asked, asked.body, schema)
    faults = [_parameter_error(name, UNKNOWN_PARAMETER) for name in _parameters(asked)]
    try:
        loaded = schema.load(value)
    except ValidationError as error:
        faults += [_pointer_error(name, detail, value) for name, detail in _faults(error)]
    if faults:
        raise invalid(faults)
    return loaded


def _parameters(asked: Request) -> dict[str, str | list[str]]:
    """Return the query's parameters; one that was repeated is a list, which no field takes.

    A byte that is no UTF-8 is a lone surrogate, as in no text.
    """
    query = asked.query_string.decode(errors="surrogateescape")
    found = parse_qs(query, keep_blank_values=True, errors="surrogateescape")
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield the name and the detail of each fault that marshmallow found, in order of the names."""
    assert isinstance(error.messages, dict)
    for name, details in sorted(error.messages.items(), key=_place_in(error.data)):
        for detail in details:
            yield name, detail


def _place_in(data: Any) -> Callable[[tuple[str, Any]], int]:
    """Return the key that sorts by the place of a name in `data`, what is missing there first.

    The library takes unknown names from a set, in another order in each process.
    """
    places = {name: n for n, name in enumerate(data)} if isinstance(data, Mapping) else {}
    return lambda found: places.get(found[0], -1)


def _parameter_error(name: str, detail: str) -> dict[str, str]:
    return {"parameter": _shown(name), "detail": detail}


def _pointer_error(name: str, detail: str, data: Any) -> dict[str, str]:
    """Return a fault at a name in `data` (RFC 6901), at the whole of it where it has no names."""
    escaped = _shown(name).replace("~", "~0").replace("/", "~1")
    return {"pointer": f"/{escaped}" if isinstance(data, Mapping) else "", "detail": detail}


def _shown(name: str) -> str:
    """Return a name that somebody sent as text that can be sent back."""
    return name.encode("utf-8", "replace").decode()
