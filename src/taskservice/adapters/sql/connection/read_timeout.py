"""A PostgreSQL connection that waits only so long for an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

RV = TypeVar("RV")


class ReadTimeout(psycopg.OperationalError):
    """The server is connected and says nothing."""


class TimeoutConnection(psycopg.Connection[Any]):
    """A connection that is given up, and closed, where no answer comes in `patience` seconds.

    The server's own limits end what takes long there. They do nothing where
    it cannot be heard: behind a pooler that hangs, or a network that swallows
    what is sent.
    """

    patience: float | None = None

    @contextmanager
    def waiting(self, seconds: float) -> Iterator[None]:
        """Wait no longer than `seconds` within the block."""
        usual, self.patience = self.patience, seconds
        try:
            yield
        finally:
            self.patience = usual

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Return what `gen` ends with. Raises `ReadTimeout`."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError as error:
            if type(error).__name__ != "_WaitTimeout":
                raise
            self.close()
            raise ReadTimeout("no answer in time") from None
