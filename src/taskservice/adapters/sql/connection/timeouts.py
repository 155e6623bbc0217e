"""Timeouts of PostgreSQL: statements, locks, and responses that the client waits for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import psycopg
from psycopg.abc import PQGen

RV = TypeVar("RV")


class Timeouts(NamedTuple):
    """Statement timeout and lock timeout, in seconds."""

    statement: float
    lock: float

    @property
    def settings(self) -> dict[str, str]:
        """PostgreSQL's settings, in milliseconds."""
        return {
            "statement_timeout": f"{self.statement * 1000:.0f}",
            "lock_timeout": f"{self.lock * 1000:.0f}",
        }


class ReadTimeout(psycopg.OperationalError):
    """The connection is open, and the server did not respond in time."""


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that closes itself if a response takes longer than `read_timeout` seconds.

    The server's own timeouts do not help behind a pooler that hangs, or on a
    network that drops packets.
    """

    read_timeout: float | None = None

    @contextmanager
    def with_read_timeout(self, seconds: float) -> Iterator[None]:
        """Use another read timeout within the block."""
        previous, self.read_timeout = self.read_timeout, seconds
        try:
            yield
        finally:
            self.read_timeout = previous

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Run `gen` to its end and return its result. Raise `ReadTimeout` after the timeout."""
        try:
            return super().wait(gen, interval, self.read_timeout if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if type(error).__name__ != "_WaitTimeout":
                raise
            self.close()
            raise ReadTimeout("read timeout expired") from None
