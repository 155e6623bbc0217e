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
_MICROSECOND = timedelta(microseconds=1)
_COUNTER_BITS = 62
_STEP_BITS = 32


def first_id(at: datetime) -> UUID:
    """Return the lowest id with the millisecond of `at`."""
    return UUID(int=_milliseconds(at) << 80)


def last_id(at: datetime) -> UUID:
    """Return the highest id with the millisecond of `at`."""
    return UUID(int=(_milliseconds(at) + 1 << 80) - 1)


def moment_digits(entity_id: UUID) -> str:
    """Return the first bits of an id, its moment to the microsecond, in hexadecimal digits."""
    return f"{entity_id.int >> 80:012x}{entity_id.int >> 64 & 0xFFF:03x}"


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


class TimeOrderedIds:
    """Generates ids: `new_id(timestamp)`. It is thread-safe.

    The first 48 bits are the timestamp in milliseconds, the next 12 the microseconds
    within it (RFC 9562, section 6.2, method 3). Within one microsecond the remaining 62
    bits are a counter. It starts at random and grows by random steps (method 2). So the
    ids of a process are in order of creation, and cannot be guessed from one another.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._moment = -1, -1
        self._counter = 0

    def __call__(self, at: datetime) -> UUID:
        """Return a new id whose timestamp is `at`, which is aware."""
        microseconds = (at - _EPOCH) // _MICROSECOND
        (millisecond, fraction), counter = self._next(divmod(microseconds, 1000))
        return UUID(int=millisecond << 80 | 7 << 76 | fraction << 64 | 0b10 << 62 | counter)

    def _next(self, moment: tuple[int, int]) -> tuple[tuple[int, int], int]:
        """Return the moment of an id, and its counter. Within a millisecond none goes back."""
        with self._lock:
            if moment[0] == self._moment[0] and moment <= self._moment:
                self._counter += 1 + secrets.randbits(_STEP_BITS)
            else:
                self._moment = moment
                # The top bit starts at zero, so that the counter does not overflow.
                self._counter = secrets.randbits(_COUNTER_BITS - 1)
            return self._moment, self._counter
