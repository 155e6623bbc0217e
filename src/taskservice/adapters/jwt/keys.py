"""The port behind the verifier: where the keys are."""

from collections.abc import Collection, Sequence
from typing import Protocol

from jwt import PyJWK


class Keys(Protocol):
    """Keys of one family, a shared secret or public keys, each bound to its one algorithm."""

    @property
    def algorithms(self) -> Collection[str]:
        """The algorithms that a token may name, by their names in RFC 7518 and RFC 8037."""
        ...

    def current(self) -> Sequence[PyJWK]:
        """Return all keys, fetched anew where that is due.

        Raises `Unavailable` where there is none.
        """
        ...

    def candidates(self, algorithm: str, key_id: str | None) -> Sequence[PyJWK]:
        """Return the keys of `algorithm` that may have signed a token with this `kid`, if any.

        Raises `Unavailable` where that cannot be told, for want of any key.
        """
        ...

    def probe(self) -> None:
        """Return if there are keys to verify with; raise `Unavailable`, saying why, if not."""
        ...
