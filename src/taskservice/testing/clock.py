"""A clock for tests: it moves when it is read, and where it is set."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)
"""When a `TickingClock` begins."""


class TickingClock:
    """A clock that moves on by `step`, a millisecond, whenever it is read; `now` may be set."""

    def __init__(self) -> None:
        self.now = START
        self.step = timedelta(milliseconds=1)

    def __call__(self) -> datetime:
        """Move on, and return the moment: aware, in UTC."""
        self.now += self.step
        return self.now
