"""Lists of tasks: creates, moves and removes a list, which may have tasks."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from taskservice.core.errors import (
    EntityInUse,
    FieldError,
    InvalidEntity,
    InvalidOption,
    ListNotEmpty,
)
from taskservice.core.moves import Move, Siblings, at, move
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Sort
from taskservice.core.subtasks import TOO_MANY, TREE_LIMIT, trash_all
from taskservice.core.task import Task
from taskservice.core.task_list import NewTaskList, TaskList, TaskListQuery
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import OpenOwnWorkspace, Workspace, get_checked

LISTS_LIMIT = 500
"""The most lists that a user may create."""

_BY_POSITION = Sort(field="position", descending=False)

ALL_LISTS = TaskListQuery(sort=_BY_POSITION, limit=LISTS_LIMIT)
"""All lists in their order."""


def create_list(open_workspace: OpenOwnWorkspace, new: NewTaskList) -> TaskList:
    """Create a list behind all others. Raises `InvalidEntity`."""
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        total = workspace.lists.list(TaskListQuery(limit=1, with_total=True)).total or 0
        if total >= LISTS_LIMIT:
            detail = f"a user has up to {LISTS_LIMIT} lists"
            raise InvalidEntity([FieldError("name", detail)])
        return workspace.lists.add(new)


def move_list(
    open_workspace: OpenOwnWorkspace,
    list_id: UUID,
    to: Move,
    precondition: Precondition[TaskList] | None = None,
) -> TaskList:
    """Move a list among all lists; see `core.moves.move`."""
    return move(open_workspace, TaskList, list_id, to, precondition, siblings_of=_all)


def remove_list(
    open_workspace: OpenOwnWorkspace,
    list_id: UUID,
    precondition: Precondition[TaskList] | None = None,
    tasks: str | None = None,
) -> None:
    """Delete a list. Its tasks move to the `inbox`, behind those in it, or `delete` trashes them.

    Raises `ListNotFound`, what the precondition raises, then `ListNotEmpty` if it has
    tasks and `tasks` is None, or `InvalidOption` if it has too many.
    """
    if tasks is None:
        try:
            with open_workspace() as workspace:
                return workspace.lists.remove(list_id, precondition)
        except EntityInUse:
            raise ListNotEmpty from None
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        get_checked(workspace.lists, list_id, precondition)
        clear = trash_all if tasks == "delete" else _move_to_inbox
        clear(workspace, _tasks_in(workspace, list_id))
        return workspace.lists.remove(list_id, precondition)


def _all(_: TaskList) -> TaskListQuery:
    return TaskListQuery()


def _tasks_in(workspace: Workspace, list_id: UUID) -> Sequence[Task]:
    """Return the tasks in a list, in their order. Raises `InvalidOption`."""
    query = TaskQuery(list_id=(list_id,), sort=_BY_POSITION, limit=TREE_LIMIT)
    page = workspace.tasks.list(query)
    if page.next is not None:
        raise InvalidOption([FieldError("tasks", TOO_MANY)])
    return page.items


def _move_to_inbox(workspace: Workspace, tasks: Sequence[Task]) -> None:
    """Move tasks behind those in the inbox, in their order; sub-tasks stay under their parents."""
    positions = {task.id: task.position for task in tasks}
    if moved := [task for task in tasks if task.parent_id is None]:
        inbox = Siblings(workspace.tasks, TaskQuery(list_id=(None,), parent_id=(None,)))
        positions |= inbox.positions_at_end(moved)
    workspace.tasks.change_all(tasks, partial(at, positions, list_id=None))
