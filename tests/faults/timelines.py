"""A history told task by task: what was asked of each, and when it was shown to be how."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from math import inf
from typing import NamedTuple

from tests.faults.history import Operation, Seen

THE_END = "the end"


class End(NamedTuple):
    """What is left: the rows, and over HTTP the pages of each user's list, and a `get` of each row.

    `receipts` has for each user and key the task of the receipt, None for a deletion.
    """

    rows: tuple[Seen, ...]
    listed: tuple[Seen, ...]
    got: tuple[Seen, ...]
    receipts: dict[tuple[str, str], str | None]


class Sight(NamedTuple):
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


class Life:
    """All that was asked of one task, and all that was shown of it."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.writes: list[Operation] = []
        self.sights: list[Sight] = []
        self.absences: list[Absence] = []

    @cached_property
    def known(self) -> float:
        """Since when it must be there, until somebody may have deleted it."""
        return min((sight.ended for sight in self.sights), default=inf)

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


class Lives(dict[str, Life]):
    """The life of each task, by its id."""

    def __missing__(self, task: str) -> Life:
        self[task] = Life(task)
        return self[task]


def lives(operations: Sequence[Operation], end: End) -> Lives:
    """Return the life of each task that was ever named."""
    told = Lives()
    for one in operations:
        _tell(told, one)
    for seen in end.rows:
        told[seen.task].sights.append(Sight(inf, inf, THE_END, seen))
    _add_creations(told, operations)
    _add_absences(told, operations, end)
    return told


def _tell(told: Lives, one: Operation) -> None:
    if one.outcome == "ok":
        for seen in one.seen:
            told[seen.task].sights.append(Sight(one.began, one.ended, one.name, seen))
    if one.task is None:
        return
    if one.kind != "get":
        told[one.task].writes.append(one)
    if one.is_absence:
        last = one.attempts[-1]
        told[one.task].absences.append(Absence(last.began, last.ended, one.name))


def _add_creations(told: Lives, operations: Sequence[Operation]) -> None:
    made = {one.name: one for one in operations if one.kind == "create"}
    for life in told.values():
        origins = {sight.seen.origin for sight in life.sights}
        life.writes.extend(made[origin] for origin in origins if origin in made)


def _add_absences(told: Lives, operations: Sequence[Operation], end: End) -> None:
    """Note of each list, and of the end, which tasks that were known before it did not show."""
    left = {seen.task for seen in end.rows}
    for task, life in told.items():
        if life.sights and task not in left:
            life.absences.append(Absence(inf, inf, THE_END))
    for one in operations:
        if one.kind == "list" and one.outcome == "ok":
            for life in _missing(told, one):
                life.absences.append(Absence(one.began, one.ended, one.name))


def _missing(told: Lives, one: Operation) -> Iterator[Life]:
    shown = {seen.task for seen in one.seen}
    for task, life in told.items():
        if life.known < one.began and task not in shown and life.sights[0].seen.user == one.user:
            yield life
