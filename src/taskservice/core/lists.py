"""Lists of tasks: creates, moves and removes a list, which may have tasks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import NamedTuple
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
from taskservice.core.query import PAGE_LIMIT, Sort
from taskservice.core.subtasks import TOO_MANY_WITHOUT_LIMIT, TREE_LIMIT, roots_of, trash_all
from taskservice.core.task import Task
from taskservice.core.task_list import NewTaskList, TaskList, TaskListQuery
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import (
    OpenOwnWorkspace,
    TaskService,
    Workspace,
    all_pages,
    get_checked,
)

LISTS_LIMIT = 500
"""The most lists that a user may create."""

_BY_POSITION = Sort(field="position", descending=False)

_TREES_TOO_LARGE = "is less than each task here has with its sub-tasks, which move together"

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


class Removed(NamedTuple):
    """How many tasks of a list are `done`. If there are `more`, the list is still there."""

    done: int
    more: bool


def remove_list(
    open_workspace: OpenOwnWorkspace,
    list_id: UUID,
    precondition: Precondition[TaskList] | None = None,
    tasks: str | None = None,
    limit: int | None = None,
) -> Removed:
    """Delete a list. Its tasks move to the `inbox`, behind those in it, or `delete` trashes them.

    At most `limit` of them are moved; without one, more than `TREE_LIMIT` are an error.
    Raises `ListNotFound`, what the precondition raises, then `ListNotEmpty` if it has
    tasks and `tasks` is None, or `InvalidOption` if it has too many.
    """
    if tasks is None:
        try:
            with open_workspace() as workspace:
                workspace.lists.remove(list_id, precondition)
                return Removed(0, more=False)
        except EntityInUse:
            raise ListNotEmpty from None
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        get_checked(workspace.lists, list_id, precondition)
        is_deletion = tasks == "delete"
        found, more = _tasks_in(workspace, list_id, limit, in_parts=is_deletion)
        clear = trash_all if is_deletion else _move_to_inbox
        clear(workspace, found)
        if not more:
            workspace.lists.remove(list_id, precondition)
        return Removed(len(found), more)


def _all(_: TaskList) -> TaskListQuery:
    return TaskListQuery()


def _tasks_in(
    workspace: Workspace, list_id: UUID, limit: int | None, *, in_parts: bool
) -> tuple[Sequence[Task], bool]:
    """Return tasks in a list, in their order, and whether there are more.

    Those of a tree are together, unless it may be taken `in_parts`. Raises `InvalidOption`.
    """
    query = TaskQuery(list_id=(list_id,), sort=_BY_POSITION, limit=limit or TREE_LIMIT)
    page = workspace.tasks.list(query)
    if page.next is None:
        return page.items, False
    if limit is None:
        raise InvalidOption([FieldError("tasks", TOO_MANY_WITHOUT_LIMIT)])
    roots = replace(query, parent_id=(None,), limit=PAGE_LIMIT)
    if trees := [*_first_trees(workspace.tasks, roots, limit)]:
        return trees, True
    if in_parts:
        (root,) = workspace.tasks.list(replace(roots, limit=1)).items
        return workspace.tasks.descendants([root.id])[-limit:], True
    raise InvalidOption([FieldError("limit", _TREES_TOO_LARGE)])


def _first_trees(tasks: TaskService, roots: TaskQuery, limit: int) -> Iterator[Task]:
    """Yield tasks with all below them, up to a limit. Trees that are larger are passed over."""
    found, left = all_pages(tasks, roots), limit
    for some in iter(lambda: [*islice(found, PAGE_LIMIT)], []):
        for tree in _trees(tasks, some, limit):
            if len(tree) <= left:
                left -= len(tree)
                yield from tree
            elif left < limit:
                return


def _trees(tasks: TaskService, roots: Sequence[Task], limit: int) -> Iterator[Sequence[Task]]:
    """Yield each task with those below it, of which a larger tree has only the first ones."""
    below = tasks.descendants([one.id for one in roots], limit)
    if len(below) == limit and len(roots) > 1:
        half = len(roots) // 2
        yield from _trees(tasks, roots[:half], limit)
        yield from _trees(tasks, roots[half:], limit)
        return
    trees, root_of = {one.id: [one] for one in roots}, roots_of([*roots, *below])
    for one in below:
        trees[root_of[one.id]].append(one)
    yield from trees.values()


def _move_to_inbox(workspace: Workspace, tasks: Sequence[Task]) -> None:
    """Move tasks behind those in the inbox, in their order; sub-tasks stay under their parents."""
    positions = {task.id: task.position for task in tasks}
    if moved := [task for task in tasks if task.parent_id is None]:
        inbox = Siblings(workspace.tasks, TaskQuery(list_id=(None,), parent_id=(None,)))
        positions |= inbox.positions_at_end(moved)
    workspace.tasks.change_all(tasks, partial(at, positions, list_id=None))
