"""The port that remembers what was done, so that it is not done again."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from taskservice.core.task import Task


class Attempt(NamedTuple):
    """One sending of a request: the key that its sender gave it, and a digest of what it asks."""

    key: str
    digest: bytes


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What a key was used for: the `digest` of the request, and the `task` it led to, if any."""

    digest: bytes
    task: Task | None


class Receipts(Protocol):
    """One owner's receipts. Each is kept in the transaction of what it is for, or not at all."""

    def claim(self, key: str, digest: bytes) -> Receipt | None:
        """Return the receipt of `key`; where there is none, take the key and return None.

        Waits for another transaction that has taken the key; raises
        `KeyInUse` where that goes on for too long.
        """
        ...

    def settle(self, key: str, task: Task | None) -> None:
        """Complete the receipt of a key that this transaction has taken: it led to `task`."""
        ...
