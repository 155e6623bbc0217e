"""Idempotency keys: a request runs once for each key, and a retry gets the first response again."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

from taskservice.core.errors import IdempotencyKeyReused


class IdempotencyKey(NamedTuple):
    """The `Idempotency-Key` of a request, and a fingerprint of its method, path, query and body."""

    key: str
    fingerprint: bytes


@dataclass(frozen=True, kw_only=True)
class IdempotencyRecord:
    """The `fingerprint` of the first request with a key, and its `result`.

    The result is the response as bytes that only the driving adapter reads. It is
    empty until the request is complete.
    """

    fingerprint: bytes
    result: bytes = b""


class IdempotencyStore(Protocol):
    """One owner's idempotency records, committed in the transaction of the request itself."""

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        """Return the record of `key`, or create one and return None.

        Waits for another transaction that has begun a request with the same key.
        Raises `IdempotencyKeyInUse` if that takes too long.
        """
        ...

    def complete(self, key: str, result: bytes) -> None:
        """Store the result of `key`, which this transaction has begun."""
        ...


def begin(store: IdempotencyStore, key: IdempotencyKey) -> bytes | None:
    """Begin the request with `key`, or return the result of an earlier one.

    Call it in the transaction of the request: if that is rolled back, so is the
    record. Any number of writes may follow, then `IdempotencyStore.complete`. Raises
    `IdempotencyKeyReused` if the key was used for a different request.
    """
    record = store.begin(*key)
    if record is not None and record.fingerprint != key.fingerprint:
        raise IdempotencyKeyReused
    return None if record is None else record.result
