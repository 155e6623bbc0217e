"""One secret, shared with the issuer, as the key."""

from collections.abc import Sequence

from jwt import PyJWK
from jwt.exceptions import InvalidKeyError
from jwt.utils import base64url_encode

SECRET_BYTES = 32
"""The least length of a secret, in bytes of UTF-8: that of the hash (RFC 7518, section 3.2)."""

_ALGORITHM = "HS256"


class SharedSecret:
    """The `Keys` of a shared secret: HS256 only, whatever `kid` a token names."""

    algorithms = frozenset({_ALGORITHM})

    def __init__(self, secret: str) -> None:
        """Take a secret of at least 32 bytes; raise `ValueError`, which says why, for another."""
        self._keys = (_key(secret_bytes(secret)),)

    def current(self) -> Sequence[PyJWK]:
        """Return the one key."""
        return self._keys

    def candidates(self, algorithm: str, key_id: str | None) -> Sequence[PyJWK]:
        """Return the one key, if `algorithm` is its own."""
        return self._keys if algorithm in self.algorithms else ()

    def probe(self) -> None:
        """Return: a secret is always at hand."""


def secret_bytes(secret: str) -> bytes:
    """Return `secret` in UTF-8, or raise `ValueError` where it cannot be a key of HS256."""
    try:
        octets = secret.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text") from None
    if len(octets) < SECRET_BYTES:
        raise ValueError(f"must be at least {SECRET_BYTES} bytes")
    return octets


def _key(octets: bytes) -> PyJWK:
    key = PyJWK({"kty": "oct", "k": base64url_encode(octets).decode()}, _ALGORITHM)
    try:
        key.Algorithm.prepare_key(key.key)
    except InvalidKeyError:
        raise ValueError("must be a secret, not a public key or a certificate") from None
    return key
