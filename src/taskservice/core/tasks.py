"""Task operations: creates, changes, moves and removes a task, and what goes along with it.

What needs a look at other tasks starts again with the workspace locked. Any other write is
the one of the repository.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from taskservice.core.entity import Edit, Step
from taskservice.core.errors import EntityInUse
from taskservice.core.moves import Move, move
from taskservice.core.preconditions import Precondition, with_precondition
from taskservice.core.series import change_with_successor, changes_series, reconcile
from taskservice.core.subtasks import (
    check_references,
    is_relocated,
    list_of_parent,
    promote_subtasks,
    relocation,
    siblings_of,
    trash_tree,
)
from taskservice.core.task import NewTask, Task
from taskservice.core.workspace import OpenOwnWorkspace, Workspace, get_checked


class Completion(NamedTuple):
    """Whether to complete or to reopen a task, and the time zone of the caller."""

    completed: bool
    time_zone: str | None = None


class _NeedsLock(Exception):
    """A step changes what needs a look at other tasks."""


def create_task(open_workspace: OpenOwnWorkspace, new: NewTask) -> Task:
    """Create a task. A sub-task that names no list is in that of its parent.

    Raises `InvalidEntity`.
    """
    if new.parent_id is None:
        with open_workspace() as workspace:
            return workspace.tasks.add(new)
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        find = cache(workspace.find)
        if new.list_id is None:
            new = replace(new, **list_of_parent(find, vars(new)))
        check_references(find, vars(new))
        return workspace.tasks.add(new)


def change_task(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    edit: Edit,
    precondition: Precondition[Task] | None = None,
    time_zone: str | None = None,
) -> Task:
    """Set fields of a task. In another list or under another parent it is last.

    Its sub-tasks go along. If it recurs and is closed, its successor is made, by the clock in
    its time zone, else in `time_zone`, else in UTC; see `core.series`. Raises
    `TaskNotFound`, what the precondition raises, and then `InvalidEntity`.
    """
    try:
        with open_workspace() as workspace:
            step = _in_place(with_precondition(precondition, edit))
            return workspace.tasks.change(task_id, step)
    except _NeedsLock:
        with open_workspace(atomic=True) as workspace:
            workspace.lock()
            task = get_checked(workspace.tasks, task_id, precondition)
            return change_locked(workspace, task, edit.values, time_zone)


def change_locked(
    workspace: Workspace,
    task: Task,
    values: Mapping[str, Any],
    time_zone: str | None,
    *,
    position: str | None = None,
    is_undo: bool = False,
) -> Task:
    """Set fields of a task, and its position if one is given, in a workspace that is locked."""
    values = reconcile(workspace, task, values, is_undo=is_undo)
    step = relocation(workspace, task, values, position)
    return change_with_successor(workspace, task, step, time_zone)


def complete_task(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    completion: Completion,
    precondition: Precondition[Task] | None = None,
) -> Task:
    """Complete a task, or reopen it; see `change_task`."""
    edit = Edit({"completed": completion.completed})
    return change_task(open_workspace, task_id, edit, precondition, completion.time_zone)


def move_task(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    to: Move,
    precondition: Precondition[Task] | None = None,
) -> Task:
    """Move a task among its siblings; see `core.moves.move`."""
    return move(open_workspace, Task, task_id, to, precondition, siblings_of=siblings_of)


def remove_task(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    precondition: Precondition[Task] | None = None,
    *,
    with_subtasks: bool = False,
) -> None:
    """Move a task to the trash. Its sub-tasks take its place, or are trashed too.

    Raises `TaskNotFound`, what the precondition raises, and then `InvalidOption` if there
    are too many sub-tasks to delete.
    """
    if not with_subtasks:
        with suppress(EntityInUse), open_workspace() as workspace:
            return workspace.tasks.trash(task_id, precondition)
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        task = get_checked(workspace.tasks, task_id, precondition)
        return remove_locked(workspace, task, with_subtasks=with_subtasks)


def remove_locked(workspace: Workspace, task: Task, *, with_subtasks: bool = False) -> None:
    """Move a task to the trash in a workspace that is locked; see `remove_task`."""
    if with_subtasks:
        return trash_tree(workspace, task)
    promote_subtasks(workspace, task)
    return workspace.tasks.trash(task.id)


def _in_place(step: Step[Task]) -> Step[Task]:
    def in_place(task: Task, now: datetime) -> Task:
        after = step(task, now)
        if is_relocated(task, after) or changes_series(task, after):
            raise _NeedsLock
        return after

    return in_place
