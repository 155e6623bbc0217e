"""Reading requests: bodies that are JSON and say so, parameters that are known and given once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NoReturn
from urllib.parse import parse_qs

from flask import Request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from taskservice.adapters.http import strict_json
from taskservice.adapters.http.exchange import exchange
from taskservice.adapters.http.fields import StrictSchema
from taskservice.adapters.http.problems import Refused, invalid

BODY_LIMIT = 64 * 1024
JSON = "application/json"
UNKNOWN_PARAMETER = "is not a parameter of this operation"


class BodySchema(StrictSchema):
    """The shape of a body: the media types it comes in, and what no body at all means."""

    media_types: ClassVar[tuple[str, ...]] = (JSON,)
    if_empty: ClassVar[Mapping[str, Any] | None] = None


class StrictParser(FlaskParser):
    """Loads what a request says, or raises `Refused`: 413, 415, 400, then 422 with every fault."""

    DEFAULT_UNKNOWN_BY_LOCATION = {"json": RAISE, "query": RAISE}  # noqa: RUF012

    def load_json(self, req: Request, schema: Schema) -> Any:
        """Return the body's JSON value."""
        assert isinstance(schema, BodySchema)
        body = exchange().body = read_body(req)
        if not body and schema.if_empty is not None:
            return schema.if_empty
        return _json(req, body, schema.media_types)

    def load_querystring(self, req: Request, schema: Schema) -> dict[str, str | list[str]]:
        """Return the parameters; one that was repeated is a list, which no field takes."""
        return {
            name: values[0] if len(values) == 1 else values
            for name, values in _parameters(req).items()
        }

    def parse(self, argmap: Any, *args: Any, location: str | None = None, **kwargs: Any) -> Any:
        """Return what a schema loads. No operation takes parameters beside a body."""
        if location == "query" and not (argmap.fields or exchange().query_string):
            return {}
        value = super().parse(argmap, *args, location=location, **kwargs)
        if location == "json" and _parameters(exchange()):
            raise invalid(_unexpected_parameters())
        return value

    def handle_error(self, error: ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Raise the refusal that lists every fault: those in `error`, and stray parameters."""
        raise invalid(list(_errors(error)))


def _parameters(req: Request) -> dict[str, list[str]]:
    """Return the query's parameters; a byte that is no UTF-8 is a lone surrogate, as in no text."""
    query = req.query_string.decode(errors="surrogateescape")
    return parse_qs(query, keep_blank_values=True, errors="surrogateescape")


def read_body(req: Request) -> bytes:
    """Return the body, read no further than its limit (RFC 9110, section 15.5.14).

    Raises `Refused`: 413, and 400 where it cannot be read whole.
    """
    body = b""
    if (req.content_length or 0) <= BODY_LIMIT:
        try:
            while len(body) <= BODY_LIMIT and (chunk := req.stream.read(BODY_LIMIT + 1)):
                body += chunk
        except Exception:  # Each server raises its own for broken framing or a lost client.
            raise Refused("malformed-request", "the body cannot be read") from None
    if len(body) > BODY_LIMIT or (req.content_length or 0) > BODY_LIMIT:
        raise Refused("body-too-large", f"a body holds at most {BODY_LIMIT:,} bytes")
    if len(body) < (req.content_length or 0):
        raise Refused("malformed-request", "the body is shorter than its Content-Length")
    return body


def _json(req: Request, body: bytes, media_types: tuple[str, ...]) -> Any:
    if not _is_one_of(media_types, req):
        raise Refused(
            "unsupported-media-type", f"the body must be {' or '.join(media_types)}, in UTF-8"
        )
    try:
        return strict_json.loads(body)
    except strict_json.MalformedJson as error:
        raise Refused("malformed-request", f"the body is not JSON: {error}") from None


def _is_one_of(media_types: tuple[str, ...], req: Request) -> bool:
    media_type, *parameters = req.headers.get("Content-Type", "").lower().split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip(' \t"') for name, _, value in pairs if name.strip(" \t*") == "charset"}
    encoding = req.headers.get("Content-Encoding", "identity").lower()
    return media_type.strip() in media_types and charsets <= {"utf-8"} and encoding == "identity"


def _errors(error: ValidationError) -> Iterator[dict[str, str]]:
    """Yield a fault for each message of marshmallow's, which come by location, then by name."""
    assert isinstance(error.messages, dict)
    for location, found in error.messages.items():
        if location == "json":
            yield from _unexpected_parameters()
        for name, details in sorted(found.items(), key=_place_in(error.data)):
            for detail in details:
                yield {**_place(location, name, error.data), "detail": detail}


def _place_in(data: Any) -> Callable[[tuple[str, Any]], int]:
    """Return the key that sorts by the place of a name in `data`, what is missing there first.

    The library takes unknown names from a set, in another order in each process.
    """
    places = {name: n for n, name in enumerate(data)} if isinstance(data, Mapping) else {}
    return lambda found: places.get(found[0], -1)


def _unexpected_parameters() -> list[dict[str, str]]:
    return [
        {"parameter": _shown(name), "detail": UNKNOWN_PARAMETER} for name in _parameters(exchange())
    ]


def _place(location: str, name: str, data: Any) -> dict[str, str]:
    if location == "query":
        return {"parameter": _shown(name)}
    if not isinstance(data, Mapping):
        return {"pointer": ""}
    return {"pointer": "/" + _shown(name).replace("~", "~0").replace("/", "~1")}


def _shown(name: str) -> str:
    """Return a name that somebody sent as text that can be sent back."""
    return name.encode("utf-8", "replace").decode()
