"""A clock for tests, which advances when it is read."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)
"""The start time of a `TickingClock`."""


class TickingClock:
    """A clock that advances by `step`, a millisecond, on each read; `now` may be set."""

    def __init__(self) -> None:
        self.now = START
        self.step = timedelta(milliseconds=1)

    def __call__(self) -> datetime:
        """Advance, and return the time: aware, in UTC."""
        self.now += self.step
        return self.now
