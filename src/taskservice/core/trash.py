"""Trash: deleted tasks are kept whole, until they are restored or purged."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, partial
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

from taskservice.core.entity import Entity, Find
from taskservice.core.moves import Siblings
from taskservice.core.preconditions import Precondition
from taskservice.core.query import PAGE_LIMIT, Sort
from taskservice.core.series import another_recurs
from taskservice.core.subtasks import is_relocated, siblings_of
from taskservice.core.task import Task
from taskservice.core.task_list import TaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.workspace import OpenOwnWorkspace, Workspace, all_pages, get_checked

DEFAULT_TRASH_DAYS = 30
"""How many days tasks stay in the trash by default."""

PURGE_LIMIT = 1000
"""The most tasks that are purged at once."""

_OLDEST_FIRST = Sort(field="trashed_at", descending=False)


class Purged(NamedTuple):
    """The number of tasks that were purged, and whether there are more."""

    purged: int
    more: bool


def restore_task(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    precondition: Precondition[TrashedTask] | None = None,
) -> Task:
    """Put a task of the trash back, with the sub-tasks that were deleted with it.

    Raises `TaskNotFound`, and what the precondition raises.
    """
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        return restore(workspace, get_checked(workspace.trash, task_id, precondition))


def restore(workspace: Workspace, trashed: TrashedTask) -> Task:
    """Put a task back in a workspace that is locked; see `restore_task`.

    It is where it was, if that is still there and the rules allow it. Otherwise it is under no
    parent, and behind all others of its list, or of the inbox. It recurs no longer if another
    open task of its series does.
    """
    stored = {one.id: one for one in (trashed, *_deleted_with(workspace, trashed))}
    placed = _place(workspace, [one.task for one in stored.values()])
    restored = [stored[task_id] for task_id in placed]
    workspace.trash.restore_all(restored, lambda one, now: one.restored(placed[one.id], now))
    return workspace.tasks.get(trashed.id)


def purge_task(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    precondition: Precondition[TrashedTask] | None = None,
) -> None:
    """Delete a task of the trash for good. Raises as `restore_task` does."""
    with open_workspace() as workspace:
        workspace.trash.remove(task_id, precondition)


def purge_all(open_workspace: OpenOwnWorkspace, before: datetime | None = None) -> Purged:
    """Delete the tasks of the trash for good, the oldest first, up to `PURGE_LIMIT`.

    If a time is given, only those that were deleted before it.
    """
    query = TrashQuery(trashed_before=before, sort=_OLDEST_FIRST, limit=PURGE_LIMIT)
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        page = workspace.trash.list(query)
        workspace.trash.remove_all(page.items)
        return Purged(len(page.items), page.next is not None)


def _deleted_with(workspace: Workspace, root: TrashedTask) -> Iterator[TrashedTask]:
    """Yield the other tasks of the trash that were deleted with a task as its sub-tasks."""
    if root.trashed_with == root.id:
        found = all_pages(workspace.trash, TrashQuery(trashed_with=root.id, limit=PAGE_LIMIT))
        yield from (one for one in found if one.id != root.id)


def _place(workspace: Workspace, tasks: Sequence[Task]) -> dict[UUID, Task]:
    """Return tasks as they come back, by id, each behind its parent."""
    placed: dict[UUID, Task] = {}
    moved: dict[TaskQuery, list[Task]] = {}
    find = partial(_find, placed, cache(workspace.find))
    for task, height in _top_down(tasks):
        after = replace(task, **_references(find, task, height))
        placed[task.id] = after = _recurring_once(workspace, after)
        if is_relocated(task, after) and after.parent_id not in placed:
            moved.setdefault(siblings_of(after), []).append(after)
    for query, others in moved.items():
        behind = Siblings(workspace.tasks, query).positions_at_end(sorted(others, key=_by_position))
        placed |= {one: replace(placed[one], position=key) for one, key in behind.items()}
    return placed


def _top_down(tasks: Sequence[Task]) -> Iterator[tuple[Task, int]]:
    """Yield tasks, each behind its parent, with the levels of its tree if it has none there.

    Otherwise the number is 1. Tasks in a circle, which an import can bring, come last.
    """
    children: dict[UUID | None, list[Task]] = {}
    for task in tasks:
        children.setdefault(task.parent_id, []).append(task)
    ids, seen = {task.id for task in tasks}, set()
    for root in (task for task in tasks if task.parent_id not in ids):
        levels = [*_levels(children, [root])]
        tree = [*chain.from_iterable(levels)]
        seen |= {task.id for task in tree}
        yield root, len(levels)
        yield from ((task, 1) for task in tree[1:])
    yield from ((task, 1) for task in tasks if task.id not in seen)


def _levels(children: Mapping[UUID | None, list[Task]], level: list[Task]) -> Iterator[list[Task]]:
    """Yield tasks, then their children, and so on."""
    while level:
        yield level
        level = [child for task in level for child in children.get(task.id, [])]


def _find(
    placed: Mapping[UUID, Task], stored: Find, type_name: str, entity_id: UUID
) -> Entity | None:
    return placed.get(entity_id) or stored(type_name, entity_id)


def _references(find: Find, task: Task, height: int) -> dict[str, Any]:
    """Return the list and the parent that a task with so many levels can have again."""
    parent: Any = find(Task.type_name, task.parent_id) if task.parent_id else None
    if parent is not None:
        values = {"list_id": parent.list_id, "parent_id": parent.id}
        if not [*Task.placement_errors({**vars(task), **values}, find, height)]:
            return values
    has_list = task.list_id and find(TaskList.type_name, task.list_id)
    return {"list_id": task.list_id if has_list else None, "parent_id": None}


def _recurring_once(workspace: Workspace, task: Task) -> Task:
    """Return a task, without its recurrence if it is open and another one of its series recurs."""
    is_second = task.recurrence and not task.completed and another_recurs(workspace, task)
    return replace(task, **task.edited({"recurrence": None})) if is_second else task


def _by_position(task: Task) -> tuple[str, UUID]:
    return task.position, task.id
