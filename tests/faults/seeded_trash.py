"""Bugs of the trash and of undo; see `seeded`."""

from contextlib import suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import UUID

from sqlalchemy import false, insert

from taskservice.adapters.sql.connection.compiled_statements import Statement
from taskservice.adapters.sql.storage import log
from taskservice.adapters.sql.storage.log import LoggedWrite, logged_delete
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.repository import SqlTasks, SqlTrash
from taskservice.core import trash
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, Query
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.workspace import OpenOwnWorkspace

PAGE = 10
RESTORED, LIST, TRASH = TrashedTask.restored, SqlTasks.list, SqlTasks.trash


class _RollBack(Exception):
    """What ends a transaction without a COMMIT."""


def keeps_version(trashed: TrashedTask, *args: Any) -> Task:
    """Restore a task with the version that it had."""
    return replace(RESTORED(trashed, *args), version=trashed.version)


def rolled_back(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    precondition: Precondition[TrashedTask] | None = None,
) -> Task:
    """Restore a task, and roll that back unless another transaction was open already."""
    with suppress(_RollBack), open_workspace(atomic=True) as workspace:
        workspace.lock()
        trashed = workspace.trash.get(task_id)
        if precondition is not None:
            precondition(trashed)
        restored = trash.restore(workspace, trashed)
        raise _RollBack
    return restored


def unscrubbed() -> LoggedWrite:
    """Return the purge of a task, which leaves in the log what it was."""
    with patch.object(log, "_scrub", log._scrub.where(false())):
        return logged_delete(mapping_of(TrashedTask).deleted, "task.purged")


def list_with_trash(tasks: SqlTasks, query: Query[Task]) -> Page[Task]:
    """Return a page of tasks; the last one of all tasks has the trash too."""
    page: Page[Task] = LIST(tasks, query)
    if query.limit != PAGE or page.next is not None or query.sort != TaskQuery().sort:
        return page
    trashed = SqlTrash(TrashedTask, tasks._context).list(TrashQuery()).items
    return replace(page, items=[*page.items, *(one.task for one in trashed)])


def kept_in_tasks(
    tasks: SqlTasks, task_id: UUID, precondition: Precondition[Task] | None = None
) -> None:
    """Move a task to the trash, and store it again among the tasks."""
    task = tasks.get(task_id)
    TRASH(tasks, task_id, precondition)
    context, mapping = tasks._context, mapping_of(Task)
    again = Statement(insert(mapping.table).values(mapping.new_row))
    context.run(
        lambda session: again.count(session, **mapping.insert_parameters(task)),
        context.open_session,
    )
