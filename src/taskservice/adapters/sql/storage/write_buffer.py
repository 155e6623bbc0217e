"""A transaction in which new entities wait, so that several are sent to the database together."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import (
    join_transaction,
    release_savepoint,
    roll_back_to_savepoint,
    set_savepoint,
)
from taskservice.adapters.sql.storage.heads import lock_head
from taskservice.adapters.sql.storage.log import LoggedWrite
from taskservice.adapters.sql.storage.retryable_writes import NO_ROW_WRITTEN
from taskservice.core.changes import Change
from taskservice.core.errors import Unavailable


class Waiting(NamedTuple):
    """A row to write, and its change."""

    write: LoggedWrite
    change: Change
    values: Mapping[str, Any]


class WriteBuffer:
    """One transaction of an owner. Before each statement, what waits is sent.

    Only a write that cannot fail by itself may wait, and only if the owner `is_locked`, as others
    must wait for it too. A savepoint is set before the first statement of its block, so a block
    that sends none costs nothing. Savepoints do not nest.
    """

    is_locked = False

    def __init__(self, session: Session) -> None:
        self._session = session
        self._waiting: list[Waiting] = []
        self._start: int | None = None
        """How many writes waited at the start of an open block, None outside of one."""
        self._is_set = False
        """Whether the savepoint of the block is set."""

    def add(self, write: Waiting) -> None:
        """Let a write wait."""
        self._waiting.append(write)

    @contextmanager
    def open_session(self) -> Iterator[Session]:
        """Yield the session for the next statements. Raise `Unavailable`."""
        with join_transaction(self._session) as session:
            if self._start is not None and not self._is_set:
                self._send(self._start)
                set_savepoint(session)
                self._start, self._is_set = 0, True
            self._send(len(self._waiting))
            yield session

    def lock(self) -> None:
        """Lock the owner; see `Workspace`."""
        if not self.is_locked:
            with self.open_session() as session:
                lock_head(session)
            self.is_locked = True

    def flush(self) -> None:
        """Send all that waits."""
        with self.open_session():
            pass

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block wrote if it raises. Raise `Unavailable`."""
        if self._start is not None:
            raise RuntimeError("savepoints do not nest")
        self._start, was_locked = len(self._waiting), self.is_locked
        with translate_errors():
            try:
                yield
                if self._is_set:
                    release_savepoint(self._session)
            except BaseException:
                self.is_locked = was_locked
                del self._waiting[self._start :]
                if self._is_set:
                    roll_back_to_savepoint(self._session)
                raise
            finally:
                self._start, self._is_set = None, False

    def _send(self, count: int) -> None:
        """Send the first ones of what waits."""
        for write, rows in groupby(self._waiting[:count], attrgetter("write")):
            pairs = [(row.change, row.values) for row in rows]
            if write.count_all(self._session, pairs) != len(pairs):
                raise Unavailable(NO_ROW_WRITTEN)
        del self._waiting[:count]
