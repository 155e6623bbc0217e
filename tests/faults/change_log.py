"""Whether the change log has each write once, with its number, in the order of the commits.

A task has one change for each of its versions, and one for each time that it was moved to the
trash, or purged. So what was acknowledged is in the log if each version that was ever shown is,
and what was refused is not if there is no version that the rows do not have.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf

from tests.faults.history import Operation
from tests.faults.seen import Log, LoggedChange, Seen
from tests.faults.timelines import Timeline, Timelines
from tests.faults.violations import Violation

Step = tuple[int, int]


def broken_log(rows: Sequence[Seen], log: Log, by_task: Timelines) -> Iterator[Violation]:
    """Yield what is wrong with the log of all users, beside the rows and what was shown."""
    left = {seen.task: seen.step for seen in rows}
    logged: dict[str, list[LoggedChange]] = defaultdict(list)
    numbered: dict[str, list[LoggedChange]] = {user: [] for user in log.heads}
    for one in log.changes:
        logged[one.task].append(one)
        numbered.setdefault(one.user, []).append(one)
    for user, changes in numbered.items():
        yield from _gaps(user, changes, log.heads.get(user, 0))
    for task in {*logged, *by_task, *left}:
        yield from _changes(by_task[task], logged[task], left.get(task))
        yield from _previous_values(logged[task], left.get(task))


def misordered(
    operations: Sequence[Operation], log: Log, by_task: Timelines
) -> Iterator[Violation]:
    """Yield each change that was known to be there before one with a lower number was."""
    named = {one.name: one for one in operations}
    numbered: dict[str, list[LoggedChange]] = defaultdict(list)
    for one in log.changes:
        numbered[one.user].append(one)
    for changes in numbered.values():
        yield from _misordered(changes, named, by_task)


def _gaps(user: str, changes: Sequence[LoggedChange], head: int) -> Iterator[Violation]:
    """Yield unless the numbers are 1, 2, 3 … up to the head."""
    numbers = [one.sequence for one in changes]
    if numbers != [*range(1, head + 1)]:
        missing = sorted({*range(1, head + 1)} - {*numbers})
        yield Violation("gap", user, f"of {head}, {len(numbers)} are there; not {missing[:10]}")


def _changes(
    timeline: Timeline, changes: Sequence[LoggedChange], last: Step | None
) -> Iterator[Violation]:
    """Compare the changes of a task with its last version and place, None if it is gone."""
    task, steps = timeline.task, [one.step for one in changes]
    shown = {view.seen.step for view in timeline.contents}
    is_gone = last is None and (shown or any(place for _, place in steps))
    end = _end_of(shown | {*steps}) if is_gone else last or (0, 0)
    removed = {step for one in changes if one.name == "restored" for step in _moved(one)}
    needed = {*((version, 0) for version in range(1, end[0] + 1)), *shown, *removed}
    needed |= {(end[0], place) for place in range(1, end[1] + 1)}
    for step, times in Counter(steps).items():
        if times > 1:
            yield Violation("doubled", task, f"the log has version and place {step} {times} times")
    if missing := needed - {*steps}:
        yield Violation("unlogged", task, f"the log misses the versions and places {missing}")
    if extra := {step for step in steps if step not in needed or step > end}:
        yield Violation("applied", task, f"the log has {extra} of {last}")
    if is_gone and end[1] == 1 and end[0] > 1 and changes and changes[-1].type == "task.removed":
        yield Violation("lost", task, f"it was moved to the trash, where it is not: {changes[-1]}")
    if steps != sorted(steps) or any(_is_jump(*pair) for pair in pairwise(changes)):
        yield Violation("torn", task, f"the log has it in the order {steps}")


def _moved(restored: LoggedChange) -> list[Step]:
    """Return the step before a restoration: the same task in the trash."""
    return [(restored.version - 1, 1)]


def _end_of(steps: set[Step]) -> Step:
    """Return the last step of what is gone: it was removed for good, or purged."""
    version, place = max(steps)
    return version, max(place, 1)


def _is_jump(before: LoggedChange, after: LoggedChange) -> bool:
    """Tell whether a task leaves the trash but by a restoration, or is restored otherwise."""
    return (before.name == "removed") != (after.name in {"restored", "purged"})


def _previous_values(changes: Sequence[LoggedChange], last: Step | None) -> Iterator[Violation]:
    """Yield values of what is gone, and changes without them of what is there."""
    for one in changes:
        if last is None and one.previous is not None:
            yield Violation("unscrubbed", one.task, f"it is gone: {one}")
        if last is not None and one.previous is None and one.name not in {"created", "removed"}:
            yield Violation("lost", one.task, f"it is there, and not what it was: {one}")


def _misordered(
    changes: Sequence[LoggedChange], named: Mapping[str, Operation], by_task: Timelines
) -> Iterator[Violation]:
    known = inf
    for one in reversed(changes):
        timeline, maker = by_task[one.task], named.get(one.request or "")
        if known < _absent_until(timeline, one, maker):
            yield Violation("misordered", one.task, f"another one was there earlier: {one}")
        known = min(known, _known_since(timeline, one, maker))


def _known_since(timeline: Timeline, change: LoggedChange, maker: Operation | None) -> float:
    """Return when a change is known to be there: it, or a later one, was shown."""
    shown = (view.ended for view in timeline.contents if view.seen.step >= change.step)
    acknowledged = maker.ended if maker and maker.outcome == "ok" else inf
    return min(acknowledged, min(shown, default=inf))


def _absent_until(timeline: Timeline, change: LoggedChange, maker: Operation | None) -> float:
    """Return when a change was last known not to be there.

    An earlier one was shown, or nobody had asked yet for what made it.
    """
    moments = [view.began for view in timeline.contents if view.seen.step < change.step]
    return max([*moments, maker.began if maker else -inf], default=-inf)
