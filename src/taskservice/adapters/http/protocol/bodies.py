"""Request bodies: reads them up to the size limit, checks the media type, parses JSON."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from flask import Request

from taskservice import strict_json
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import ApiRequest
from taskservice.adapters.http.protocol.strict_fields import StrictSchema

JSON = "application/json"
UTF_8_CHARSETS = {"utf-8", "utf8", "us-ascii", "ascii"}
"""Charset names of UTF-8, and of ASCII, which is part of it."""

_quoted = re.compile(r'"(?:[^"\\]|\\.)*+("?)')


class BodySchema(StrictSchema):
    """The schema of a body, with its media types, and its value if the request has no body."""

    media_types: ClassVar[tuple[str, ...]] = (JSON,)
    empty_body_value: ClassVar[Mapping[str, Any] | None] = None


def read_body(request: ApiRequest) -> bytes:
    """Return the body, reading no more than the limit (RFC 9110, section 15.5.14).

    Raises `ProblemError`: 413, or 400 if the body is incomplete.
    """
    body, content_length, limit = b"", request.content_length or 0, request.body_limit
    if content_length <= limit:
        try:
            while len(body) <= limit and (chunk := request.stream.read(limit + 1)):
                body += chunk
        except Exception:  # Servers raise different errors for bad framing or a disconnect.
            raise ProblemError("malformed-request", "the body cannot be read") from None
    if max(len(body), content_length) > limit:
        raise ProblemError("body-too-large", f"the body is larger than {limit:,} bytes")
    if len(body) < content_length:
        raise ProblemError("malformed-request", "the body is shorter than its Content-Length")
    if not body and _may_have_lost_chunks(request):
        raise ProblemError("malformed-request", "the body cannot be read")
    return body


def _may_have_lost_chunks(request: ApiRequest) -> bool:
    """Return whether the server may have hidden that a chunked body broke off.

    granian gives the part that arrived, without an error. An empty body completes a task,
    though the lost one may have reopened it.
    """
    environ = request.environ
    return environ.get("SERVER_SOFTWARE") == "Granian" and "HTTP_TRANSFER_ENCODING" in environ


def parse_json(request: Request, body: bytes, schema: BodySchema) -> Any:
    """Return `body` as a JSON value. Raises `ProblemError`: 415, then 400."""
    if not body and schema.empty_body_value is not None:
        return schema.empty_body_value
    content_type = request.environ.get("CONTENT_TYPE", "")
    if content_type not in schema.media_types:
        _require_media_type(request.method, content_type.lower(), schema.media_types)
    if (encoding := request.environ.get("HTTP_CONTENT_ENCODING")) is not None:
        _require_identity_encoding(encoding.lower())
    try:
        return strict_json.loads(body)
    except strict_json.MalformedJson as error:
        raise ProblemError("malformed-request", f"the body is not JSON: {error}") from None


def _require_media_type(method: str, content_type: str, media_types: tuple[str, ...]) -> None:
    """Raise `ProblemError` unless this is one of `media_types`, with no charset or UTF-8."""
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip() not in media_types:
        rule = "must be" if content_type else "is missing: it must be"
        detail = f"Content-Type {rule} {' or '.join(media_types)}"
    elif not _charsets(parameters) <= UTF_8_CHARSETS:
        detail = "the charset must be utf-8 or absent: JSON is in UTF-8 (RFC 8259, section 8.1)"
    else:
        return
    accepted = ", ".join(media_types)
    headers = {"Accept": accepted} | ({"Accept-Patch": accepted} if method == "PATCH" else {})
    raise ProblemError("unsupported-media-type", detail, headers=headers)


def _charsets(parameters: str) -> set[str]:
    """Return the charsets among the parameters of a media type (RFC 9110, section 5.6.6)."""
    # A semicolon in a quoted string is no separator. An unclosed quote begins no string.
    masked = _quoted.sub(lambda text: text[0].replace(";", ",") if text[1] else text[0], parameters)
    pairs = (parameter.partition("=") for parameter in masked.split(";"))
    return {value.strip(' \t"') for name, _, value in pairs if name.strip(" \t*") == "charset"}


def _require_identity_encoding(encodings: str) -> None:
    """Raise `ProblemError` if the body is encoded. Empty list elements are ignored."""
    if not {encoding.strip() for encoding in encodings.split(",")} <= {"", "identity"}:
        raise ProblemError(
            "unsupported-media-type",
            "Content-Encoding must be identity or absent: compressed bodies are not supported",
            headers={"Accept-Encoding": "identity"},
        )
