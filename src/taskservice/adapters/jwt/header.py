"""The first part of a token: which key and algorithm it claims, and nothing that we do not know."""

from collections.abc import Collection
from typing import Any, NamedTuple

from taskservice import strict_json
from taskservice.core.errors import Unauthenticated

TYPES = frozenset({"application/jwt", "application/at+jwt"})
"""The media types of tokens that are taken, in lower case (RFC 7519, section 10.3; RFC 9068)."""

_REFUSED = ("crit", "b64", "jku", "jwk", "x5u", "x5c")


class Header(NamedTuple):
    """What a token says of its signature: algorithm, and key if it names one."""

    algorithm: str
    key_id: str | None


def read_header(octets: bytes, algorithms: Collection[str]) -> Header:
    """Return what the header says, or raise `Unauthenticated` (RFC 7515, section 4; RFC 8725).

    The algorithm is one of `algorithms`. No header may bring or point to a
    key of its own, nor ask for an extension: none is known here.
    """
    header = json_object(octets, "header")
    _check_type(header)
    for name in _REFUSED:
        if name in header:
            raise Unauthenticated(f"the header has {name}")
    return Header(_algorithm(header, algorithms), _key_id(header))


def json_object(octets: bytes, part: str) -> dict[str, Any]:
    """Return the object that this `part` of a token is, or raise `Unauthenticated`."""
    try:
        value = strict_json.loads(octets)
    except strict_json.MalformedJson as error:
        raise Unauthenticated(f"the {part} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unauthenticated(f"the {part} is not a JSON object")
    return value


def _check_type(header: dict[str, Any]) -> None:
    """Compare `typ` as a media type (RFC 7515, section 4.1.9): neither of ours has parameters."""
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or _media_type(kind) not in TYPES:
        raise Unauthenticated("typ is that of another kind of token")


def _media_type(kind: str) -> str:
    return (kind if "/" in kind else f"application/{kind}").lower()


def _key_id(header: dict[str, Any]) -> str | None:
    """Return the name of the key; some issuers leave it empty where their keys have none."""
    key_id = header.get("kid", "")
    if not isinstance(key_id, str):
        raise Unauthenticated("kid is not a string")
    return key_id or None


def _algorithm(header: dict[str, Any], algorithms: Collection[str]) -> str:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise Unauthenticated("alg is not one that is configured")
    return algorithm
