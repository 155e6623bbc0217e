"""A history told task by task, and list by list: what was asked of each, and how it was shown."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from math import inf
from types import MappingProxyType
from typing import Any, NamedTuple

from tests.faults.history import READS, SNAPSHOTS, Attempt, Kind, Operation, ShownChange
from tests.faults.history import TRASHED as TRASHED_KINDS
from tests.faults.seen import TRASHED, Log, Seen

THE_END = "the end"
LISTINGS: dict[Kind, str] = {"list": "task", "lists": "list", "trash": TRASHED}
"""What shows all entities of a type that a user has."""


class FinalState(NamedTuple):
    """What is left: the rows, and over HTTP all of each user's tasks and lists, and each task.

    The trash belongs to all of these. `idempotency_records` has for each user and key the task
    or list of the receipt, None for a deletion. `log` has the changes, unless nobody has read
    them. `copied` has each user with what a client has that followed them, and `histories` each
    task with its changes, as the service shows them.
    """

    rows: tuple[Seen, ...]
    listed: tuple[Seen, ...]
    got: tuple[Seen, ...]
    idempotency_records: dict[tuple[str, str], str | None]
    log: Log | None = None
    copied: Sequence[tuple[str, tuple[Seen, ...]]] = ()
    histories: Mapping[str, Sequence[ShownChange]] = MappingProxyType({})


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
    """A task that was said not to be there at one moment between `began` and `ended`.

    `places` are where it may have been: in the trash, if only the tasks were looked at.
    """

    began: float
    ended: float
    by: str
    places: frozenset[str]


class Timeline:
    """All that was asked of one task or list, and all that was shown of it.

    `named` are the views of others whose successor it is, and `undos` what may have reopened them.
    `trashed` are the views of it in the trash.
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self.writes: list[Operation] = []
        self.views: list[View] = []
        self.trashed: list[View] = []
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
        return min((view.ended for view in (*self.shown, *self.trashed)), default=inf)

    @cached_property
    def contents(self) -> list[View]:
        """What shows it as it was, among the tasks or in the trash."""
        return [*self.views, *self.trashed]

    @cached_property
    def user(self) -> str:
        """Whose it is."""
        return next((view.seen.user for view in (*self.contents, *self.named)), "")

    @cached_property
    def series(self) -> str | None:
        """The first task of its series, None if it has not recurred."""
        views = (*self.shown, *self.trashed)
        return next((view.seen.series_id for view in views if view.seen.series_id), None)

    @cached_property
    def deletions(self) -> list[Operation]:
        """What may have deleted it. An undo does not remove what was ever changed."""
        is_changed = any(view.seen.version > 1 for view in self.views)
        undos = [one for one in self.undos if one.ended >= self.last_began]
        return [*self.trashings, *self.done_to("delete_list"), *([] if is_changed else undos)]

    @cached_property
    def trashings(self) -> list[Operation]:
        """What may have moved it to the trash, and asked for just that."""
        return [one for one in self.done if one.may_trash]

    @cached_property
    def restorations(self) -> list[Operation]:
        """What may have moved it back, and asked for just that."""
        return [one for one in self.done if one.may_restore]

    @cached_property
    def closings(self) -> list[Operation]:
        """What may have closed it."""
        return [
            one for one in self.done_to("complete", "skip", undoing="completed") if one.completed
        ]

    @cached_property
    def reopenings(self) -> list[Operation]:
        """What may have reopened it."""
        found = self.done_to("complete", undoing="completed")
        return [one for one in found if not one.completed]

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

    @property
    def done(self) -> list[Operation]:
        """The writes that may have been done."""
        return [one for one in self.writes if one.outcome != "fail"]

    def done_to(self, *kinds: Kind, undoing: str = "") -> list[Operation]:
        """Return the writes of these kinds that may have been done, or that set a field back."""
        return [one for one in self.done if one.kind in kinds or undoing in one.fields]


class Timelines(dict[str, Timeline]):
    """The life of each task and list, by its id; and by user what has emptied the trash."""

    def __init__(self) -> None:
        super().__init__()
        self.purges: dict[str, list[Operation]] = defaultdict(list)
        self.presences: dict[str, Any] = {}

    @cached_property
    def made(self) -> dict[str, str]:
        """The task or list that a creation has made, by its name, as far as it was shown."""
        contents = (view.seen for timeline in self.values() for view in timeline.contents)
        return {seen.origin: seen.task for seen in contents if not seen.is_successor}

    @cached_property
    def list_deletions(self) -> list[Operation]:
        """What may have deleted any list."""
        return [one for timeline in self.values() for one in timeline.done_to("delete_list")]

    @cached_property
    def spreads(self) -> dict[str, list[float]]:
        """By user, when something began that may have spread tasks, to make room among them."""
        kinds: tuple[Kind, ...] = (
            *("move", "delete", "delete_tree", "restore", "undo"),
            *("delete_list", "complete", "skip"),
        )
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
        _add_view(by_task, View(inf, inf, THE_END, seen, is_in_snapshot=True))
    _add_creations(by_task, operations)
    _add_successions(by_task)
    _add_absences(by_task, operations, end)
    return by_task


def _add_operation(by_task: Timelines, one: Operation) -> None:
    if one.outcome == "ok":
        for seen in one.seen:
            _add_view(by_task, View(one.began, one.ended, one.name, seen, one.kind in SNAPSHOTS))
    if one.kind == "purge_all":
        by_task.purges[one.user].append(one)
    if one.task is None:
        return
    if one.kind not in READS:
        by_task[one.task].writes.append(one)
    if one.is_absence:
        last = one.attempts[-1]
        absence = Absence(last.began, last.ended, one.name, _elsewhere(one))
        by_task[one.task].absences.append(absence)


def _add_view(by_task: Timelines, view: View) -> None:
    timeline = by_task[view.seen.task]
    (timeline.trashed if view.seen.type == TRASHED else timeline.views).append(view)


def _elsewhere(one: Operation) -> frozenset[str]:
    """Return where a task may be that an operation did not find."""
    if one.kind in {"snapshot", "undo", "history"}:
        return frozenset({"gone"})
    is_in_trash = one.kind == "trash" or one.kind in TRASHED_KINDS
    return frozenset({"live" if is_in_trash else "trash", "gone"})


def _add_creations(by_task: Timelines, operations: Sequence[Operation]) -> None:
    made = {one.name: one for one in operations if one.kind in {"create", "create_list"}}
    for timeline in by_task.values():
        origins = {view.seen.origin for view in timeline.contents if not view.seen.is_successor}
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
            timeline.writes += [_succession(timeline, others)] if timeline.contents else []


def _succession(timeline: Timeline, others: Sequence[Timeline]) -> Operation:
    """Return what made a successor as a creation: with the values of its first known version."""
    first = min((view.seen for view in timeline.contents), key=lambda seen: seen.version)
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
        if timeline.known < inf and task not in left:
            timeline.absences.append(Absence(inf, inf, THE_END, frozenset({"gone"})))
    for one in operations:
        if one.kind in {*LISTINGS, *SNAPSHOTS} and one.outcome == "ok":
            for timeline in _missing(by_task, one):
                absence = Absence(one.began, one.ended, one.name, _elsewhere(one))
                timeline.absences.append(absence)


def _missing(by_task: Timelines, one: Operation) -> Iterator[Timeline]:
    shown = {seen.task for seen in one.seen}
    for task, timeline in by_task.items():
        if timeline.known < one.began and task not in shown and timeline.user == one.user:
            is_list = any(view.seen.type == "list" for view in timeline.views)
            if one.kind in SNAPSHOTS or is_list == (one.kind == "lists"):
                yield timeline
