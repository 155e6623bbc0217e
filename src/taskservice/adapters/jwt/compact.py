"""The outer form of a token: three segments of base64url, in the one way there is to write each."""

from typing import NamedTuple

from jwt.utils import base64url_decode, base64url_encode

from taskservice.core.errors import Unauthenticated

TOKEN_LIMIT = 8192
"""The longest token that is looked at, in characters."""


class Compact(NamedTuple):
    """The octets of a token's three segments."""

    header: bytes
    payload: bytes
    signature: bytes


def split(token: str) -> Compact:
    """Return the three parts of a JWS in compact serialization (RFC 7515, section 7.1).

    Raises `Unauthenticated` unless each is non-empty and in canonical
    base64url without padding (RFC 4648, sections 3.2, 3.5 and 5), so that
    a token has one spelling only.
    """
    if len(token) > TOKEN_LIMIT:
        raise Unauthenticated(f"the token is longer than {TOKEN_LIMIT} characters")
    segments = token.split(".")
    if len(segments) != 3 or not all(segments):
        raise Unauthenticated("the token is not three segments")
    return Compact(*map(_octets, segments))


def _octets(segment: str) -> bytes:
    try:
        octets = base64url_decode(segment)
    except ValueError:
        octets = b""
    if base64url_encode(octets).decode() != segment:
        raise Unauthenticated("the token is not in canonical base64url")
    return octets
