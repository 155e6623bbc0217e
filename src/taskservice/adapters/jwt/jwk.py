"""JSON Web Key: parses a public key of a key set, or gives the reason to ignore it."""

import json
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from jwt import PyJWK
from jwt.exceptions import PyJWTError

MAX_QUOTED_LENGTH = 64
"""The maximum length of a quoted name of a key set, in characters."""


class _KeyType(NamedTuple):
    """A key type: its algorithm and curve, and its public and private members."""

    algorithm: str
    curve: str | None
    public: tuple[str, ...]
    private: tuple[str, ...]


_KEY_TYPES = {
    "OKP": _KeyType("EdDSA", "Ed25519", ("x",), ("d",)),
    "EC": _KeyType("ES256", "P-256", ("x", "y"), ("d",)),
    "RSA": _KeyType("RS256", None, ("n", "e"), ("d", "p", "q", "dp", "dq", "qi", "oth")),
}
ALGORITHMS = frozenset(key_type.algorithm for key_type in _KEY_TYPES.values())


class UnusableKey(ValueError):
    """The key cannot be used. The message has the reason, without key material."""


def read_key(member: object) -> PyJWK:
    """Return the public key in `member` of a key set, bound to its algorithm.

    Ed25519 is for EdDSA, P-256 for ES256, RSA with at least 2,048 bits for RS256 (RFC
    7517, section 4; RFC 7518, section 6; RFC 8037, section 2). Null and empty members
    count as absent. Raises `UnusableKey` for a key of another type or use, for a
    malformed key, and for a private key, which is compromised.
    """
    if not isinstance(member, dict):
        raise UnusableKey("it is not a JSON object")
    jwk = {name: value for name, value in member.items() if value not in (None, "", [], {})}
    _require(jwk, "kty", *_KEY_TYPES)
    key_type = _KEY_TYPES[jwk["kty"]]
    _check_purpose(jwk, key_type)
    return _public_key(jwk, key_type)


def quoted(name: str) -> str:
    """Return `name` as an ASCII JSON string, which is safe to print, and truncate it."""
    text = json.dumps(name[:MAX_QUOTED_LENGTH])
    return text if len(name) <= MAX_QUOTED_LENGTH else f'{text[:-1]}…"'


def _require(jwk: dict[str, Any], name: str, *allowed: str) -> None:
    """Raise `UnusableKey` unless the member is a string, and one of `allowed` if given."""
    value = jwk.get(name)
    if value is None:
        raise UnusableKey(f"{name} is missing")
    if not isinstance(value, str):
        raise UnusableKey(f"{name} is not a string")
    if allowed and value not in allowed:
        raise UnusableKey(f"{name} is {quoted(value)}, not {_either(allowed)}")


def _either(names: tuple[str, ...]) -> str:
    *others, last = map(quoted, names)
    return f"{', '.join(others)} or {last}" if others else last


def _check_purpose(jwk: dict[str, Any], key_type: _KeyType) -> None:
    """Raise `UnusableKey` unless the key is public and can verify signatures."""
    if key_type.curve:
        _require(jwk, "crv", key_type.curve)
    for name in key_type.private:
        if name in jwk:
            raise UnusableKey(f"it is a private key: it has {name}")
    for name, expected in (("use", "sig"), ("alg", key_type.algorithm)):
        if name in jwk:
            _require(jwk, name, expected)
    if "kid" in jwk:
        _require(jwk, "kid")
    operations = jwk.get("key_ops", "verify")
    # RFC 7517, section 4.3, requires a list, but some issuers send a string.
    if "verify" not in (operations if isinstance(operations, list) else [operations]):
        raise UnusableKey('key_ops does not contain "verify"')


def _public_key(jwk: dict[str, Any], key_type: _KeyType) -> PyJWK:
    for name in key_type.public:
        _require(jwk, name)
    # Only these members, because PyJWT may interpret others differently.
    known = {name: jwk[name] for name in ("kty", "crv", "kid", *key_type.public) if name in jwk}
    try:
        key = PyJWK(known, key_type.algorithm)
        prepared = key.Algorithm.prepare_key(key.key)
    except (PyJWTError, UnsupportedAlgorithm, TypeError, ValueError):
        names = " and ".join(key_type.public)
        raise UnusableKey(f"the public key is malformed: {names}") from None
    if key.Algorithm.check_key_length(prepared):
        raise UnusableKey(f"the RSA key has {prepared.key_size} bits, fewer than 2048")
    return key
