"""JOSE header: reads algorithm and key id, and rejects unsupported parameters."""

from collections.abc import Collection
from typing import Any, NamedTuple

from taskservice import strict_json
from taskservice.core.errors import Unauthenticated

TOKEN_TYPES = frozenset({"application/jwt", "application/at+jwt"})
"""The accepted media types in lower case (RFC 7519, section 10.3; RFC 9068)."""

_FORBIDDEN_PARAMETERS = ("crit", "b64", "jku", "jwk", "x5u", "x5c")


class JoseHeader(NamedTuple):
    """The algorithm of the signature, and the id of the key if there is one."""

    algorithm: str
    key_id: str | None


def read_header(octets: bytes, algorithms: Collection[str]) -> JoseHeader:
    """Return the header. Raise `Unauthenticated` if it is not valid (RFC 7515, 4; RFC 8725).

    The algorithm must be one of `algorithms`. Parameters that contain a key, refer to
    one, or request an extension are not allowed.
    """
    header = parse_json_object(octets, "header")
    _check_type(header)
    for name in _FORBIDDEN_PARAMETERS:
        if name in header:
            raise Unauthenticated(f"the header parameter {name} is not allowed")
    return JoseHeader(_algorithm(header, algorithms), _key_id(header))


def parse_json_object(octets: bytes, part: str) -> dict[str, Any]:
    """Return this `part` of a token as a JSON object. Raises `Unauthenticated`."""
    try:
        value = strict_json.loads(octets)
    except strict_json.MalformedJson as error:
        raise Unauthenticated(f"the {part} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unauthenticated(f"the {part} is not a JSON object")
    return value


def _check_type(header: dict[str, Any]) -> None:
    """Compare `typ` as a media type (RFC 7515, section 4.1.9). Parameters are not allowed."""
    token_type = header.get("typ", "JWT")
    if not isinstance(token_type, str) or _media_type(token_type) not in TOKEN_TYPES:
        raise Unauthenticated("typ is not that of an access token")


def _media_type(token_type: str) -> str:
    return (token_type if "/" in token_type else f"application/{token_type}").lower()


def _key_id(header: dict[str, Any]) -> str | None:
    """Return the key id. Some issuers send an empty `kid` if their keys have none."""
    key_id = header.get("kid", "")
    if not isinstance(key_id, str):
        raise Unauthenticated("kid is not a string")
    return key_id or None


def _algorithm(header: dict[str, Any], algorithms: Collection[str]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Unauthenticated("alg is not an allowed algorithm")
    return algorithm
