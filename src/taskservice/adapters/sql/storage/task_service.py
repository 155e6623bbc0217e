"""The `OpenTasks` and `TaskService` ports on a SQL database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.retries import retry_on_disconnect
from taskservice.adapters.sql.connection.sessions import (
    OpenSession,
    autocommit_session,
    join_transaction,
    transaction,
    with_deadline,
)
from taskservice.adapters.sql.storage.idempotency import SqlIdempotencyStore
from taskservice.adapters.sql.storage.retryable_writes import Change, CompareAndSwap, Delete, Insert
from taskservice.adapters.sql.storage.task_rows import TaskRows
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Outcome, StorageFull, Unavailable
from taskservice.core.ids import NewId, TaskIds
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Step, Task

T = TypeVar("T")

MAX_RETRIES = 3


class SqlTasks:
    """The tasks of all owners in one database; `open_tasks` is the port. Thread-safe.

    `engine` comes from `pooled_engine`, over a database at a current schema.
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
            with transaction(self._engine, owner, lambda: self._is_committed(tasks)) as connection:
                session = Session(connection, owner)
                tasks = self._tasks(owner, partial(join_transaction, session), max_retries=0)
                yield tasks
        else:
            open_session = partial(autocommit_session, self._engine, owner)
            yield self._tasks(owner, open_session, max_retries=MAX_RETRIES)

    def _tasks(self, owner: str, open_session: OpenSession, *, max_retries: int) -> "_OwnerTasks":
        open_query_session = with_deadline(open_session, self._engine)
        return _OwnerTasks(
            owner,
            open_session,
            open_query_session,
            self._clock,
            self._new_id,
            max_retries=max_retries,
        )

    def _is_committed(self, tasks: "_OwnerTasks") -> bool:
        """Return whether the idempotency records of an ended transaction are committed."""
        with autocommit_session(self._engine, tasks.owner) as session:
            return tasks.idempotency.is_committed(session)


class _OwnerTasks:
    """The tasks of one owner; each method runs in a session of `open_session`.

    `list` uses `open_query_session`, which has a deadline on SQLite too. With
    autocommit, a method retries after a serialization failure or a lost connection.
    In a transaction it does not, as nothing is committed yet.
    """

    def __init__(
        self,
        owner: str,
        open_session: OpenSession,
        open_query_session: OpenSession,
        clock: Clock,
        new_id: NewId,
        *,
        max_retries: int,
    ) -> None:
        self.owner = owner
        self._open_session = open_session
        self._open_query_session = open_query_session
        self._max_retries = max_retries
        self._clock = clock
        self._new_id = new_id
        self.idempotency = SqlIdempotencyStore(open_session, clock)

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
        return self._read(lambda rows: rows.find(task_id), self._open_session)

    def list(self, query: TaskQuery) -> Page:
        return self._read(lambda rows: rows.page(query), self._open_query_session)

    def change(self, task_id: UUID, step: Step) -> Task:
        return self._write(CompareAndSwap(task_id, step, self._clock))

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        self._write(Delete(task_id, precondition))

    def _run(
        self,
        operation: Callable[[TaskRows], T],
        open_session: OpenSession,
        on_disconnect: Outcome,
    ) -> T:
        def attempt() -> T:
            with translate_errors(on_disconnect), open_session() as session:
                return operation(TaskRows(session, self._max_retries))

        return retry_on_disconnect(attempt) if self._max_retries else attempt()

    def _read(self, operation: Callable[[TaskRows], T], open_session: OpenSession) -> T:
        try:
            return self._run(operation, open_session, "not_applied")
        except StorageFull as error:
            # A read needs disk space too: for SQLite's WAL index, or PostgreSQL's temporary files.
            raise Unavailable(str(error)) from error

    def _write(self, change: Change[T]) -> T:
        try:
            return self._run(change, self._open_session, "unknown")
        except Unavailable as error:
            if change.unacknowledged is None or not self._max_retries:
                error.outcome = "not_applied"
            raise
