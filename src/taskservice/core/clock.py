"""Time: read once per operation, in UTC, and never backwards for one task."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present moment, aware."""

_TICK = timedelta(microseconds=1)


def system_clock() -> datetime:
    """Return the present moment: aware, in UTC, to the microsecond."""
    return datetime.now(UTC)


def normalize_timestamp(now: datetime, after: datetime | None = None) -> datetime:
    """Return `now` in UTC, moved later where needed to come behind `after`.

    A whole second is moved on by one microsecond, so that whatever writes a
    moment in ISO 8601 shows all six digits of it.
    """
    now = now.astimezone(UTC)
    if after is not None and now <= after:
        now = after + _TICK
    return now if now.microsecond else now + _TICK
