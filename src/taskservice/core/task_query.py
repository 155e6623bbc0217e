"""The query of tasks: its filters."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from taskservice.core.errors import FieldError
from taskservice.core.filters import Filter, Operator, filter_by
from taskservice.core.kinds import Boolean, Reference, ReferenceFilter, SearchText, WordList
from taskservice.core.labels import LABELS_PER_FILTER, Labels
from taskservice.core.local_times import (
    DateOrTime,
    LocalTime,
    bound_in,
    start_of,
    to_digits,
    to_utc,
)
from taskservice.core.query import Query
from taskservice.core.task import Task
from taskservice.core.task_rules import CLOSED_STATUSES, STATUSES

SEARCH_LIMIT = 255
"""The maximum length of a search text, in code points."""

_NUMBERS = tuple((str(number), (number,)) for number in range(1, 10))
_LEVELS: dict[str, tuple[int | None, ...]] = {
    "high": (1, 2, 3, 4),
    "medium": (5,),
    "low": (6, 7, 8, 9),
    "none": (None,),
}

_MIDNIGHT = "2026-02-09T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class TaskQuery(Query[Task]):
    """A query for one owner's tasks. A filter that is None admits every task.

    Times `…_after` are inclusive, times `…_before` exclusive. Those of creation and change
    are aware. The others are dates or local times: for a task with a time zone, its moment
    is compared with theirs in `time_zone`, by default UTC; for others, the written time.
    A date starts at 00:00:00, but a task with such a `due` is due at the end of that day.
    """

    entity_type: ClassVar = Task

    completed: bool | None = filter_by(
        "completed",
        Operator.EQUALS,
        "Only closed tasks, which are completed or cancelled (true), or only open tasks (false). "
        "Empty counts as absent.",
        example=False,
    )
    text: str | None = filter_by(
        "search_text",
        Operator.CONTAINS,
        "Only tasks with this text in title or description. Case is ignored. Empty counts "
        "as absent.",
        example="milk",
        kind=SearchText(SEARCH_LIMIT),
        parameter="q",
    )
    created_after: datetime | None = filter_by(
        "created_at",
        Operator.AT_LEAST,
        "Only tasks created at this time or later.",
        example=_MIDNIGHT,
    )
    created_before: datetime | None = filter_by(
        "created_at", Operator.BELOW, "Only tasks created before this time.", example=_MIDNIGHT
    )
    updated_after: datetime | None = filter_by(
        "updated_at",
        Operator.AT_LEAST,
        "Only tasks changed at this time or later.",
        example=_MIDNIGHT,
    )
    updated_before: datetime | None = filter_by(
        "updated_at", Operator.BELOW, "Only tasks changed before this time.", example=_MIDNIGHT
    )
    due_after: date | None = filter_by(
        "due",
        Operator.AT_LEAST,
        "Only tasks that are due at this date or local time or later, seen from `time_zone`. A "
        "task that is due on a date is due until the end of that day.",
        example="2026-11-29",
    )
    due_before: date | None = filter_by(
        "due",
        Operator.BELOW,
        "Only tasks that are due before this date or local time, seen from `time_zone`.",
        example="2026-11-30T09:00:00",
    )
    available_at: date | None = filter_by(
        "start",
        Operator.AT_MOST_OR_NULL,
        "Only tasks whose `start` has come at this date or local time, seen from `time_zone`, and "
        "those without one.",
        example="2026-11-29T09:00:00",
    )
    time_zone: str | None = filter_by(
        "time_zone",
        Operator.CONTEXT,
        "The IANA time zone of `due_after`, `due_before` and `available_at`, to compare them with "
        "tasks that have a time zone themselves. The default is UTC.",
        example="Europe/Berlin",
    )
    has_due: bool | None = filter_by(
        "due",
        Operator.IS_SET,
        "Only tasks that have a due date (true) or none (false). Empty counts as absent.",
        example=True,
        kind=Boolean(),
    )
    status: tuple[str, ...] | None = filter_by(
        "status",
        Operator.IN,
        "Only tasks with one of these statuses.",
        example=["in-process"],
        kind=WordList(tuple((status, (status,)) for status in STATUSES)),
    )
    priority: tuple[int | None, ...] | None = filter_by(
        "priority",
        Operator.IN,
        "Only tasks with one of these priorities: `high` is 1 to 4, `medium` 5, `low` 6 to 9.",
        example=["high"],
        kind=WordList((*_NUMBERS, *_LEVELS.items())),
    )
    labels_all: tuple[str, ...] | None = filter_by(
        "labels",
        Operator.HAS_ALL,
        "Only tasks with all of these labels, whatever the case.",
        example=["home"],
        kind=Labels(LABELS_PER_FILTER),
    )
    labels_any: tuple[str, ...] | None = filter_by(
        "labels",
        Operator.HAS_ANY,
        "Only tasks with one of these labels or more, whatever the case.",
        example=["home", "garden"],
        kind=Labels(LABELS_PER_FILTER),
    )
    list_id: tuple[UUID | None] | None = filter_by(
        "list_id",
        Operator.IN,
        "Only tasks in the list with this id, or in the `inbox`: in no list.",
        example="inbox",
        kind=ReferenceFilter("inbox"),
    )
    parent_id: tuple[UUID | None] | None = filter_by(
        "parent_id",
        Operator.IN,
        "Only sub-tasks of the task with this id, or with `none` only tasks that are no sub-task.",
        example="none",
        kind=ReferenceFilter("none"),
    )
    series_id: UUID | None = filter_by(
        "series_id",
        Operator.EQUALS,
        "Only tasks of the series with this id: a task that recurs, and those before it.",
        example="01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11",
        kind=Reference("task"),
    )

    @property
    def filters(self) -> dict[str, Any]:
        """The values of the filters by name; a list of open statuses has open tasks only.

        So an index of open tasks serves it.
        """
        filters = super().filters
        if self.status is not None and not CLOSED_STATUSES & {*self.status}:
            filters.setdefault("completed", False)
        return filters

    def rule_errors(self) -> Iterator[FieldError]:
        """Yield the error of a sort by position, which is an order within a list."""
        if self.sort.field == "position" and self.list_id is None:
            yield FieldError("sort", "position needs list_id")

    def bound(self, one: Filter, value: Any) -> Any:
        """Return what a filter with this value compares with; for a date, a `LocalTime`."""
        if isinstance(one.kind, DateOrTime):
            return bound_in(value, self.time_zone or "UTC")
        return value

    def value(self, entity: Task, one: Filter) -> Any:
        """Return the value of a task that a filter compares; for a date, a `LocalTime`."""
        value = super().value(entity, one)
        if value is None or not isinstance(one.kind, DateOrTime):
            return value
        written = value if one.field == "due" else start_of(value)
        return LocalTime(to_digits(written), to_utc(value, entity.time_zone))
