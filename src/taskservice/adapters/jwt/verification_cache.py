"""Verification cache: remembers verified tokens, as a client sends one with every request."""

from hashlib import blake2b
from threading import Lock
from typing import NamedTuple

from jwt import PyJWK

from taskservice.adapters.jwt.claims import Claims

CACHE_SIZE = 2_000
"""The maximum number of tokens. A new token replaces the oldest one."""


class VerifiedToken(NamedTuple):
    """The claims of a token, and the key that verified its signature."""

    key: PyJWK
    claims: Claims


class VerificationCache:
    """Verified tokens by the digest of the whole token. Thread-safe."""

    def __init__(self, limit: int = CACHE_SIZE) -> None:
        self._limit = limit
        self._verified: dict[bytes, VerifiedToken] = {}
        self._lock = Lock()

    def get(self, token: str) -> VerifiedToken | None:
        """Return the cached verification. The key may no longer be in the key set."""
        return self._verified.get(_digest(token))

    def put(self, token: str, verified: VerifiedToken) -> None:
        """Store the verification of `token`."""
        with self._lock:
            while len(self._verified) >= self._limit:
                del self._verified[next(iter(self._verified))]
            self._verified[_digest(token)] = verified


def _digest(token: str) -> bytes:
    return blake2b(token.encode(errors="surrogatepass"), digest_size=32).digest()
