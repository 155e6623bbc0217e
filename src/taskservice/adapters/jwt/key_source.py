"""Port of the verifier: the source of verification keys."""

from collections.abc import Collection, Sequence
from typing import Protocol

from jwt import PyJWK


class KeySource(Protocol):
    """Verification keys: a shared secret or public keys, each bound to one algorithm."""

    @property
    def algorithms(self) -> Collection[str]:
        """The allowed algorithms, by their names in RFC 7518 and RFC 8037."""
        ...

    def current(self) -> Sequence[PyJWK]:
        """Return all keys, after a refresh if that is due.

        Raises `Unavailable` without keys.
        """
        ...

    def candidates(self, algorithm: str, key_id: str | None) -> Sequence[PyJWK]:
        """Return the keys that may have signed a token with this `alg` and `kid`.

        Raises `Unavailable` if there are no keys, or if an unknown `kid` may be a new key.
        """
        ...

    def probe(self) -> None:
        """Return if there are keys. Raise `Unavailable` with the reason if there are none."""
        ...
