"""Idempotency keys: the port that stores the results of requests, so that a retry replays them."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from taskservice.core.task import Task


class IdempotencyKey(NamedTuple):
    """The `Idempotency-Key` of a request, and a fingerprint of its method, path and body."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, kw_only=True)
class IdempotencyRecord:
    """The `fingerprint` of the first request with a key, and the `task` it returned, if any."""

    fingerprint: bytes
    task: Task | None


class IdempotencyStore(Protocol):
    """One owner's idempotency records, committed in the transaction of the request itself."""

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        """Return the record of `key`, or create one and return None.

        Waits for another transaction that has begun a request with the same key.
        Raises `IdempotencyKeyInUse` if that takes too long.
        """
        ...

    def complete(self, key: str, task: Task | None) -> None:
        """Store `task` as the result of `key`, which this transaction has begun."""
        ...
