"""JSON Web Key: a public key of a key set, or the reason why it is not used."""

import json
from typing import Any, NamedTuple

from cryptography.exceptions import UnsupportedAlgorithm
from jwt import PyJWK
from jwt.exceptions import PyJWTError

SHOWN = 64
"""How much of a name in a key set is shown, in characters."""


class _Kind(NamedTuple):
    """A type of key: its algorithm and curve, and the members that are public and private."""

    algorithm: str
    curve: str | None
    public: tuple[str, ...]
    private: tuple[str, ...]


_KINDS = {
    "OKP": _Kind("EdDSA", "Ed25519", ("x",), ("d",)),
    "EC": _Kind("ES256", "P-256", ("x", "y"), ("d",)),
    "RSA": _Kind("RS256", None, ("n", "e"), ("d", "p", "q", "dp", "dq", "qi", "oth")),
}
ALGORITHMS = frozenset(kind.algorithm for kind in _KINDS.values())


class UnusableKey(ValueError):
    """A key is not used. The message is a clause that says why, without any key material."""


def read_key(member: object) -> PyJWK:
    """Return the public key that `member` of a key set is, bound to its algorithm.

    Ed25519 is for EdDSA, P-256 for ES256, RSA from 2,048 bits for RS256 (RFC 7517, section 4;
    RFC 7518, section 6; RFC 8037, section 2). A member that is null or empty is absent. Raises
    `UnusableKey` for a key that is of another kind or for another use, malformed, or private: that
    one is known to everybody.
    """
    if not isinstance(member, dict):
        raise UnusableKey("it is not a JSON object")
    jwk = {name: value for name, value in member.items() if value not in (None, "", [], {})}
    _require(jwk, "kty", *_KINDS)
    kind = _KINDS[jwk["kty"]]
    _check_purpose(jwk, kind)
    return _public_key(jwk, kind)


def quoted(name: str) -> str:
    """Return `name` as JSON in ASCII, so that it can be shown whatever is in it, and shortened."""
    shown = json.dumps(name[:SHOWN])
    return shown if len(name) <= SHOWN else f'{shown[:-1]}…"'


def _require(jwk: dict[str, Any], name: str, *allowed: str) -> None:
    """Raise `UnusableKey` unless the member is a string, and one of `allowed` if there are any."""
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


def _check_purpose(jwk: dict[str, Any], kind: _Kind) -> None:
    """Raise `UnusableKey` unless the key is public, and for signatures with its algorithm."""
    if kind.curve:
        _require(jwk, "crv", kind.curve)
    for name in kind.private:
        if name in jwk:
            raise UnusableKey(f"it is a private key: it has {name}")
    for name, right in (("use", "sig"), ("alg", kind.algorithm)):
        if name in jwk:
            _require(jwk, name, right)
    if "kid" in jwk:
        _require(jwk, "kid")
    operations = jwk.get("key_ops", "verify")
    # A list (RFC 7517, section 4.3), which some issuers write as its one member.
    if "verify" not in (operations if isinstance(operations, list) else [operations]):
        raise UnusableKey('key_ops does not contain "verify"')


def _public_key(jwk: dict[str, Any], kind: _Kind) -> PyJWK:
    for name in kind.public:
        _require(jwk, name)
    # Of the key no more than this: PyJWT may read other members otherwise than we do.
    known = {name: jwk[name] for name in ("kty", "crv", "kid", *kind.public) if name in jwk}
    try:
        key = PyJWK(known, kind.algorithm)
        prepared = key.Algorithm.prepare_key(key.key)
    except (PyJWTError, UnsupportedAlgorithm, TypeError, ValueError):
        names = " and ".join(kind.public)
        raise UnusableKey(f"the public key is malformed: {names}") from None
    if key.Algorithm.check_key_length(prepared):
        raise UnusableKey(f"the RSA key has {prepared.key_size} bits, fewer than 2048")
    return key
