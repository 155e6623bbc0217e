"""Names, moments and a clock for tests."""

from datetime import UTC, datetime, timedelta

ADA = "ada"
BOB = "auth0|bob"

START = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)


class TickingClock:
    """A clock that moves on by `step` whenever it is read, and may be set."""

    def __init__(self) -> None:
        self.now = START
        self.step = timedelta(milliseconds=1)

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


SECRET = "a secret of the tests, 32 bytes or more, kept by nobody"
DATABASE_PASSWORD = "canary-beside-the-database"
