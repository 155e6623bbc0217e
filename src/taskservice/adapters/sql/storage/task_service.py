"""One owner's tasks in a SQL database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.retries import retry_on_disconnect
from taskservice.adapters.sql.connection.sessions import (
    OpenSession,
    autocommit_session,
    join_transaction,
    transaction,
    with_deadline,
)
from taskservice.adapters.sql.connection.statements import Session
from taskservice.adapters.sql.storage.changes import Change, CompareAndSwap, Delete, Insert
from taskservice.adapters.sql.storage.idempotency import SqlIdempotencyStore
from taskservice.adapters.sql.storage.rows import OwnerRows
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Outcome, StorageFull, Unavailable
from taskservice.core.ids import NewId, TaskIds
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Step, Task

T = TypeVar("T")

RETRIES = 3


class SqlTasks:
    """Every owner's tasks in one database; `open_tasks` is the port. Threads may share it.

    `engine` is one of `pooled_engine`, over a database at the schema that this
    version needs.
    """

    def __init__(
        self, engine: Engine, clock: Clock = system_clock, new_id: NewId | None = None
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._new_id = new_id or TaskIds()

    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        """Yield the tasks of `owner`; see `OpenTasks`."""
        if atomic:
            with transaction(self._engine, owner, lambda: self._is_committed(own)) as connection:
                own = self._own(
                    owner, partial(join_transaction, Session(connection, owner)), retries=0
                )
                yield own
        else:
            yield self._own(
                owner, partial(autocommit_session, self._engine, owner), retries=RETRIES
            )

    def _own(self, owner: str, opened: OpenSession, *, retries: int) -> "_OwnTasks":
        reading = with_deadline(opened, self._engine)
        return _OwnTasks(owner, opened, reading, self._clock, self._new_id, retries=retries)

    def _is_committed(self, own: "_OwnTasks") -> bool:
        """Tell whether the receipts of a transaction are there once it has ended."""
        with autocommit_session(self._engine, own.owner) as session:
            return own.idempotency.is_committed(session)


class _OwnTasks:
    """One owner's tasks, each method in a session of `opened`, or `reading` where it may last.

    Alone, a statement that was undone or not answered is tried again;
    together, what is around it ends as well, and nothing was committed yet.
    """

    def __init__(
        self,
        owner: str,
        opened: OpenSession,
        reading: OpenSession,
        clock: Clock,
        new_id: NewId,
        *,
        retries: int,
    ) -> None:
        self.owner = owner
        self._opened = opened
        self._reading = reading
        self._retries = retries
        self._clock = clock
        self._new_id = new_id
        self.idempotency = SqlIdempotencyStore(opened, clock)

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        task = Task.create(
            self.owner,
            self._clock(),
            self._new_id,
            title=title,
            description=description,
            completed=completed,
        )
        return self._write(Insert(task))

    def get(self, task_id: UUID) -> Task:
        return self._read(lambda rows: rows.find(task_id), self._opened)

    def list(self, query: TaskQuery) -> Page:
        return self._read(lambda rows: rows.page(query), self._reading)

    def change(self, task_id: UUID, step: Step) -> Task:
        return self._write(CompareAndSwap(task_id, step, self._clock))

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        self._write(Delete(task_id, precondition))

    def _ask(
        self, door: Callable[[OwnerRows], T], opened: OpenSession, on_disconnect: Outcome
    ) -> T:
        def ask() -> T:
            with translate_errors(on_disconnect), opened() as session:
                return door(OwnerRows(session, self._retries))

        return retry_on_disconnect(ask) if self._retries else ask()

    def _read(self, door: Callable[[OwnerRows], T], opened: OpenSession) -> T:
        try:
            return self._ask(door, opened, "not_applied")
        except StorageFull as error:
            # Not even to read: SQLite's index of its log, PostgreSQL's temporary files.
            raise Unavailable(str(error)) from error

    def _write(self, change: Change[T]) -> T:
        try:
            return self._ask(change, self._opened, "unknown")
        except Unavailable as error:
            if change.sent is None or not self._retries:
                error.outcome = "not_applied"
            raise
