"""The port that remembers what was done, so that it is not done again."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from taskservice.core.task import Task


class IdempotencyKey(NamedTuple):
    """The `Idempotency-Key` of a request, and a fingerprint of its method, path and body."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, kw_only=True)
class IdempotencyRecord:
    """What a key was used for: the request's `fingerprint`, and the resulting `task`, if any."""

    fingerprint: bytes
    task: Task | None


class IdempotencyStore(Protocol):
    """One owner's receipts. Each is kept in the transaction of what it is for, or not at all."""

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        """Return the receipt of `key`; where there is none, take the key and return None.

        Waits for another transaction that has taken the key; raises
        `IdempotencyKeyInUse` where that goes on for too long.
        """
        ...

    def complete(self, key: str, task: Task | None) -> None:
        """Complete the receipt of a key that this transaction has taken: it led to `task`."""
        ...
