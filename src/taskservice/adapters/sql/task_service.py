"""One owner's tasks in a SQL database. Every statement names the owner first."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    Select,
    and_,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from taskservice.adapters.sql.engine import transaction
from taskservice.adapters.sql.failures import translated
from taskservice.adapters.sql.tables import tasks
from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import TaskNotFound
from taskservice.core.ids import NewId, TaskIds
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Step, Task

_Connect = Callable[[], AbstractContextManager[Connection]]

_own = tasks.c.user_id == bindparam("owner")
_one = and_(_own, tasks.c.id == bindparam("task_id"))
_as_seen = tasks.c.version == bindparam("seen")
_mutable = [column for column in tasks.c if column.name not in {"id", "user_id", "created_at"}]

_INSERT = insert(tasks)
_SELECT = select(tasks).where(_one)
_UPDATE = (
    update(tasks)
    .where(_one, _as_seen)
    .values({column: bindparam(f"new_{column.name}", type_=column.type) for column in _mutable})
)
_DELETE = delete(tasks).where(_one)


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
            with transaction(self._engine) as connection:
                yield self._service(owner, lambda: nullcontext(connection))
        else:
            yield self._service(owner, self._engine.connect)

    def _service(self, owner: str, connect: _Connect) -> TaskService:
        return _OwnTasks(owner, connect, self._clock, self._new_id)


class _OwnTasks:
    """One owner's tasks, each method on a connection of `connect`."""

    def __init__(self, owner: str, connect: _Connect, clock: Clock, new_id: NewId) -> None:
        self._owner = owner
        self._connect = connect
        self._clock = clock
        self._new_id = new_id

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        task = Task.create(
            self._owner,
            self._clock(),
            self._new_id,
            title=title,
            description=description,
            completed=completed,
        )
        with translated(if_cut="unknown"), self._connect() as connection:
            connection.execute(_INSERT, vars(task))
        return task

    def get(self, task_id: UUID) -> Task:
        with translated(), self._connect() as connection:
            return self._find(connection, task_id)

    def list(self, query: TaskQuery) -> Page:
        with translated(), self._connect() as connection:
            rows = connection.execute(_select(query), {"owner": self._owner})
            return Page.of([_task(row) for row in rows.mappings()], query)

    def change(self, task_id: UUID, step: Step) -> Task:
        with translated(if_cut="unknown"), self._connect() as connection:
            while True:
                before = self._find(connection, task_id)
                after = step(before, self._clock())
                if after == before or self._replace(connection, before, after):
                    return after

    def remove(self, task_id: UUID) -> None:
        with translated(if_cut="unknown"), self._connect() as connection:
            if not connection.execute(_DELETE, self._key(task_id)).rowcount:
                raise TaskNotFound(task_id)

    def _find(self, connection: Connection, task_id: UUID) -> Task:
        row = connection.execute(_SELECT, self._key(task_id)).mappings().one_or_none()
        if row is None:
            raise TaskNotFound(task_id)
        return _task(row)

    def _replace(self, connection: Connection, before: Task, after: Task) -> bool:
        """Write `after` where the task still is as `before`; tell whether it was."""
        values = {f"new_{column.name}": getattr(after, column.name) for column in _mutable}
        key = {**self._key(before.id), "seen": before.version}
        return connection.execute(_UPDATE, {**key, **values}).rowcount == 1

    def _key(self, task_id: UUID) -> dict[str, Any]:
        return {"owner": self._owner, "task_id": task_id}


def _select(query: TaskQuery) -> Select[Any]:
    """Return the statement for `query`; it asks for one task more, to know whether more follow."""
    statement = select(tasks).where(_own)
    if query.completed is not None:
        statement = statement.where(tasks.c.completed == query.completed)
    if query.after is not None:
        statement = statement.where(tasks.c.id < query.after)
    return statement.order_by(tasks.c.id.desc()).limit(query.limit + 1)


def _task(row: RowMapping) -> Task:
    return Task(**row)
