"""Whether the version of a task counts what was done to it, each thing once."""

from bisect import bisect
from collections.abc import Iterator

from tests.faults.history import Kind, Operation
from tests.faults.placements import ancestors, possible_parents, relocations
from tests.faults.timelines import Timeline, Timelines
from tests.faults.violations import Violation

CHANGES: tuple[Kind, ...] = (
    *("update", "complete", "skip", "move", "restore", "undo"),
    *("change_list", "change_parent", "change_recurrence"),
)
CERTAIN: set[Kind] = {"update", "restore"}
"""What always changes the version, as each title is a new one."""


def counts(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield each version that misses an acknowledged update, or for which too little was done."""
    own = timeline.done_to(*CHANGES)
    updates = [one for one in own if one.kind in CERTAIN and one.outcome == "ok"]
    possible = sorted(one.began for one in (*own, *_done_to_others(timeline, by_task)))
    first = {view.seen.position for view in timeline.views if view.seen.version == 1}
    for view in timeline.contents:
        least = sum(one.ended < view.began for one in updates)
        most = bisect(possible, view.ended)
        if view.seen.position not in first:
            most += bisect(by_task.spreads[view.seen.user], view.ended)
        if view.seen.version < 1 + least:
            yield Violation("lost", timeline.task, f"{least} changes were acknowledged: {view}")
        if view.seen.version > 1 + most:
            yield Violation("doubled", timeline.task, f"{most} changes were possible: {view}")


def _done_to_others(timeline: Timeline, by_task: Timelines) -> Iterator[Operation]:
    """Yield what may change the task as it is under another, or in a list."""
    for parent in possible_parents(timeline, by_task) - {None}:
        yield from by_task[parent or ""].deletions
    for name in ancestors(timeline, by_task):
        yield from relocations(by_task[name])
        yield from by_task[name].restorations
    users = {view.seen.user for view in timeline.views}
    yield from (one for one in by_task.list_deletions if one.user in users)
