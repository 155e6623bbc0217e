"""Whether the lists and parents that tasks are shown with were given to them, and by what.

A task gets a parent by a write to it, and by the deletion of its parent, which puts it
under the parent of that one. It gets a list by a write to it, by a parent that is or
goes elsewhere, and by the deletion of its list, which puts it into the inbox. Nobody
is shown all that was there at the time, so whatever may have been the cause is one.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.faults.history import Kind, Operation
from tests.faults.timelines import Timeline, Timelines, View
from tests.faults.violations import Violation, is_superseded, kind_at

PARENT_WRITES: tuple[Kind, ...] = ("create", "change_parent")
LIST_WRITES: tuple[Kind, ...] = ("create", "change_list")


class Cause(NamedTuple):
    """What may have given a task a value, or any if it `gives_any`; and what that deletes."""

    operation: Operation
    value: str | None
    deletes: str | None = None
    gives_any: bool = False


def parents(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield each parent that the task was not given, or that was taken from it since."""
    causes = [
        *(Cause(one, one.parent_id) for one in parent_writes(timeline)),
        *(Cause(one, None) for one in restorations(timeline, by_task)),
        *(
            Cause(one, value, deletes=parent)
            for parent in possible_parents(timeline, by_task) - {None}
            for one in by_task[parent or ""].deletions
            for value in possible_parents(by_task[parent or ""], by_task)
        ),
    ]
    views = [view for view in timeline.views if view.seen.type == "task"]
    yield from check_register(
        Register("parent_id", PARENT_WRITES, causes, views), timeline, by_task
    )


def lists(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield each list that the task was not put in. That of a sub-task is its parent's."""
    above = [by_task[name] for name in ancestors(timeline, by_task)]
    causes = [
        *(
            Cause(one, one.list_id, gives_any=one.parent_id is not None)
            for one in timeline.done_to("create")
        ),
        *(
            Cause(one, one.list_id, gives_any=_gives_any_list(one))
            for moved in (timeline, *above)
            for one in relocations(moved)
        ),
        *(Cause(one, None, gives_any=True) for one in restorations(timeline, by_task)),
        *(Cause(one, None, deletes=one.task) for one in by_task.list_deletions),
    ]
    views = [view for view in timeline.views if view.seen.type == "task"]
    roots = [view for view in views if view.seen.parent_id is None]
    yield from check_register(Register("list_id", LIST_WRITES, causes, roots), timeline, by_task)


def parent_writes(timeline: Timeline) -> list[Operation]:
    """Return what may have given a task the parent that it asked for."""
    return timeline.done_to(*PARENT_WRITES, undoing="parent_id")


def relocations(timeline: Timeline) -> list[Operation]:
    """Return what may have put a task elsewhere, beside restorations."""
    found = timeline.done_to("change_list", "change_parent", undoing="list_id")
    return [*found, *(one for one in parent_writes(timeline) if one.fields and one not in found)]


def restorations(timeline: Timeline, by_task: Timelines) -> list[Operation]:
    """Return what may have restored a task, by itself or with one above it."""
    above = [by_task[name] for name in ancestors(timeline, by_task)]
    return [one for other in (timeline, *above) for one in other.restorations]


def removals(timeline: Timeline, by_task: Timelines) -> list[Operation]:
    """Return what may have moved a task to the trash, by itself or with one above it."""
    above = [by_task[name] for name in ancestors(timeline, by_task)]
    trees = [one for other in above for one in other.done_to("delete_tree")]
    return [*timeline.trashings, *trees]


def _gives_any_list(one: Operation) -> bool:
    """Tell whether an operation gives the list of a parent."""
    return one.kind == "change_parent" or "parent_id" in one.fields


class Register(NamedTuple):
    """A field, the kinds that write it, what may have given it its values, and what shows it."""

    field: str
    writes: tuple[Kind, ...]
    causes: Sequence[Cause]
    views: Sequence[View]


def check_register(
    register: Register, timeline: Timeline, by_task: Timelines
) -> Iterator[Violation]:
    """Compare what was shown with what may have caused it."""
    writes = timeline.done_to(*register.writes, undoing=register.field)
    for view in register.views:
        value = getattr(view.seen, register.field)
        causes = [one for one in register.causes if one.gives_any or one.value == value]
        causes = [one for one in causes if one.operation.began < view.ended]
        done = [one for one in causes if not _is_undone(one, view, by_task)]
        if not done:
            kind = "torn" if causes else _unwritten(timeline, register, value)
            yield Violation(kind, timeline.task, f"{register.field} without a cause: {view}")
        elif all(is_superseded(one.operation, writes, view) for one in done):
            how = f"{register.field} is older: {view}"
            yield Violation(kind_at(view, "stale"), timeline.task, how)


def _is_undone(cause: Cause, view: View, by_task: Timelines) -> bool:
    """Tell whether what it should have deleted before the view was there at its time.

    It may have been restored since.
    """
    if cause.deletes is None or not by_task[cause.deletes].outlives(view):
        return False
    restored = restorations(by_task[cause.deletes], by_task)
    return not any(cause.operation.began < one.ended for one in restored)


def _unwritten(timeline: Timeline, register: Register, value: str | None) -> str:
    failed = [one for one in timeline.writes if one.outcome == "fail"]
    tried = [one for one in failed if one.kind in register.writes or register.field in one.fields]
    return "applied" if value in {getattr(one, register.field) for one in tried} else "stale"


def possible_parents(timeline: Timeline, by_task: Timelines) -> set[str | None]:
    """Return the parents that the task was given, and those of them that may be deleted."""
    return _parents(timeline, by_task, of_deleted_only=True)


def ancestors(timeline: Timeline, by_task: Timelines) -> set[str]:
    """Return what the task may ever have been under, directly or not."""
    return {name for name in _parents(timeline, by_task, of_deleted_only=False) if name}


def _parents(timeline: Timeline, by_task: Timelines, *, of_deleted_only: bool) -> set[str | None]:
    found: set[str | None] = set()
    following = [timeline]
    while following:
        given = {one.parent_id for one in parent_writes(following.pop())} - found
        found |= given
        above = [by_task[name] for name in given if name]
        following += [one for one in above if one.deletions or not of_deleted_only]
    return found
