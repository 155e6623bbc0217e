"""One owner's tasks in a SQL database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translated
from taskservice.adapters.sql.connection.retries import answered
from taskservice.adapters.sql.connection.sessions import Open, alone, bounded, transaction, within
from taskservice.adapters.sql.connection.statements import Session
from taskservice.adapters.sql.storage.changes import Addition, Change, Removal, Replacement
from taskservice.adapters.sql.storage.idempotency import OwnReceipts
from taskservice.adapters.sql.storage.rows import OwnRows
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import Outcome, StorageFull, Unavailable
from taskservice.core.ids import NewId, TaskIds
from taskservice.core.preconditions import Guard
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
    def open_tasks(self, owner: str, *, together: bool = False) -> Iterator[TaskService]:
        """Yield the tasks of `owner`; see `OpenTasks`."""
        if together:
            with transaction(self._engine, owner, lambda: self._are_kept(own)) as connection:
                own = self._own(owner, partial(within, Session(connection, owner)), retries=0)
                yield own
        else:
            yield self._own(owner, partial(alone, self._engine, owner), retries=RETRIES)

    def _own(self, owner: str, opened: Open, *, retries: int) -> "_OwnTasks":
        reading = bounded(opened, self._engine)
        return _OwnTasks(owner, opened, reading, self._clock, self._new_id, retries=retries)

    def _are_kept(self, own: "_OwnTasks") -> bool:
        """Tell whether the receipts of a transaction are there once it has ended."""
        with alone(self._engine, own.owner) as session:
            return own.receipts.are_kept(session)


class _OwnTasks:
    """One owner's tasks, each method in a session of `opened`, or `reading` where it may last.

    Alone, a statement that was undone or not answered is tried again;
    together, what is around it ends as well, and nothing was committed yet.
    """

    def __init__(
        self,
        owner: str,
        opened: Open,
        reading: Open,
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
        self.receipts = OwnReceipts(opened, clock)

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        task = Task.create(
            self.owner,
            self._clock(),
            self._new_id,
            title=title,
            description=description,
            completed=completed,
        )
        return self._write(Addition(task))

    def get(self, task_id: UUID) -> Task:
        return self._read(lambda rows: rows.find(task_id), self._opened)

    def list(self, query: TaskQuery) -> Page:
        return self._read(lambda rows: rows.page(query), self._reading)

    def change(self, task_id: UUID, step: Step) -> Task:
        return self._write(Replacement(task_id, step, self._clock))

    def remove(self, task_id: UUID, guard: Guard | None = None) -> None:
        self._write(Removal(task_id, guard))

    def _ask(self, door: Callable[[OwnRows], T], opened: Open, if_cut: Outcome) -> T:
        def ask() -> T:
            with translated(if_cut), opened() as session:
                return door(OwnRows(session, self._retries))

        return answered(ask) if self._retries else ask()

    def _read(self, door: Callable[[OwnRows], T], opened: Open) -> T:
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
