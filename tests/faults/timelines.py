"""A history told task by task: what was asked of each, and when it was shown to be how."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import inf
from typing import NamedTuple

from tests.faults.history import Operation, Seen

THE_END = "the end"


class FinalState(NamedTuple):
    """What is left: the rows, and over HTTP the pages of each user's list, and a `get` of each row.

    `idempotency_records` has for each user and key the task of the receipt, None for a deletion.
    """

    rows: tuple[Seen, ...]
    listed: tuple[Seen, ...]
    got: tuple[Seen, ...]
    idempotency_records: dict[tuple[str, str], str | None]


class View(NamedTuple):
    """A task that was shown as it was at one moment between `began` and `ended`."""

    began: float
    ended: float
    by: str
    seen: Seen


class Absence(NamedTuple):
    """A task that was said not to be there at one moment between `began` and `ended`."""

    began: float
    ended: float
    by: str


class Timeline:
    """All that was asked of one task, and all that was shown of it."""

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
    def endangered(self) -> float:
        """Since when somebody may have deleted it."""
        return min((one.began for one in self.done_to("delete")), default=inf)

    @cached_property
    def gone(self) -> float:
        """Since when it must not be there."""
        deletions = [one.ended for one in self.done_to("delete") if one.outcome == "ok"]
        absences = [one.ended for one in self.absences if self.known < one.began]
        return min(deletions + absences, default=inf)

    def done_to(self, *kinds: str) -> list[Operation]:
        """Return the writes of these kinds that may have been done."""
        return [one for one in self.writes if one.kind in kinds and one.outcome != "fail"]


class Timelines(dict[str, Timeline]):
    """The life of each task, by its id."""

    def __missing__(self, task: str) -> Timeline:
        self[task] = Timeline(task)
        return self[task]


def timelines(operations: Sequence[Operation], end: FinalState) -> Timelines:
    """Return the life of each task that was ever named."""
    by_task = Timelines()
    for one in operations:
        _add_operation(by_task, one)
    for seen in end.rows:
        by_task[seen.task].views.append(View(inf, inf, THE_END, seen))
    _add_creations(by_task, operations)
    _add_absences(by_task, operations, end)
    return by_task


def _add_operation(by_task: Timelines, one: Operation) -> None:
    if one.outcome == "ok":
        for seen in one.seen:
            by_task[seen.task].views.append(View(one.began, one.ended, one.name, seen))
    if one.task is None:
        return
    if one.kind != "get":
        by_task[one.task].writes.append(one)
    if one.is_absence:
        last = one.attempts[-1]
        by_task[one.task].absences.append(Absence(last.began, last.ended, one.name))


def _add_creations(by_task: Timelines, operations: Sequence[Operation]) -> None:
    made = {one.name: one for one in operations if one.kind == "create"}
    for timeline in by_task.values():
        origins = {view.seen.origin for view in timeline.views}
        timeline.writes.extend(made[origin] for origin in origins if origin in made)


def _add_absences(by_task: Timelines, operations: Sequence[Operation], end: FinalState) -> None:
    """Note of each list, and of the end, which tasks that were known before it did not show."""
    left = {seen.task for seen in end.rows}
    for task, timeline in by_task.items():
        if timeline.views and task not in left:
            timeline.absences.append(Absence(inf, inf, THE_END))
    for one in operations:
        if one.kind == "list" and one.outcome == "ok":
            for timeline in _missing(by_task, one):
                timeline.absences.append(Absence(one.began, one.ended, one.name))


def _missing(by_task: Timelines, one: Operation) -> Iterator[Timeline]:
    shown = {seen.task for seen in one.seen}
    for task, timeline in by_task.items():
        if (
            timeline.known < one.began
            and task not in shown
            and timeline.views[0].seen.user == one.user
        ):
            yield timeline
