"""Series: closing a task that recurs makes its successor, and reopening it takes that back.

A closed task stays as it is, and is the history. In a series at most one open task recurs.
All of it is in one transaction, with the workspace locked.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from taskservice.core.entity import Step
from taskservice.core.errors import FieldError, InvalidEntity, StaleEntity, TaskNotFound
from taskservice.core.ids import NewId
from taskservice.core.moves import Siblings
from taskservice.core.subtasks import siblings_of
from taskservice.core.successors import successor
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import Workspace, all_pages


def changes_series(before: Task, after: Task) -> bool:
    """Return whether a task begins or ceases to recur, or one that recurs is closed or reopened."""
    if after.recurrence is None or before.recurrence is None:
        return after.recurrence != before.recurrence
    return after.completed != before.completed


def reconcile(
    workspace: Workspace, task: Task, values: Mapping[str, Any], *, is_undo: bool = False
) -> Mapping[str, Any]:
    """Return what to set in a task if `values` are to be set, after a look at its series.

    If a task is reopened, its successor is removed. If that was changed, or another open task
    of the series recurs, the recurrence stays there. An undo may close a task with the
    recurrence that it had before, and makes no second successor. Raises `InvalidEntity`.
    """
    after = task.edit(task.updated_at, **values)
    if after.recurrence is None or not changes_series(task, after):
        return values
    if task.recurrence is None:
        _check_is_alone(workspace, after)
    elif after.completed:
        return values
    is_new = after.recurrence != task.recurrence
    is_last = after.completed or _remove_successor(workspace, task)
    if not another_recurs(workspace, task):
        if is_last or is_new:
            return values
    elif is_undo and after.completed > task.completed:
        return values
    elif is_new:
        detail = "another open task of the series recurs"
        raise InvalidEntity([FieldError("recurrence", detail)])
    return {**values, "recurrence": None, "occurrence": None}


def change_with_successor(
    workspace: Workspace, task: Task, step: Step[Task], time_zone: str | None = None
) -> Task:
    """Change a task by a step. If that closes one that recurs, its successor is right behind it.

    Of several open tasks of a series that recur, which an import can bring, only the last one
    has a successor. `time_zone` is that of the caller, for a task without one. Raises as
    `Repository.change` does.
    """
    if not task.completed and another_recurs(workspace, task):
        return workspace.tasks.change(task.id, step)
    closing = _Closing(step, workspace.new_id, time_zone)
    changed = workspace.tasks.change(task.id, closing)
    if closing.successor is None:
        return changed
    position = Siblings(workspace.tasks, siblings_of(changed)).key_behind(changed)
    workspace.tasks.insert(replace(closing.successor, position=position))
    return workspace.tasks.get(task.id)


class _Closing:
    """A step, and the successor that it makes if it closes a task that recurs."""

    def __init__(self, step: Step[Task], new_id: NewId, time_zone: str | None) -> None:
        self._step = step
        self._new_id = new_id
        self._time_zone = time_zone
        self.successor: Task | None = None

    def __call__(self, task: Task, now: datetime) -> Task:
        after = self._step(task, now)
        is_closed = after.completed and not task.completed
        self.successor = successor(after, self._new_id, self._time_zone) if is_closed else None
        return replace(after, next_id=self.successor.id) if self.successor else after


def _remove_successor(workspace: Workspace, task: Task) -> bool:
    """Remove the successor of a task unless it was changed; return whether it is gone."""

    def is_unchanged(successor: Task) -> None:
        if successor.version != 1 or successor.series_id != task.series_id:
            raise StaleEntity(successor.id)

    if task.next_id is not None:
        try:
            workspace.tasks.remove(task.next_id, is_unchanged)
        except StaleEntity:
            return False
        except TaskNotFound:
            pass
    return True


def another_recurs(workspace: Workspace, task: Task) -> bool:
    """Return whether another open task of the series recurs."""
    if task.series_id is None:
        return False
    query = TaskQuery(series_id=task.series_id, completed=False)
    others = (one for one in all_pages(workspace.tasks, query) if one.id != task.id)
    return any(one.recurrence for one in others)


def _check_is_alone(workspace: Workspace, task: Task) -> None:
    """Raise `InvalidEntity` if a task that is to recur is in a tree."""
    if task.parent_id is not None:
        raise InvalidEntity([FieldError("recurrence", "a sub-task does not recur")])
    if workspace.tasks.descendants([task.id], 1):
        raise InvalidEntity([FieldError("recurrence", "a task with sub-tasks does not recur")])
