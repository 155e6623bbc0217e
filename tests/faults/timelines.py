"""A history told task by task, and list by list: what was asked of each, and how it was shown."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from math import inf
from typing import NamedTuple

from tests.faults.history import SNAPSHOTS, Attempt, Kind, Operation
from tests.faults.seen import Log, Seen

THE_END = "the end"
LISTINGS: dict[Kind, str] = {"list": "task", "lists": "list"}
"""What shows all entities of a type that a user has."""


class FinalState(NamedTuple):
    """What is left: the rows, and over HTTP all of each user's tasks and lists, and each task.

    `idempotency_records` has for each user and key the task or list of the receipt, None
    for a deletion. `log` has the changes, unless nobody has read them. `copied` has each user with
    what a client has that followed them.
    """

    rows: tuple[Seen, ...]
    listed: tuple[Seen, ...]
    got: tuple[Seen, ...]
    idempotency_records: dict[tuple[str, str], str | None]
    log: Log | None = None
    copied: Sequence[tuple[str, tuple[Seen, ...]]] = ()


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
    """All that was asked of one task or list, and all that was shown of it.

    `named` are the views of others whose successor it is, and `undos` what may have reopened them.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self.writes: list[Operation] = []
        self.views: list[View] = []
        self.named: list[View] = []
        self.undos: list[Operation] = []
        self.absences: list[Absence] = []

    @cached_property
    def shown(self) -> list[View]:
        """What shows that it was there."""
        return [*self.views, *self.named]

    @cached_property
    def known(self) -> float:
        """Since when it must be there, until somebody may have deleted it."""
        return min((view.ended for view in self.shown), default=inf)

    @cached_property
    def series(self) -> str | None:
        """The first task of its series, None if it has not recurred."""
        return next((view.seen.series_id for view in self.shown if view.seen.series_id), None)

    @cached_property
    def deletions(self) -> list[Operation]:
        """What may have deleted it. An undo does not remove what was ever changed."""
        is_changed = any(view.seen.version > 1 for view in self.views)
        undos = [one for one in self.undos if one.ended >= self.last_began]
        return self.done_to("delete", "delete_list") + ([] if is_changed else undos)

    @cached_property
    def closings(self) -> list[Operation]:
        """What may have closed it."""
        return [one for one in self.done_to("complete", "skip") if one.completed]

    @cached_property
    def reopenings(self) -> list[Operation]:
        """What may have reopened it."""
        return [one for one in self.done_to("complete") if not one.completed]

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
        certain = self.done_to("delete", "delete_list")
        deletions = [one.ended for one in certain if one.outcome == "ok"]
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
        kinds: tuple[Kind, ...] = ("move", "delete", "delete_list", "complete", "skip")
        found: dict[str, list[float]] = defaultdict(list)
        for one in (one for timeline in self.values() for one in timeline.done_to(*kinds)):
            insort(found[one.user], one.began)
        return found

    @cached_property
    def series(self) -> dict[str, list[Timeline]]:
        """The tasks of each series. One that nobody saw recur is the first of its own."""
        found: dict[str, list[Timeline]] = defaultdict(list)
        for timeline in self.values():
            found[timeline.series or timeline.task].append(timeline)
        return found

    def others_of_series(self, timeline: Timeline) -> list[Timeline]:
        """Return the other tasks of the series of a task that has recurred."""
        name = timeline.series or timeline.task
        return [one for one in self.series[name] if one is not timeline]

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
    _add_successions(by_task)
    _add_absences(by_task, operations, end)
    return by_task


def _add_operation(by_task: Timelines, one: Operation) -> None:
    if one.outcome == "ok":
        for seen in one.seen:
            view = View(one.began, one.ended, one.name, seen, one.kind in SNAPSHOTS)
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
        origins = {view.seen.origin for view in timeline.views if not view.seen.is_successor}
        timeline.writes.extend(made[origin] for origin in origins if origin in made)


def _add_successions(by_task: Timelines) -> None:
    """Note of each successor what names it, what may take it back, and how it was created."""
    for timeline in [*by_task.values()]:
        for view in timeline.views:
            if view.seen.next_id:
                by_task[view.seen.next_id].named.append(view)
    for timeline in by_task.values():
        if timeline.series not in {None, timeline.task}:
            others = by_task.others_of_series(timeline)
            timeline.undos += (one for other in others for one in other.reopenings)
            timeline.writes += [_succession(timeline, others)] if timeline.views else []


def _succession(timeline: Timeline, others: Sequence[Timeline]) -> Operation:
    """Return what made a successor as a creation: with the values of its first known version."""
    first = min((view.seen for view in timeline.views), key=lambda seen: seen.version)
    began = min((one.began for other in others for one in other.closings), default=-inf)
    return Operation(
        name=f"the successor {timeline.task}",
        kind="create",
        user=first.user,
        task=None,
        title=first.title,
        completed=False,
        key=None,
        attempts=(Attempt(began, timeline.known, 200, "ok", replayed=False),),
        seen=(first,),
        list_id=first.list_id,
        parent_id=first.parent_id,
        place=None,
        beside=None,
        recurrence=first.recurrence,
    )


def _add_absences(by_task: Timelines, operations: Sequence[Operation], end: FinalState) -> None:
    """Note of what shows all, and of the end, which of those known before it did not show."""
    left = {seen.task for seen in end.rows}
    for task, timeline in by_task.items():
        if timeline.shown and task not in left:
            timeline.absences.append(Absence(inf, inf, THE_END))
    for one in operations:
        if one.kind in {*LISTINGS, *SNAPSHOTS} and one.outcome == "ok":
            for timeline in _missing(by_task, one):
                timeline.absences.append(Absence(one.began, one.ended, one.name))


def _missing(by_task: Timelines, one: Operation) -> Iterator[Timeline]:
    shown = {seen.task for seen in one.seen}
    for task, timeline in by_task.items():
        if timeline.known < one.began and task not in shown:
            first = timeline.shown[0].seen
            if first.user == one.user and LISTINGS.get(one.kind, first.type) == first.type:
                yield timeline
