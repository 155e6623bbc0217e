"""Shared secret: the HS256 key of issuer and service."""

from collections.abc import Sequence

from jwt import PyJWK
from jwt.exceptions import InvalidKeyError
from jwt.utils import base64url_encode

MIN_SECRET_BYTES = 32
"""The minimum length of a secret in UTF-8, which is that of the hash (RFC 7518, 3.2)."""

_ALGORITHM = "HS256"


class SharedSecret:
    """Implements `KeySource` with a shared secret, for HS256 and any `kid`."""

    algorithms = frozenset({_ALGORITHM})

    def __init__(self, secret: str) -> None:
        """Raise `ValueError` with the reason unless the secret is valid, with at least 32 bytes."""
        self._keys = (_key(secret_bytes(secret)),)

    def current(self) -> Sequence[PyJWK]:
        """Return the key."""
        return self._keys

    def candidates(self, algorithm: str, key_id: str | None) -> Sequence[PyJWK]:
        """Return the key if `algorithm` is HS256."""
        return self._keys if algorithm in self.algorithms else ()

    def probe(self) -> None:
        """Return, as a secret is always available."""


def secret_bytes(secret: str) -> bytes:
    """Return `secret` in UTF-8. Raise `ValueError` if it cannot be a key for HS256."""
    try:
        octets = secret.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text") from None
    if len(octets) < MIN_SECRET_BYTES:
        raise ValueError(f"must be at least {MIN_SECRET_BYTES} bytes")
    return octets


def _key(octets: bytes) -> PyJWK:
    key = PyJWK({"kty": "oct", "k": base64url_encode(octets).decode()}, _ALGORITHM)
    try:
        key.Algorithm.prepare_key(key.key)
    except InvalidKeyError:
        raise ValueError("must be a secret, not a public key or a certificate") from None
    return key
