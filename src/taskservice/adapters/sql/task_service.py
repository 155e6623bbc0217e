"""One owner's tasks in a SQL database. Every statement names the owner first."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from random import uniform
from time import sleep
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Engine,
    Executable,
    RowMapping,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.failures import is_conflict, translated
from taskservice.adapters.sql.lists import count_statement, own, page_statement
from taskservice.adapters.sql.receipts import OwnReceipts
from taskservice.adapters.sql.sessions import alone, bounded, transaction
from taskservice.adapters.sql.tables import fields, tasks
from taskservice.core.clock import Clock, system_clock
from taskservice.core.conditions import Guard
from taskservice.core.errors import Outcome, TaskNotFound, Unavailable
from taskservice.core.ids import NewId, TaskIds
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Step, Task

_Connect = Callable[[], AbstractContextManager[Connection]]

RETRIES = 3
LONGEST_PAUSE = 0.05
ATTEMPTS = 100
"""How often a change is tried while others change the same task; one of them succeeds each time."""

_one = and_(own, tasks.c.id == bindparam("task_id"))
_as_seen = tasks.c.version == bindparam("seen")
_mutable = [column for column in tasks.c if column.name not in {"id", "user_id", "created_at"}]

_INSERT = insert(tasks)
_SELECT = select(*fields).where(_one)
_UPDATE = (
    update(tasks)
    .where(_one, _as_seen)
    .values({column: bindparam(f"new_{column.name}") for column in _mutable})
)
_DELETE = delete(tasks).where(_one)
_DELETE_AS_SEEN = delete(tasks).where(_one, _as_seen)


class SqlTasks:
    """Every owner's tasks in one database; `open_tasks` is the port. Threads may share it."""

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
            with transaction(self._engine, owner) as connection:
                one: _Connect = lambda: nullcontext(connection)  # noqa: E731
                yield _OwnTasks(owner, one, one, self._clock, self._new_id, retries=0)
        else:
            each, search = (partial(way, self._engine, owner) for way in (alone, bounded))
            yield _OwnTasks(owner, each, search, self._clock, self._new_id, retries=RETRIES)


class _OwnTasks:
    """One owner's tasks, each method on a connection of `connect`, or `search` where it may last.

    A statement that PostgreSQL undoes for the sake of another is tried again
    up to `retries` times; inside a transaction there is nothing to try again.
    """

    def __init__(
        self,
        owner: str,
        connect: _Connect,
        search: _Connect,
        clock: Clock,
        new_id: NewId,
        *,
        retries: int,
    ) -> None:
        self._owner = owner
        self._connect = connect
        self._search = search
        self._retries = retries
        # Alone, a statement whose answer is lost may have been committed; together nothing was yet.
        self._if_cut: Outcome = "unknown" if retries else "not_applied"
        self._clock = clock
        self._new_id = new_id
        self.receipts = OwnReceipts(owner, connect, clock)

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        task = Task.create(
            self._owner,
            self._clock(),
            self._new_id,
            title=title,
            description=description,
            completed=completed,
        )
        with translated(self._if_cut), self._connect() as connection:
            self._write(connection, _INSERT, {**vars(task), "folded": task.folded})
        return task

    def get(self, task_id: UUID) -> Task:
        with translated(), self._connect() as connection:
            return self._find(connection, task_id)

    def list(self, query: TaskQuery) -> Page:
        connect = self._search if query.text or query.counted else self._connect
        with translated(), connect() as connection:
            rows = connection.execute(page_statement(query), self._named).mappings()
            return Page.of([_task(row) for row in rows], query, self._total(connection, query))

    def change(self, task_id: UUID, step: Step) -> Task:
        with translated(self._if_cut), self._connect() as connection:
            for _ in range(ATTEMPTS):
                before = self._find(connection, task_id)
                after = step(before, self._clock())
                if after == before or self._replace(connection, before, after):
                    return after
        raise Unavailable("too many others change this task at the same time")

    def remove(self, task_id: UUID, guard: Guard | None = None) -> None:
        with translated(self._if_cut), self._connect() as connection:
            if guard is not None:
                self._remove_guarded(connection, task_id, guard)
            elif not self._write(connection, _DELETE, self._key(task_id)):
                raise TaskNotFound(task_id)

    def _remove_guarded(self, connection: Connection, task_id: UUID, guard: Guard) -> None:
        for _ in range(ATTEMPTS):
            task = self._find(connection, task_id)
            guard(task)
            seen = {**self._key(task_id), "seen": task.version}
            if self._write(connection, _DELETE_AS_SEEN, seen):
                return
        raise Unavailable("too many others change this task at the same time")

    def _total(self, connection: Connection, query: TaskQuery) -> int | None:
        if not query.counted:
            return None
        return int(connection.execute(count_statement(query), self._named).scalar_one())

    def _find(self, connection: Connection, task_id: UUID) -> Task:
        row = connection.execute(_SELECT, self._key(task_id)).mappings().one_or_none()
        if row is None:
            raise TaskNotFound(task_id)
        return _task(row)

    def _replace(self, connection: Connection, before: Task, after: Task) -> bool:
        """Write `after` where the task still is as `before`; tell whether it was."""
        values = {f"new_{column.name}": getattr(after, column.name) for column in _mutable}
        key = {**self._key(before.id), "seen": before.version}
        return self._write(connection, _UPDATE, {**key, **values}) == 1

    def _write(self, connection: Connection, statement: Executable, values: dict[str, Any]) -> int:
        """Execute `statement` and return how many rows it wrote."""
        for retry in range(self._retries + 1):
            try:
                return connection.execute(statement, values).rowcount
            except DBAPIError as error:
                if retry == self._retries or not is_conflict(error):
                    raise
                sleep(uniform(0, LONGEST_PAUSE))  # noqa: S311
        raise AssertionError

    @property
    def _named(self) -> dict[str, Any]:
        return {"owner": self._owner}

    def _key(self, task_id: UUID) -> dict[str, Any]:
        return {**self._named, "task_id": task_id}


def _task(row: RowMapping) -> Task:
    return Task(**row)
