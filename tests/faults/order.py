"""Whether what was moved is where it was moved to, as snapshots show.

A task that was moved behind a sibling stays behind it until one of the two is
moved again, gets another list or parent, or is restored: so much is certain whatever else
happens, as a deleted parent or list leaves those in it in their order. One
that was moved to an end stands there beside all that were its siblings before and
are so still.
"""

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

from tests.faults.history import SNAPSHOTS, Operation
from tests.faults.seen import Seen, live
from tests.faults.timelines import FinalState, Timelines
from tests.faults.violations import Violation


class Snapshot(NamedTuple):
    """What one user had at one moment between `began` and `ended`."""

    began: float
    ended: float
    seen: dict[str, Seen]


def lost_moves(
    operations: Sequence[Operation], by_task: Timelines, end: FinalState
) -> Iterator[Violation]:
    """Yield each acknowledged move that a later snapshot does not show."""
    last = Snapshot(inf, inf, {seen.task: seen for seen in live(end.rows)})
    for user in {one.user for one in operations}:
        own = [one for one in operations if one.user == user and one.outcome == "ok"]
        snapshots = [*map(_snapshot, (one for one in own if one.kind in SNAPSHOTS)), last]
        for move in (one for one in own if one.kind == "move"):
            yield from _misplaced(move, snapshots, by_task)


def _snapshot(one: Operation) -> Snapshot:
    return Snapshot(one.began, one.ended, {seen.task: seen for seen in live(one.seen)})


def _misplaced(
    move: Operation, snapshots: Sequence[Snapshot], by_task: Timelines
) -> Iterator[Violation]:
    moved = move.seen[0]
    before = [one for one in snapshots if one.ended < move.began]
    for after in (one for one in snapshots if one.began > move.ended):
        now = after.seen.get(moved.task)
        if now is None or _is_replaced(moved.task, move, move.began, after, by_task):
            return
        for other in _neighbors(move, before, after):
            since = move.began if move.beside else before[-1].began
            if _is_replaced(other.task, move, since, after, by_task):
                continue
            if (now.place > other.place) != (move.place in {"after", "last"}):
                how = f"{move.name} moved it {move.place}, {now} is beside {other}"
                yield Violation("lost", moved.task, how)


def _neighbors(move: Operation, before: Sequence[Snapshot], after: Snapshot) -> Iterator[Seen]:
    """Yield those of a snapshot that the task was moved behind or before."""
    now, group = after.seen[move.seen[0].task], move.seen[0].group
    for other in after.seen.values():
        if other.type != "task" or other.task == now.task or other.group != now.group:
            continue
        earlier = before[-1].seen.get(other.task) if before else None
        was_beside = earlier is not None and earlier.group == group == now.group
        if move.beside == other.task or (move.beside is None and was_beside):
            yield other


def _is_replaced(
    task: str, move: Operation, since: float, until: Snapshot, by_task: Timelines
) -> bool:
    """Tell whether another write may have placed the task anew."""
    return any(
        one is not move and since < one.ended and one.began < until.ended
        for one in by_task[task].done_to("move", "change_list", "change_parent", "restore", "undo")
    )
