"""One owner's rows on one connection, statement by statement. Each names the owner first."""

from random import uniform
from time import sleep
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Connection,
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

from taskservice.adapters.sql.failures import is_conflict, is_duplicate
from taskservice.adapters.sql.lists import count_statement, own, page_statement
from taskservice.adapters.sql.tables import fields, tasks
from taskservice.core.errors import TaskNotFound
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Task

LONGEST_PAUSE = 0.05

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
_DELETE = delete(tasks).where(_one, _as_seen)


class OwnRows(NamedTuple):
    """The rows of `owner`, through `connection`.

    A statement that PostgreSQL undoes for the sake of another is tried again
    up to `retries` times; inside a transaction there is nothing to try again.
    """

    connection: Connection
    owner: str
    retries: int

    def insert(self, task: Task) -> None:
        """Insert the row of `task`."""
        self._write(_INSERT, {**vars(task), "folded": task.folded})

    def insert_unless_there(self, task: Task) -> None:
        """Insert the row of `task`, which an earlier try may have done, or be about to do."""
        try:
            self.insert(task)
        except DBAPIError as error:
            if not is_duplicate(error):
                raise

    def find(self, task_id: UUID) -> Task:
        """Return the task, or raise `TaskNotFound`."""
        row = self.connection.execute(_SELECT, self._key(task_id)).mappings().one_or_none()
        if row is None:
            raise TaskNotFound(task_id)
        return _task(row)

    def page(self, query: TaskQuery) -> Page:
        """Return the tasks that `query` admits, and their total where it asks for it."""
        rows = self.connection.execute(page_statement(query), self._named).mappings()
        return Page.of([_task(row) for row in rows], query, self._total(query))

    def replace(self, before: Task, after: Task) -> bool:
        """Write `after` where the task still is as `before`; tell whether it was."""
        values = {f"new_{column.name}": getattr(after, column.name) for column in _mutable}
        return self._write(_UPDATE, {**self._as_seen(before), **values})

    def delete(self, seen: Task) -> bool:
        """Delete the row where the task still is as `seen`; tell whether it was."""
        return self._write(_DELETE, self._as_seen(seen))

    def _total(self, query: TaskQuery) -> int | None:
        if not query.counted:
            return None
        return int(self.connection.execute(count_statement(query), self._named).scalar_one())

    def _write(self, statement: Executable, values: dict[str, Any]) -> bool:
        """Execute `statement` and tell whether it wrote a row."""
        for _ in range(self.retries):
            try:
                return self.connection.execute(statement, values).rowcount == 1
            except DBAPIError as error:
                if not is_conflict(error):
                    raise
                sleep(uniform(0, LONGEST_PAUSE))  # noqa: S311
        return self.connection.execute(statement, values).rowcount == 1

    @property
    def _named(self) -> dict[str, Any]:
        return {"owner": self.owner}

    def _key(self, task_id: UUID) -> dict[str, Any]:
        return {**self._named, "task_id": task_id}

    def _as_seen(self, task: Task) -> dict[str, Any]:
        return {**self._key(task.id), "seen": task.version}


def _task(row: RowMapping) -> Task:
    return Task(**row)
