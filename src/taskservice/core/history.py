"""History: the changes of one task, and its earlier states, computed backwards from its log."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from taskservice.core.changes import NumberedChange
from taskservice.core.errors import TaskNotFound
from taskservice.core.fields import fields_of
from taskservice.core.task import Task
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import Workspace


class HistoryPage(NamedTuple):
    """Changes of a task, the newest first, and the number before which there are more, if any."""

    changes: Sequence[NumberedChange]
    next: int | None


def history(workspace: Workspace, task_id: UUID, before: int | None, limit: int) -> HistoryPage:
    """Return the changes of a task before a number. Raises `TaskNotFound` unless it is stored."""
    find_task(workspace, task_id)
    found = workspace.changes.of_entity(task_id, before, limit + 1)
    page = found[:limit]
    return HistoryPage(page, page[-1].sequence if len(found) > limit else None)


def find_task(workspace: Workspace, task_id: UUID) -> Task | TrashedTask:
    """Return a task, which may be in the trash. Raises `TaskNotFound`."""
    try:
        return workspace.tasks.get(task_id)
    except TaskNotFound:
        pass
    try:
        return workspace.trash.get(task_id)
    except TaskNotFound:
        # It may have been restored meanwhile.
        return workspace.tasks.get(task_id)


def state_at(task: Task, changes: Sequence[NumberedChange]) -> Task:
    """Return a task as the last one of its `changes` left it: the newest are first.

    That is no removal. `updated_at` is the time of the change.
    """
    *later, (_, change) = changes
    values = dict(vars(task))
    for _, one in later:
        values |= load_values(one.previous or {})
    fields = {name: values[name] for name in fields_of(Task)}
    return Task(**fields | {"version": change.version, "updated_at": change.at})


def load_values(previous: Mapping[str, object]) -> dict[str, Any]:
    """Return the values of fields in a change, without those that this version does not know."""
    fields = fields_of(Task)
    known = previous.keys() & fields.keys()
    return {name: fields[name].from_json(previous[name]) for name in known}
