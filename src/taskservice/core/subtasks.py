"""Sub-tasks: the rules of trees of tasks, and what a change of one task takes along."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any, TypeVar
from uuid import UUID

from taskservice.core.entity import Edit, Find, Step, refuse
from taskservice.core.errors import FieldError, InvalidEntity, InvalidOption
from taskservice.core.moves import Gap, Siblings, at, at_end
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import Workspace

_T = TypeVar("_T", bound=Task)

TREE_LIMIT = 1000
"""The most tasks that one operation moves to another list, or deletes."""

TOO_MANY = f"would change more than {TREE_LIMIT:,} tasks at once"
"""The message of the error for more tasks."""

TOO_MANY_WITHOUT_LIMIT = f"{TOO_MANY}: set `limit`, and ask again while there are more"
"""The message of the error for more tasks, if they can be changed in steps."""


def siblings_of(task: Task) -> TaskQuery:
    """Return the query of the tasks beside a task: with its parent, else in its list."""
    if task.parent_id is not None:
        return TaskQuery(parent_id=(task.parent_id,))
    return TaskQuery(list_id=(task.list_id,), parent_id=(None,))


def deepest_first(tasks: Sequence[_T]) -> Sequence[_T]:
    """Return tasks in an order in which each is behind its sub-tasks."""
    parents: dict[UUID | None, UUID | None] = {task.id: task.parent_id for task in tasks}
    return sorted(tasks, key=lambda task: _depth(parents, task.id), reverse=True)


def roots_of(tasks: Sequence[Task]) -> Mapping[UUID, UUID]:
    """Return the root among `tasks` of each that is in a tree of several, by id."""
    ids = {task.id for task in tasks}
    parents = {task.id: task.parent_id for task in tasks if task.parent_id in ids}
    roots = {one: _root(parents, one) for one in ids}
    above = {root for one, root in roots.items() if one != root}
    return {one: root for one, root in roots.items() if root in above}


def _root(parents: Mapping[UUID, Any], task_id: UUID) -> UUID:
    return _root(parents, parents[task_id]) if task_id in parents else task_id


def _depth(parents: Mapping[UUID | None, UUID | None], task_id: UUID | None) -> int:
    """Return how many of the tasks in `parents` a task is below, or is."""
    return 1 + _depth(parents, parents[task_id]) if task_id in parents else 0


def _height(subtasks: Sequence[Task]) -> int:
    """Return the number of levels of the sub-tasks of one task."""
    parents: dict[UUID | None, UUID | None] = {task.id: task.parent_id for task in subtasks}
    return max((_depth(parents, task.id) for task in subtasks), default=0)


def relocation(
    workspace: Workspace, task: Task, values: Mapping[str, Any], position: str | None = None
) -> Step[Task]:
    """Return the step that sets fields of a task, its list or parent among them.

    Without a `position` it is the last one of other siblings. Its sub-tasks are in the other
    list already. Raises `InvalidEntity`.
    """
    find, named = cache(workspace.find), values
    if "list_id" not in values:
        values = {**values, **list_of_parent(find, values)}
    after = task.edit(task.updated_at, **values)
    to_position = partial(at, {task.id: position or task.position}, **values)
    if not is_relocated(task, after):
        return to_position
    to_other_list = after.list_id != task.list_id
    subtasks = _subtasks_to_relocate(workspace, task, after)
    check_references(find, vars(after), 1 + _height(subtasks))
    if to_other_list and len(subtasks) == TREE_LIMIT:
        field = "list_id" if "list_id" in named else "parent_id"
        raise InvalidEntity([FieldError(field, TOO_MANY)])
    last = Siblings(workspace.tasks, siblings_of(after)).last()
    if to_other_list:
        workspace.tasks.change_all(subtasks, Edit({"list_id": after.list_id}))
    return partial(at_end, last, **values) if position is None else to_position


def is_relocated(before: Task, after: Task) -> bool:
    """Return whether a change of a task put it in another list or under another parent."""
    return (after.list_id, after.parent_id) != (before.list_id, before.parent_id)


def _subtasks_to_relocate(workspace: Workspace, task: Task, after: Task) -> Sequence[Task]:
    """Return the sub-tasks that go along, or within a list those that make the height."""
    limit = None if after.list_id == task.list_id else TREE_LIMIT
    return workspace.tasks.descendants([task.id], limit)


def list_of_parent(find: Find, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the list of the parent that the values name, if there is one."""
    parent: Any = find("task", values["parent_id"]) if values.get("parent_id") else None
    return {"list_id": parent.list_id} if parent else {}


def check_references(find: Find, values: Mapping[str, Any], height: int = 1) -> None:
    """Raise `InvalidEntity` unless a task may refer to what it does; see `Entity`."""
    missing = Task.missing_references(values, find)
    refuse([*missing, *Task.placement_errors(values, find, height)])


def trash_tree(workspace: Workspace, task: Task) -> None:
    """Move a task and all below it to the trash. Raises `InvalidOption` if they are too many."""
    subtasks = workspace.tasks.descendants([task.id], TREE_LIMIT)
    if len(subtasks) == TREE_LIMIT:
        raise InvalidOption([FieldError("subtasks", TOO_MANY)])
    trash_all(workspace, [task, *subtasks])


def trash_all(workspace: Workspace, tasks: Sequence[Task]) -> None:
    """Move tasks to the trash, those of each tree together."""
    workspace.tasks.trash_all(deepest_first(tasks), roots_of(tasks))


def promote_subtasks(workspace: Workspace, task: Task) -> None:
    """Put the sub-tasks of a task where it stands, in their order."""
    subtasks = Siblings(workspace.tasks, TaskQuery(parent_id=(task.id,))).all()
    if not subtasks:
        return
    siblings = Siblings(workspace.tasks, siblings_of(task))
    gap = Gap(task, siblings.next_to(task))
    keys = siblings.keys_in(gap, len(subtasks), leaving=task)
    positions = dict(zip((one.id for one in subtasks), keys, strict=True))
    workspace.tasks.change_all(subtasks, partial(at, positions, parent_id=task.parent_id))
