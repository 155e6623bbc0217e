"""JWS compact serialization: splits a token, and accepts only canonical base64url."""

from typing import NamedTuple

from jwt.utils import base64url_decode, base64url_encode

from taskservice.core.errors import Unauthenticated

TOKEN_LIMIT = 8192
"""The maximum length of a token, in characters."""


class CompactToken(NamedTuple):
    """The decoded segments of a token."""

    header: bytes
    payload: bytes
    signature: bytes


def split_token(token: str) -> CompactToken:
    """Return the segments of a JWS in compact serialization (RFC 7515, section 7.1).

    Raises `Unauthenticated` unless each is non-empty and in canonical base64url
    without padding (RFC 4648, sections 3.2, 3.5 and 5). A token therefore has only
    one spelling.
    """
    if len(token) > TOKEN_LIMIT:
        raise Unauthenticated(f"the token is longer than {TOKEN_LIMIT} characters")
    segments = token.split(".")
    if len(segments) != 3 or not all(segments):
        raise Unauthenticated("the token does not have three segments")
    return CompactToken(*map(_decode_segment, segments))


def _decode_segment(segment: str) -> bytes:
    try:
        octets = base64url_decode(segment)
    except ValueError:
        octets = b""
    if base64url_encode(octets).decode() != segment:
        raise Unauthenticated("the token is not in canonical base64url")
    return octets
