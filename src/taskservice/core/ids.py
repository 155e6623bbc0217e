"""Identifiers in order of creation: UUID version 7 (RFC 9562, section 5.7)."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

NewId = Callable[[datetime], UUID]
"""Returns a new id that belongs to a moment, which is aware."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_COUNTER_BITS = 74
_STEP_BITS = 32


def first_id(at: datetime) -> UUID:
    """Return what no id of the millisecond of `at`, or of a later one, comes before."""
    return UUID(int=_milliseconds(at) << 80)


def last_id(at: datetime) -> UUID:
    """Return what no id of the millisecond of `at`, or of an earlier one, comes after."""
    return UUID(int=(_milliseconds(at) + 1 << 80) - 1)


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND


class TaskIds:
    """Makes the id that belongs to a moment: `new_id(moment)`.

    The first 48 bits are the moment's milliseconds. Within one millisecond of
    a process the remaining 74 are a counter that begins at random and grows
    by random steps (RFC 9562, section 6.2, method 2), so ids are in order of
    creation and cannot be guessed from one another. Threads may share it.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._millisecond = -1
        self._counter = 0

    def __call__(self, at: datetime) -> UUID:
        """Return a new id whose timestamp is `at`, an aware moment."""
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
                # The top bit starts at zero, so that the steps have room to grow.
                self._counter = secrets.randbits(_COUNTER_BITS - 1)
            return self._counter
