"""The clock, and timestamps in UTC that never go backwards for one task."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the current time, aware."""

_TICK = timedelta(microseconds=1)


def system_clock() -> datetime:
    """Return the current time: aware, in UTC, to the microsecond."""
    return datetime.now(UTC)


def normalize_timestamp(now: datetime, after: datetime | None = None) -> datetime:
    """Return `now` in UTC, or the first microsecond after `after` if that is later.

    One microsecond is added to a whole second. So a timestamp in ISO 8601
    always has all six digits of its fraction.
    """
    now = now.astimezone(UTC)
    if after is not None and now <= after:
        now = after + _TICK
    return now if now.microsecond else now + _TICK
