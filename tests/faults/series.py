"""Whether series are whole: what closed a task made its one successor, and undo took it back.

A successor is removed by the deletion of it, and by whatever reopens the task before it, if it
was never changed. Which task was before it is not always shown, so any other of its series is
one. The recurrence of a task is lost by reopening it if the series goes on elsewhere.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.faults.history import Kind, Operation
from tests.faults.placements import Cause, Register, check_register, removals, restorations
from tests.faults.seen import Seen
from tests.faults.timelines import Timeline, Timelines, View
from tests.faults.violations import Violation, kind_at

RECURRENCE_WRITES: tuple[Kind, ...] = ("create", "change_recurrence")


def broken_series(shown: Sequence[Seen]) -> Iterator[Violation]:
    """Yield what is wrong with the series of the tasks that are there at one moment."""
    going_on = Counter((seen.user, seen.series_id) for seen in shown if seen.goes_on)
    parents = {seen.parent_id for seen in shown}
    for (_, name), count in going_on.items():
        if count > 1:
            yield Violation("doubled", str(name), f"{count} open tasks of the series recur")
    for seen in shown:
        if seen.recurrence and (seen.parent_id or seen.task in parents):
            yield Violation("torn", seen.task, f"recurs, and is in a tree: {seen}")


def recurrences(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield each recurrence that the task was not given, or that was taken from it since."""
    writes = timeline.done_to(*RECURRENCE_WRITES, undoing="recurrence")
    causes = [
        *(Cause(one, one.recurrence) for one in writes),
        *(Cause(one, None) for one in timeline.reopenings),
        *(Cause(one, None) for one in restorations(timeline, by_task)),
    ]
    views = [view for view in timeline.views if view.seen.type == "task"]
    register = Register("recurrence", RECURRENCE_WRITES, causes, views)
    yield from check_register(register, timeline, by_task)


def successors(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield each closed task without its successor, and what a successor has otherwise."""
    for view in timeline.views:
        name = view.seen.next_id
        if name is None:
            if _needs_successor(timeline, view):
                yield Violation("lost", timeline.task, f"closed without a successor: {view}")
        elif not view.seen.completed:
            yield Violation("torn", timeline.task, f"open, with a successor: {view}")
        elif _is_missing(by_task[name], view, by_task):
            yield Violation(kind_at(view, "torn"), name, f"it is not there beside {view}")
    made = {view.seen.next_id for view in timeline.views} - {None}
    if len(made) > 1 and not timeline.reopenings:
        yield Violation("doubled", timeline.task, f"never reopened, and has made {made}")


def predecessors(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield each successor that nothing has made, or that is not as the task it follows."""
    views = [view for view in timeline.views if view.seen.is_successor]
    if not views:
        return
    others = by_task.others_of_series(timeline)
    if not any(one.closings for one in others):
        yield Violation("applied", timeline.task, f"nothing was closed: {views[0]}")
    naming = {view.by for view in timeline.named if view.is_in_snapshot}
    for view in views:
        is_untouched = view.is_in_snapshot and view.seen.version == 1
        if is_untouched and view.by not in naming and not _may_be_unnamed(view, others, by_task):
            yield Violation("doubled", timeline.task, f"no task was before it: {view}")
    for closed in _closed_versions(timeline, others):
        for view in views:
            if view.seen.version == 1 and _copied(view.seen) != _copied(closed):
                yield Violation("torn", timeline.task, f"{view} is no copy of {closed}")


def _needs_successor(timeline: Timeline, view: View) -> bool:
    """Tell whether a task is closed, has a rule without an end, and was not given that since."""
    seen = view.seen
    if not seen.completed or seen.recurrence is None or "COUNT" in seen.recurrence:
        return False
    changes = timeline.done_to("change_recurrence", undoing="recurrence")
    changes = [one for one in changes if one.recurrence]
    return not any(
        one.began < view.ended and any(closing.began < one.ended for closing in timeline.closings)
        for one in changes
    )


def _is_missing(successor: Timeline, view: View, by_task: Timelines) -> bool:
    """Tell whether a successor is not in a snapshot that names it, and was not deleted."""
    if not view.is_in_snapshot or view.by in successor.snapshots:
        return False
    return not any(one.began < view.ended for one in removals(successor, by_task))


def _may_be_unnamed(view: View, others: Sequence[Timeline], by_task: Timelines) -> bool:
    """Tell whether the task before a successor may be gone, or reopened without a recurrence."""
    causes: list[Operation] = []
    for one in others:
        causes += removals(one, by_task)
        ends = one.done_to("change_recurrence", undoing="recurrence")
        ends = [end for end in ends if end.recurrence is None]
        causes += ends if one.reopenings else []
    return any(one.began < view.ended for one in causes)


def _closed_versions(successor: Timeline, others: Sequence[Timeline]) -> Iterator[Seen]:
    """Yield the version of a task that made a successor, if the one before was shown too."""
    for other in others:
        shown = {view.seen.version: view.seen for view in other.views}
        versions = [one.version for one in shown.values() if one.next_id == successor.task]
        if versions and min(versions) - 1 in shown:
            yield shown[min(versions)]


def _copied(seen: Seen) -> tuple[str | None, ...]:
    return seen.series_id, seen.title, seen.list_id, seen.parent_id
