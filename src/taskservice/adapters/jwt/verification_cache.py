"""Tokens that were verified lately: a client sends the same one with every request."""

from hashlib import blake2b
from threading import Lock
from typing import NamedTuple

from jwt import PyJWK

from taskservice.adapters.jwt.claims import Claims

LIMIT = 2_000
"""How many tokens are remembered; the oldest is forgotten for a new one."""


class Verified(NamedTuple):
    """What a token claims, and the key that verifies its signature."""

    key: PyJWK
    claims: Claims


class VerificationCache:
    """What was verified, by a digest of the whole token. Threads may share it."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._verified: dict[bytes, Verified] = {}
        self._lock = Lock()

    def get(self, token: str) -> Verified | None:
        """Return what was verified of `token`; its key may have been withdrawn since."""
        return self._verified.get(_digest(token))

    def put(self, token: str, verified: Verified) -> None:
        """Remember what was verified of `token`."""
        with self._lock:
            while len(self._verified) >= self._limit:
                del self._verified[next(iter(self._verified))]
            self._verified[_digest(token)] = verified


def _digest(token: str) -> bytes:
    return blake2b(token.encode(errors="surrogatepass"), digest_size=32).digest()
