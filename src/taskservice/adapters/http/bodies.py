"""Bodies: JSON that says so, whole, and no longer than its limit."""

from collections.abc import Mapping
from typing import Any, ClassVar

from flask import Request

from taskservice.adapters.http import strict_json
from taskservice.adapters.http.exchange import BODY_LIMIT
from taskservice.adapters.http.fields import StrictSchema
from taskservice.adapters.http.problems import Refused

JSON = "application/json"


class BodySchema(StrictSchema):
    """The shape of a body: the media types it comes in, and what no body at all means."""

    media_types: ClassVar[tuple[str, ...]] = (JSON,)
    if_empty: ClassVar[Mapping[str, Any] | None] = None


def read_body(asked: Request) -> bytes:
    """Return the body, read no further than its limit (RFC 9110, section 15.5.14).

    Raises `Refused`: 413, and 400 where it cannot be read whole.
    """
    body, announced = b"", asked.content_length or 0
    if announced <= BODY_LIMIT:
        try:
            while len(body) <= BODY_LIMIT and (chunk := asked.stream.read(BODY_LIMIT + 1)):
                body += chunk
        except Exception:  # Each server raises its own for broken framing or a lost client.
            raise Refused("malformed-request", "the body cannot be read") from None
    if max(len(body), announced) > BODY_LIMIT:
        raise Refused("body-too-large", f"a body holds at most {BODY_LIMIT:,} bytes")
    if len(body) < announced:
        raise Refused("malformed-request", "the body is shorter than its Content-Length")
    return body


def json_value(asked: Request, body: bytes, schema: BodySchema) -> Any:
    """Return what `body` says as JSON. Raises `Refused`: 415, then 400."""
    if not body and schema.if_empty is not None:
        return schema.if_empty
    if not _is_one_of(schema.media_types, asked):
        raise Refused(
            "unsupported-media-type",
            f"the body must be {' or '.join(schema.media_types)}, in UTF-8",
        )
    try:
        return strict_json.loads(body)
    except strict_json.MalformedJson as error:
        raise Refused("malformed-request", f"the body is not JSON: {error}") from None


def _is_one_of(media_types: tuple[str, ...], asked: Request) -> bool:
    media_type, *parameters = asked.headers.get("Content-Type", "").lower().split(";")
    pairs = [parameter.partition("=") for parameter in parameters]
    charsets = {value.strip(' \t"') for name, _, value in pairs if name.strip(" \t*") == "charset"}
    encoding = asked.headers.get("Content-Encoding", "identity").lower()
    return media_type.strip() in media_types and charsets <= {"utf-8"} and encoding == "identity"
