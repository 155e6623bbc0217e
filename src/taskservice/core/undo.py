"""Undo: takes one change of a task back, as a change of its own, by the rules of any other."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from taskservice.core.changes import NumberedChange
from taskservice.core.errors import FieldError, InvalidEntity, UndoConflict
from taskservice.core.fields import fields_of
from taskservice.core.history import find_task, load_values, state_at
from taskservice.core.local_times import is_time
from taskservice.core.preconditions import Precondition, checked
from taskservice.core.query import PAGE_LIMIT
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import change_locked, remove_locked
from taskservice.core.trash import restore
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import OpenOwnWorkspace, Workspace

_UNKNOWN = "is not the number of a change of this task, or no longer known"
_BEGINNINGS = {"task.created", "task.purged"}
"""Types of changes before which there was no task, or another one."""
_SETTABLE = fields_of(NewTask).keys() | {"position"}


def undo(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    sequence: int,
    precondition: Precondition[Task] | None = None,
    time_zone: str | None = None,
) -> Task:
    """Take a change of a task back, and return the task, which is a `TrashedTask` in the trash.

    Fields get the values that they had before; one that has it already is passed over. What was
    created or restored moves to the trash, and what was removed is restored. `time_zone` is that
    of the caller; see `change_task`. Raises `TaskNotFound`, what the precondition raises,
    `InvalidEntity` if there is no such change, and `UndoConflict`.
    """
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        task = checked(find_task(workspace, task_id), precondition)
        changes = _changes_since(workspace, task_id, sequence)
        match changes[-1].change.type:
            case "task.created" | "task.restored":
                return _remove(workspace, task)
            case "task.removed":
                return restore(workspace, task) if isinstance(task, TrashedTask) else task
        return _set_back(workspace, task, changes, time_zone)


def _changes_since(workspace: Workspace, task_id: UUID, sequence: int) -> Sequence[NumberedChange]:
    """Return the changes of a task from a number on, the newest first. Raises `InvalidEntity`."""
    of_task = partial(workspace.changes.of_entity, task_id)
    found = [*of_task(sequence + 1, 1)]
    if [one.sequence for one in found] != [sequence]:
        raise InvalidEntity([FieldError("sequence", _UNKNOWN)])
    later: list[NumberedChange] = []
    while page := of_task(later[-1].sequence if later else None, PAGE_LIMIT):
        later += [one for one in page if one.sequence > sequence]
        if page[-1].sequence <= sequence:
            break
    if any(one.change.type in _BEGINNINGS for one in later):
        raise InvalidEntity([FieldError("sequence", _UNKNOWN)])
    return [*later, *found]


def _remove(workspace: Workspace, task: Task) -> Task:
    if isinstance(task, TrashedTask):
        return task
    remove_locked(workspace, task)
    return workspace.trash.get(task.id)


def _set_back(
    workspace: Workspace, task: Task, changes: Sequence[NumberedChange], time_zone: str | None
) -> Task:
    """Set the fields of a change back. Raises `UndoConflict` if that would change others too."""
    previous = changes[-1].change.previous
    if previous is None:
        raise InvalidEntity([FieldError("sequence", _UNKNOWN)])
    former = {n: one for n, one in load_values(previous).items() if n in _SETTABLE}
    values = {name: value for name, value in former.items() if value != getattr(task, name)}
    if not values:
        return task
    if isinstance(task, TrashedTask):
        raise UndoConflict([FieldError("trashed_at", "is set: restore the task first")])
    left = state_at(task, changes)
    _refuse_changed(name for name in values if getattr(task, name) != getattr(left, name))
    position = values.pop("position", None)
    kept = {"time_zone": task.time_zone, "occurrence": task.occurrence, **values}
    try:
        after = task.edit(task.updated_at, **kept)
        _refuse_changed(_side_effects(task, after, values))
        _refuse_changed(_zone_changes(after, {**vars(left), **former}, values))
        return change_locked(workspace, task, kept, time_zone, position=position, is_undo=True)
    except InvalidEntity as error:
        raise UndoConflict(error.errors) from error


def _refuse_changed(names: Iterable[str]) -> None:
    if errors := [FieldError(name, "was changed again") for name in sorted(names)]:
        raise UndoConflict(errors)


def _side_effects(task: Task, after: Task, values: Collection[str]) -> Iterator[str]:
    """Yield the other fields that an edit of some would change."""
    others = _SETTABLE - {*values}
    yield from (name for name in others if getattr(after, name) != getattr(task, name))


def _zone_changes(after: Task, former: Mapping[str, Any], values: Collection[str]) -> Iterator[str]:
    """Yield `time_zone` if a time that is set back would mean another moment than it did."""
    has_time = any(is_time(former[name]) for name in ("due", "start") if name in values)
    if has_time and former["time_zone"] != after.time_zone:
        yield "time_zone"
