"""Bodies: JSON that says so, whole, and no longer than its limit."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from flask import Request

from taskservice import strict_json
from taskservice.adapters.http.protocol.fields import StrictSchema
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import BODY_LIMIT

JSON = "application/json"
UTF_8 = {"utf-8", "utf8", "us-ascii", "ascii"}
"""Names of UTF-8, and of the part of it that some serialisers keep to."""

_quoted = re.compile(r'"(?:[^"\\]|\\.)*+("?)')


class BodySchema(StrictSchema):
    """The shape of a body: the media types it comes in, and what no body at all means."""

    media_types: ClassVar[tuple[str, ...]] = (JSON,)
    empty_body_value: ClassVar[Mapping[str, Any] | None] = None


def read_body(asked: Request) -> bytes:
    """Return the body, read no further than its limit (RFC 9110, section 15.5.14).

    Raises `ProblemError`: 413, and 400 where it cannot be read whole.
    """
    body, announced = b"", asked.content_length or 0
    if announced <= BODY_LIMIT:
        try:
            while len(body) <= BODY_LIMIT and (chunk := asked.stream.read(BODY_LIMIT + 1)):
                body += chunk
        except Exception:  # Each server raises its own for broken framing or a lost client.
            raise ProblemError("malformed-request", "the body cannot be read") from None
    if max(len(body), announced) > BODY_LIMIT:
        raise ProblemError("body-too-large", f"a body holds at most {BODY_LIMIT:,} bytes")
    if len(body) < announced:
        raise ProblemError("malformed-request", "the body is shorter than its Content-Length")
    return body


def json_value(asked: Request, body: bytes, schema: BodySchema) -> Any:
    """Return what `body` says as JSON. Raises `ProblemError`: 415, then 400."""
    if not body and schema.empty_body_value is not None:
        return schema.empty_body_value
    content_type = asked.environ.get("CONTENT_TYPE", "")
    if content_type not in schema.media_types:
        _require_media_type(asked.method, content_type.lower(), schema.media_types)
    if (coding := asked.environ.get("HTTP_CONTENT_ENCODING")) is not None:
        _require_no_coding(coding.lower())
    try:
        return strict_json.loads(body)
    except strict_json.MalformedJson as error:
        raise ProblemError("malformed-request", f"the body is not JSON: {error}") from None


def _require_media_type(method: str, content_type: str, media_types: tuple[str, ...]) -> None:
    """Raise `ProblemError` unless this is one of `media_types`, in UTF-8 if it names a charset."""
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip() not in media_types:
        wrong = "must be" if content_type else "is missing: it must be"
        detail = f"Content-Type {wrong} {' or '.join(media_types)}"
    elif not _charsets(parameters) <= UTF_8:
        detail = "the charset must be utf-8, or left out: JSON is in UTF-8 (RFC 8259, section 8.1)"
    else:
        return
    accepted = ", ".join(media_types)
    headers = {"Accept": accepted} | ({"Accept-Patch": accepted} if method == "PATCH" else {})
    raise ProblemError("unsupported-media-type", detail, headers=headers)


def _charsets(parameters: str) -> set[str]:
    """Return the charsets among the parameters of a media type (RFC 9110, section 5.6.6)."""
    # A semicolon between quotes ends nothing; where no quote closes, there is no text.
    masked = _quoted.sub(lambda text: text[0].replace(";", ",") if text[1] else text[0], parameters)
    pairs = (parameter.partition("=") for parameter in masked.split(";"))
    return {value.strip(' \t"') for name, _, value in pairs if name.strip(" \t*") == "charset"}


def _require_no_coding(codings: str) -> None:
    """Raise `ProblemError` where a body is coded; empty elements of the list say nothing."""
    if not {coding.strip() for coding in codings.split(",")} <= {"", "identity"}:
        raise ProblemError(
            "unsupported-media-type",
            "Content-Encoding must be identity, or left out: no compressed body is taken",
            headers={"Accept-Encoding": "identity"},
        )
