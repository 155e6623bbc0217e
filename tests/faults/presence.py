"""Whether each task was where it was shown: among the tasks, in the trash, or gone for good.

Whatever was shown is evidence that it was in one of some places, at one moment. Of two that
do not overlap in time, there must be a way from the earlier place to the later one, by what
may have been done in between. Whether that was done in the right order is not looked at.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import NamedTuple

from tests.faults.history import REMOVALS, Operation
from tests.faults.placements import removals, restorations
from tests.faults.timelines import Timeline, Timelines
from tests.faults.violations import Violation

Places = frozenset[str]
LIVE, TRASH, GONE = (frozenset({name}) for name in ("live", "trash", "gone"))
Way = tuple[str, str]


class Evidence(NamedTuple):
    """The places in which a task may have been at one moment between `began` and `ended`."""

    began: float
    ended: float
    by: str
    places: Places


class Presence:
    """What is known of where one task was."""

    def __init__(self, timeline: Timeline, by_task: Timelines) -> None:
        self._ways = [*_ways(timeline, by_task)]
        self.evidence = [*_evidence(timeline, by_task)]
        self._earlier = _latest_first_began(self.evidence)

    def contradiction(self, later: Evidence) -> Evidence | None:
        """Return evidence from before, which cannot be true if the later one is."""
        for ended, latest in self._earlier.values():
            number = bisect_left(ended, later.began)
            if number and not self._leads(latest[number - 1], later):
                return latest[number - 1]
        return None

    def _leads(self, earlier: Evidence, later: Evidence) -> bool:
        """Tell whether there may be a way from the places of one to those of the other."""
        reached = earlier.places
        if reached & later.places:
            return True
        between = {
            way for way, one in self._ways if earlier.began < one.ended and one.began < later.ended
        }
        for _ in between:
            reached |= {to for start, to in between if start in reached}
        return bool(reached & later.places)


def presences(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield what was shown of a task that cannot have been, after what was shown before."""
    presence = _presence(timeline.task, by_task)
    for later in presence.evidence:
        earlier = presence.contradiction(later)
        if earlier is not None:
            is_back = later.places in {LIVE, TRASH} and earlier.places != LIVE
            kind = "resurrected" if is_back else "lost"
            yield Violation(kind, timeline.task, f"{earlier}, then {later}")


def references(timeline: Timeline, by_task: Timelines) -> Iterator[Violation]:
    """Yield each list and parent that was not there when the task was shown with it."""
    for view in timeline.views:
        for name in filter(None, view.seen.group):
            if name in by_task:
                above = _presence(name, by_task)
                if above.contradiction(Evidence(view.began, view.ended, view.by, LIVE)):
                    yield Violation("dangling", timeline.task, f"{name} is gone: {view}")


def _presence(task: str, by_task: Timelines) -> Presence:
    """Return what is known of where a task was, computed once."""
    if task not in by_task.presences:
        by_task.presences[task] = Presence(by_task[task], by_task)
    found: Presence = by_task.presences[task]
    return found


def _latest_first_began(
    evidence: Iterable[Evidence],
) -> dict[Places, tuple[list[float], list[Evidence]]]:
    """Return by places when evidence ended, in order, and which began last of all until then."""
    found: dict[Places, tuple[list[float], list[Evidence]]] = defaultdict(lambda: ([], []))
    for one in sorted(evidence, key=lambda one: one.ended):
        ended, latest = found[one.places]
        ended.append(one.ended)
        is_latest = not latest or one.began > latest[-1].began
        latest.append(one if is_latest else latest[-1])
    return found


def _evidence(timeline: Timeline, by_task: Timelines) -> Iterator[Evidence]:
    yield Evidence(-inf, timeline.known, "whatever shows or names it", LIVE)
    for places, views in ((LIVE, timeline.views), (TRASH, timeline.trashed)):
        for view in views:
            yield Evidence(view.began, view.ended, view.by, places)
    for one in timeline.writes:
        if one.outcome == "ok" and one.kind in REMOVALS:
            yield Evidence(one.began, one.ended, one.name, TRASH)
        if one.outcome == "ok" and one.kind in {"delete_list", "purge"}:
            yield Evidence(one.began, one.ended, one.name, GONE)
    for absence in timeline.absences:
        if timeline.known < absence.began:
            yield Evidence(absence.began, absence.ended, absence.by, absence.places)
    for one in by_task.purges[timeline.user]:
        if one.outcome == "ok" and timeline.known < one.began:
            yield Evidence(one.began, one.ended, one.name, LIVE | GONE)


def _ways(timeline: Timeline, by_task: Timelines) -> Iterator[tuple[Way, Operation]]:
    """Yield from where to where a task may have got, and by what."""
    yield from _each("live", "trash", removals(timeline, by_task))
    yield from _each("trash", "live", restorations(timeline, by_task))
    purges = [one for one in by_task.purges[timeline.user] if one.outcome != "fail"]
    yield from _each("trash", "gone", [*timeline.done_to("purge"), *purges])
    is_changed = any(view.seen.version > 1 for view in timeline.views)
    undos = [] if is_changed else timeline.undos
    yield from _each("live", "gone", [*timeline.done_to("delete_list"), *undos])


def _each(start: str, to: str, found: Sequence[Operation]) -> Iterator[tuple[Way, Operation]]:
    yield from (((start, to), one) for one in found)
