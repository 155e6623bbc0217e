"""A JSON Web Key Set, down to the keys that this service can use."""

from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from taskservice.adapters.http import strict_json

ALGORITHMS = frozenset({"EdDSA", "ES256", "RS256"})


def read_key_set(data: bytes) -> tuple[PyJWK, ...]:
    """Return the usable keys of a JWK Set (RFC 7517, section 5), each bound to its algorithm.

    Ed25519 is for EdDSA, P-256 for ES256, RSA from 2,048 bits for RS256. A
    key that is of another kind or for another use, broken, or private (so
    that the world has it) is left out. Raises `ValueError`, saying why,
    unless `data` is a key set, which may be empty.
    """
    return tuple(key for member in members_of(data) if (key := _usable(member)))


def members_of(data: bytes) -> list[Any]:
    """Return what a JWK Set holds, usable or not. Raises `ValueError` unless `data` is one."""
    key_set = strict_json.loads(data)
    members = key_set.get("keys") if isinstance(key_set, dict) else None
    if not isinstance(members, list):
        raise ValueError("it is not a key set")
    return members


def _usable(member: Any) -> PyJWK | None:
    algorithm = _algorithm(member)
    try:
        if algorithm is None or not _is_meant_for(member, algorithm):
            return None
        key = PyJWK(member, algorithm)
        prepared = key.Algorithm.prepare_key(key.key)
    except (PyJWTError, UnsupportedAlgorithm, TypeError, ValueError):
        return None
    return None if key.Algorithm.check_key_length(prepared) else key


def _algorithm(member: Any) -> str | None:
    match member:
        case {"kty": "OKP", "crv": "Ed25519"}:
            return "EdDSA"
        case {"kty": "EC", "crv": "P-256"}:
            return "ES256"
        case {"kty": "RSA"}:
            return "RS256"
    return None


def _is_meant_for(member: dict[str, Any], algorithm: str) -> bool:
    return (
        "d" not in member
        and member.get("use", "sig") == "sig"
        and member.get("alg", algorithm) == algorithm
        and "verify" in member.get("key_ops", ["verify"])
        and isinstance(member.get("kid", ""), str)
    )
