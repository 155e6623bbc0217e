"""Whether the change log has each write once, with its number, in the order of the commits.

A task has one change for each of its versions, and one for its removal. So what was
acknowledged is in the log if each version that was ever shown is, and what was refused is
not if there is no version that the rows do not have.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import inf

from tests.faults.seen import Log, LoggedChange, Seen
from tests.faults.timelines import Timeline, Timelines
from tests.faults.violations import Violation


def broken_log(rows: Sequence[Seen], log: Log, by_task: Timelines) -> Iterator[Violation]:
    """Yield what is wrong with the log of all users, beside the rows and what was shown."""
    left = {seen.task: seen.version for seen in rows}
    logged: dict[str, list[LoggedChange]] = defaultdict(list)
    numbered: dict[str, list[LoggedChange]] = {user: [] for user in log.heads}
    for one in log.changes:
        logged[one.task].append(one)
        numbered.setdefault(one.user, []).append(one)
    for user, changes in numbered.items():
        yield from _gaps(user, changes, log.heads.get(user, 0))
        yield from _misordered(changes, by_task)
    for task in {*logged, *by_task, *left}:
        yield from _changes(by_task[task], logged[task], left.get(task))


def _gaps(user: str, changes: Sequence[LoggedChange], head: int) -> Iterator[Violation]:
    """Yield unless the numbers are 1, 2, 3 … up to the head."""
    numbers = [one.sequence for one in changes]
    if numbers != [*range(1, head + 1)]:
        missing = sorted({*range(1, head + 1)} - {*numbers})
        yield Violation("gap", user, f"of {head}, {len(numbers)} are there; not {missing[:10]}")


def _changes(
    timeline: Timeline, changes: Sequence[LoggedChange], last: int | None
) -> Iterator[Violation]:
    """Compare the changes of a task with its last version, None if it is gone."""
    task = timeline.task
    steps = [(one.version, one.is_removal) for one in changes]
    shown = {view.seen.version for view in timeline.views}
    is_gone = last is None and (shown or any(one.is_removal for one in changes))
    end = max({*shown, *(version for version, _ in steps)}) if is_gone else last or 0
    needed = [(version, False) for version in range(1, end + 1)]
    needed += [(end, True)] if is_gone else []
    for step, times in Counter(steps).items():
        if times > 1:
            yield Violation(
                "doubled", task, f"the log has version and removal {step} {times} times"
            )
    if missing := {*needed, *((version, False) for version in shown)} - {*steps}:
        yield Violation("unlogged", task, f"the log misses the versions and removals {missing}")
    if extra := {*steps} - {*needed}:
        yield Violation("applied", task, f"the log has {extra} of {last}")
    if steps != sorted(steps):
        yield Violation("torn", task, f"the log has it in the order {steps}")


def _misordered(changes: Sequence[LoggedChange], by_task: Timelines) -> Iterator[Violation]:
    """Yield each change that was shown before one with a lower number was there."""
    known = inf
    for one in reversed(changes):
        timeline = by_task[one.task]
        if known < _absent_until(timeline, one):
            yield Violation("misordered", one.task, f"another one was there earlier: {one}")
        known = min(known, _known_since(timeline, one))


def _known_since(timeline: Timeline, change: LoggedChange) -> float:
    """Return when a change is known to be there: it, or a later one, was shown."""
    if change.is_removal:
        return timeline.gone
    views = timeline.views
    return min((view.ended for view in views if view.seen.version >= change.version), default=inf)


def _absent_until(timeline: Timeline, change: LoggedChange) -> float:
    """Return when a change was last known not to be there.

    An earlier one was shown, or nobody had asked yet for the title that it was shown with.
    """
    if change.is_removal:
        return timeline.last_began
    views = timeline.views
    moments = [view.began for view in views if view.seen.version < change.version]
    titles = {view.seen.title for view in views if view.seen.version == change.version}
    titled = timeline.done_to("create", "create_list", "update")
    moments += [
        min((one.began for one in titled if one.title == title), default=-inf) for title in titles
    ]
    return max(moments, default=-inf)
