"""Table data gateway: statements on the task rows of one owner, each filtered by the owner."""

from collections.abc import Sequence
from random import uniform
from time import sleep
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Session, Statement
from taskservice.adapters.sql.connection.errors import is_serialization_failure, is_unique_violation
from taskservice.adapters.sql.storage import queries
from taskservice.adapters.sql.tables import task_columns, tasks
from taskservice.core.errors import TaskNotFound, Unavailable
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Task

MAX_PAUSE = 0.05
NO_ROW_WRITTEN = "the database wrote no row: check its tables for triggers and rules"

_mutable = [column for column in tasks.c if column.name not in {"id", "user_id", "created_at"}]

_own_task = and_(tasks.c.user_id == OWNER, tasks.c.id == bindparam("task_id"))
_same_version = tasks.c.version == bindparam("expected_version")
_new_values = [
    OWNER if column is tasks.c.user_id else bindparam(column.name, type_=column.type)
    for column in tasks.c
]

_INSERT = Statement(select(*_new_values), insert_into=tasks)
_SELECT = Statement(select(*task_columns).where(_own_task))
_UPDATE = Statement(
    update(tasks)
    .where(_own_task, _same_version)
    .values({column: bindparam(f"new_{column.name}") for column in _mutable})
)
_DELETE = Statement(delete(tasks).where(_own_task, _same_version))


class TaskRows(NamedTuple):
    """The task rows of one owner, in a session of that owner.

    A write is retried up to `max_retries` times after a serialization failure or a
    deadlock. Inside a transaction it must be 0, as the whole transaction fails.
    """

    session: Session
    max_retries: int

    def insert(self, task: Task) -> None:
        """Insert the row of `task`."""
        values = {**vars(task), "search_text": task.search_text}
        del values["user_id"]
        if not self._write(_INSERT, values):
            raise Unavailable(NO_ROW_WRITTEN)

    def insert_if_absent(self, task: Task) -> None:
        """Insert the row of `task`, unless an earlier attempt has inserted it.

        If the database has become read-only, look for the row.
        """
        try:
            self.insert(task)
        except DBAPIError as error:
            if is_unique_violation(error):
                return
            if error.connection_invalidated or not self._exists(task):
                raise

    def find(self, task_id: UUID) -> Task:
        """Return the task, or raise `TaskNotFound`."""
        for row in _SELECT.rows(self.session, task_id=task_id):
            return _task_from_row(row)
        raise TaskNotFound(task_id)

    def page(self, query: TaskQuery) -> Page:
        """Return a page of the tasks that `query` admits, with its total if `with_total`."""
        statement, values = queries.page(query)
        found = [_task_from_row(row) for row in statement.rows(self.session, **values)]
        return Page.of(found, query, self._total(query) if query.with_total else None)

    def replace(self, before: Task, after: Task) -> bool:
        """Replace `before` with `after` if its version is current; return whether it was."""
        values = {f"new_{column.name}": getattr(after, column.name) for column in _mutable}
        return self._write(_UPDATE, {**_version_parameters(before), **values})

    def delete(self, task: Task) -> bool:
        """Delete the row if the version of `task` is current; return whether it was."""
        return self._write(_DELETE, _version_parameters(task))

    def _exists(self, task: Task) -> bool:
        return any(True for _ in _SELECT.rows(self.session, task_id=task.id))

    def _total(self, query: TaskQuery) -> int:
        statement, values = queries.total(query)
        ((total,),) = statement.rows(self.session, **values)
        return int(total)

    def _write(self, statement: Statement, values: dict[str, Any]) -> bool:
        """Execute `statement` and return whether it wrote a row."""
        for _ in range(self.max_retries):
            try:
                return statement.count(self.session, **values) == 1
            except DBAPIError as error:
                if not is_serialization_failure(error):
                    raise
                sleep(uniform(0, MAX_PAUSE))  # noqa: S311
        return statement.count(self.session, **values) == 1


def _version_parameters(task: Task) -> dict[str, Any]:
    return {"task_id": task.id, "expected_version": task.version}


def _task_from_row(row: Sequence[Any]) -> Task:
    """Return the task of a row of `task_columns`.

    The constructor of a frozen dataclass, or a loop over the fields, takes longer.
    """
    task = object.__new__(Task)
    fields = vars(task)
    (
        fields["id"],
        fields["user_id"],
        fields["title"],
        fields["description"],
        fields["completed"],
        fields["completed_at"],
        fields["created_at"],
        fields["updated_at"],
        fields["version"],
    ) = row
    return task
