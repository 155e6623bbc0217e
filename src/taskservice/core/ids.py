"""Entity ids: UUIDs of version 7, in order of creation (RFC 9562, section 5.7)."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

NewId = Callable[[datetime], UUID]
"""Returns a new id with a timestamp, which is aware."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_COUNTER_BITS = 74
_STEP_BITS = 32


def first_id(at: datetime) -> UUID:
    """Return the lowest id with the millisecond of `at`."""
    return UUID(int=_milliseconds(at) << 80)


def last_id(at: datetime) -> UUID:
    """Return the highest id with the millisecond of `at`."""
    return UUID(int=(_milliseconds(at) + 1 << 80) - 1)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


class TimeOrderedIds:
    """Generates ids: `new_id(timestamp)`. It is thread-safe.

    The first 48 bits are the timestamp in milliseconds. Within one millisecond
    the remaining 74 bits are a counter. It starts at random and grows by random
    steps (RFC 9562, section 6.2, method 2). So the ids of a process are in order
    of creation, and cannot be guessed from one another.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._millisecond = -1
        self._counter = 0

    def __call__(self, at: datetime) -> UUID:
        """Return a new id whose timestamp is `at`, which is aware."""
        millisecond = _milliseconds(at)
        counter = self._next(millisecond)
        high, low = counter >> 62, counter & (1 << 62) - 1
        return UUID(int=millisecond << 80 | 7 << 76 | high << 64 | 0b10 << 62 | low)

    def _next(self, millisecond: int) -> int:
        with self._lock:
            if millisecond == self._millisecond:
                self._counter += 1 + secrets.randbits(_STEP_BITS)
            else:
                self._millisecond = millisecond
                # The top bit starts at zero, so that the counter does not overflow.
                self._counter = secrets.randbits(_COUNTER_BITS - 1)
            return self._counter
