"""A history told task by task, and list by list: what was asked of each, and how it was shown."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import inf
from typing import NamedTuple

from tests.faults.history import Kind, Operation
from tests.faults.seen import Seen

THE_END = "the end"
LISTINGS: dict[Kind, str] = {"list": "task", "lists": "list"}
"""What shows all entities of a type that a user has."""


class FinalState(NamedTuple):
    """What is left: the rows, and over HTTP all of each user's tasks and lists, and each task.

    `idempotency_records` has for each user and key the task or list of the receipt, None
    for a deletion.
    """

    rows: tuple[Seen, ...]
    listed: tuple[Seen, ...]
    got: tuple[Seen, ...]
    idempotency_records: dict[tuple[str, str], str | None]


class View(NamedTuple):
    """A task that was shown as it was at one moment between `began` and `ended`.

    The moment is that of all that is shown by the same snapshot.
    """

    began: float
    ended: float
    by: str
    seen: Seen
    is_in_snapshot: bool = False


class Absence(NamedTuple):
    """A task that was said not to be there at one moment between `began` and `ended`."""

    began: float
    ended: float
    by: str


class Timeline:
    """All that was asked of one task or list, and all that was shown of it."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.writes: list[Operation] = []
        self.views: list[View] = []
        self.absences: list[Absence] = []

    @cached_property
    def known(self) -> float:
        """Since when it must be there, until somebody may have deleted it."""
        return min((view.ended for view in self.views), default=inf)

    @cached_property
    def deletions(self) -> list[Operation]:
        """What may have deleted it."""
        return self.done_to("delete", "delete_list")

    @cached_property
    def endangered(self) -> float:
        """Since when somebody may have deleted it."""
        return min((one.began for one in self.deletions), default=inf)

    @cached_property
    def snapshots(self) -> set[str]:
        """By which snapshots it was shown."""
        return {view.by for view in self.views if view.is_in_snapshot}

    @cached_property
    def last_began(self) -> float:
        """When it was last known to be there, or later."""
        return max((view.began for view in self.views), default=-inf)

    def outlives(self, view: View) -> bool:
        """Tell whether it was still there at the moment of a view of another."""
        return self.last_began > view.ended or view.by in self.snapshots

    @cached_property
    def gone(self) -> float:
        """Since when it must not be there."""
        deletions = [one.ended for one in self.deletions if one.outcome == "ok"]
        absences = [one.ended for one in self.absences if self.known < one.began]
        return min(deletions + absences, default=inf)

    def done_to(self, *kinds: Kind) -> list[Operation]:
        """Return the writes of these kinds that may have been done."""
        return [one for one in self.writes if one.kind in kinds and one.outcome != "fail"]


class Timelines(dict[str, Timeline]):
    """The life of each task and list, by its id."""

    @cached_property
    def list_deletions(self) -> list[Operation]:
        """What may have deleted any list."""
        return [one for timeline in self.values() for one in timeline.done_to("delete_list")]

    @cached_property
    def spreads(self) -> dict[str, list[float]]:
        """By user, when something began that may have spread tasks, to make room among them."""
        kinds: tuple[Kind, ...] = ("move", "delete", "delete_list")
        found: dict[str, list[float]] = defaultdict(list)
        for one in (one for timeline in self.values() for one in timeline.done_to(*kinds)):
            insort(found[one.user], one.began)
        return found

    def __missing__(self, task: str) -> Timeline:
        self[task] = Timeline(task)
        return self[task]


def timelines(operations: Sequence[Operation], end: FinalState) -> Timelines:
    """Return the life of each task and list that was ever named."""
    by_task = Timelines()
    for one in operations:
        _add_operation(by_task, one)
    for seen in end.rows:
        by_task[seen.task].views.append(View(inf, inf, THE_END, seen, is_in_snapshot=True))
    _add_creations(by_task, operations)
    _add_absences(by_task, operations, end)
    return by_task


def _add_operation(by_task: Timelines, one: Operation) -> None:
    if one.outcome == "ok":
        for seen in one.seen:
            view = View(one.began, one.ended, one.name, seen, one.kind == "snapshot")
            by_task[seen.task].views.append(view)
    if one.task is None:
        return
    if one.kind != "get":
        by_task[one.task].writes.append(one)
    if one.is_absence:
        last = one.attempts[-1]
        by_task[one.task].absences.append(Absence(last.began, last.ended, one.name))


def _add_creations(by_task: Timelines, operations: Sequence[Operation]) -> None:
    made = {one.name: one for one in operations if one.kind in {"create", "create_list"}}
    for timeline in by_task.values():
        origins = {view.seen.origin for view in timeline.views}
        timeline.writes.extend(made[origin] for origin in origins if origin in made)


def _add_absences(by_task: Timelines, operations: Sequence[Operation], end: FinalState) -> None:
    """Note of what shows all, and of the end, which of those known before it did not show."""
    left = {seen.task for seen in end.rows}
    for task, timeline in by_task.items():
        if timeline.views and task not in left:
            timeline.absences.append(Absence(inf, inf, THE_END))
    for one in operations:
        if one.kind in {*LISTINGS, "snapshot"} and one.outcome == "ok":
            for timeline in _missing(by_task, one):
                timeline.absences.append(Absence(one.began, one.ended, one.name))


def _missing(by_task: Timelines, one: Operation) -> Iterator[Timeline]:
    shown = {seen.task for seen in one.seen}
    for task, timeline in by_task.items():
        if timeline.known < one.began and task not in shown:
            first = timeline.views[0].seen
            if first.user == one.user and LISTINGS.get(one.kind, first.type) == first.type:
                yield timeline
