"""One owner's rows, statement by statement. Each names the owner first."""

from collections.abc import Sequence
from random import uniform
from time import sleep
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.errors import is_serialization_failure, is_unique_violation
from taskservice.adapters.sql.connection.statements import OWNER, Session, Statement
from taskservice.adapters.sql.storage import queries
from taskservice.adapters.sql.tables import fields, tasks
from taskservice.core.errors import TaskNotFound, Unavailable
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Task

MAX_PAUSE = 0.05
NOTHING_WRITTEN = "the database wrote no row: look for triggers and rules on its tables"

_mutable = [column for column in tasks.c if column.name not in {"id", "user_id", "created_at"}]


_one = and_(tasks.c.user_id == OWNER, tasks.c.id == bindparam("task_id"))
_seen = tasks.c.version == bindparam("seen")
_given = [
    OWNER if column is tasks.c.user_id else bindparam(column.name, type_=column.type)
    for column in tasks.c
]

_INSERT = Statement(select(*_given), insert_into=tasks)
_SELECT = Statement(select(*fields).where(_one))
_UPDATE = Statement(
    update(tasks)
    .where(_one, _seen)
    .values({column: bindparam(f"new_{column.name}") for column in _mutable})
)
_DELETE = Statement(delete(tasks).where(_one, _seen))


class OwnerRows(NamedTuple):
    """The rows of one owner, in a session of that owner.

    A statement that PostgreSQL undoes for the sake of another is tried again
    up to `retries` times; inside a transaction there is nothing to try again.
    """

    session: Session
    retries: int

    def insert(self, task: Task) -> None:
        """Insert the row of `task`."""
        values = {**vars(task), "search_text": task.search_text}
        del values["user_id"]
        if not self._write(_INSERT, values):
            raise Unavailable(NOTHING_WRITTEN)

    def insert_unless_there(self, task: Task) -> None:
        """Insert the row of `task`, which an earlier try may have done, or be about to do.

        A database that takes no write by now may still show that it was done.
        """
        try:
            self.insert(task)
        except DBAPIError as error:
            if is_unique_violation(error):
                return
            if error.connection_invalidated or not self._is_there(task):
                raise

    def find(self, task_id: UUID) -> Task:
        """Return the task, or raise `TaskNotFound`."""
        for row in _SELECT.rows(self.session, task_id=task_id):
            return _task(row)
        raise TaskNotFound(task_id)

    def page(self, query: TaskQuery) -> Page:
        """Return the tasks that `query` admits, and their total where it asks for it."""
        statement, values = queries.page(query)
        found = [_task(row) for row in statement.rows(self.session, **values)]
        return Page.of(found, query, self._total(query) if query.counted else None)

    def replace(self, before: Task, after: Task) -> bool:
        """Write `after` where the task still is as `before`; tell whether it was."""
        values = {f"new_{column.name}": getattr(after, column.name) for column in _mutable}
        return self._write(_UPDATE, {**_as_seen(before), **values})

    def delete(self, seen: Task) -> bool:
        """Delete the row where the task still is as `seen`; tell whether it was."""
        return self._write(_DELETE, _as_seen(seen))

    def _is_there(self, task: Task) -> bool:
        return any(True for _ in _SELECT.rows(self.session, task_id=task.id))

    def _total(self, query: TaskQuery) -> int:
        statement, values = queries.total(query)
        ((total,),) = statement.rows(self.session, **values)
        return int(total)

    def _write(self, statement: Statement, values: dict[str, Any]) -> bool:
        """Execute `statement` and tell whether it wrote a row."""
        for _ in range(self.retries):
            try:
                return statement.count(self.session, **values) == 1
            except DBAPIError as error:
                if not is_serialization_failure(error):
                    raise
                sleep(uniform(0, MAX_PAUSE))  # noqa: S311
        return statement.count(self.session, **values) == 1


def _as_seen(task: Task) -> dict[str, Any]:
    return {"task_id": task.id, "seen": task.version}


def _task(row: Sequence[Any]) -> Task:
    """Return the task of a row of `fields`.

    What is frozen would be set field by field, or by a loop over their names: both take longer.
    """
    task = object.__new__(Task)
    found = vars(task)
    (
        found["id"],
        found["user_id"],
        found["title"],
        found["description"],
        found["completed"],
        found["completed_at"],
        found["created_at"],
        found["updated_at"],
        found["version"],
    ) = row
    return task
