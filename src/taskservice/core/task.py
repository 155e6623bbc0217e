"""The task entity: its fields and operations, which return a new task and have no side effects."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from taskservice.core.entity import Find, created_at, updated_at, version
from taskservice.core.errors import FieldError, TaskNotFound
from taskservice.core.fields import field, with_fields
from taskservice.core.kinds import (
    Boolean,
    Choice,
    Identifier,
    Integer,
    Line,
    Reference,
    Text,
    Timestamp,
)
from taskservice.core.labels import Labels, fold_labels
from taskservice.core.local_times import DateOrTime, to_utc
from taskservice.core.ordering import Ordered, position
from taskservice.core.recurrence_rule import RecurrenceText
from taskservice.core.recurring import (
    REPEATS_FROM,
    implied_occurrence,
    new_recurrence_errors,
    recurrence_errors,
)
from taskservice.core.task_rules import (
    STATUSES,
    implied_status,
    implied_time_zone,
    local_time_errors,
    parent_errors,
    status_errors,
)
from taskservice.core.zones import TimeZone

TITLE_LIMIT = 255
"""The maximum length of a title, in code points."""

DESCRIPTION_LIMIT = 10_000
"""The maximum length of a description, in code points."""


@with_fields
class NewTask:
    """The fields of a task that its owner sets."""

    title: str = field(
        Line(TITLE_LIMIT),
        "The title: one line of text, not only whitespace.",
        example="Buy milk",
        sortable=True,
    )
    description: str | None = field(
        Text(DESCRIPTION_LIMIT), "A longer text, or null.", example=None, default=None
    )
    completed: bool = field(
        Boolean(),
        "Whether the task is closed: its status is `completed` or `cancelled`. True completes "
        "an open task, false reopens a closed one.",
        example=False,
        default=False,
    )
    status: str = field(
        Choice(STATUSES),
        "One of `needs-action`, `in-process`, `completed` and `cancelled`. Later versions may "
        "have others.",
        example="needs-action",
        default="needs-action",
        since=3,
    )
    due: date | None = field(
        DateOrTime(),
        "When the task is due: a date, until the end of it; or a local date and time without an "
        "offset, in the `time_zone` or wherever the reader is; or null.",
        example=None,
        default=None,
        sortable=True,
        since=3,
    )
    start: date | None = field(
        DateOrTime(),
        "When to begin: a date if `due` is one, or a local date and time; or null. Not after "
        "`due`.",
        example=None,
        default=None,
        since=3,
    )
    time_zone: str | None = field(
        TimeZone(),
        "The IANA time zone of the times in `due` and `start`, kept as sent. Null if they are "
        "dates, or times wherever the reader is.",
        example=None,
        default=None,
        since=3,
    )
    priority: int | None = field(
        Integer(1, 9, "must be from 1 (highest) to 9 (lowest), or null for none"),
        "From 1 (highest) to 9 (lowest), or null for none. Of three levels, high is 1, "
        "medium 5 and low 9 (RFC 5545, section 3.8.1.9).",
        example=None,
        default=None,
        since=3,
    )
    labels: tuple[str, ...] = field(
        Labels(),
        "Short names, in the order of code points. Each is one line without a comma, and there "
        "only once, whatever the case. Never null: an empty array removes all.",
        example=[],
        default=(),
        since=3,
    )
    list_id: UUID | None = field(
        Reference("list"),
        "The list that the task is in, or null: the inbox. Its sub-tasks go along.",
        example=None,
        default=None,
        since=4,
    )
    parent_id: UUID | None = field(
        Reference("task"),
        "The task that this one is a sub-task of, or null. A sub-task is in the list of its "
        "parent.",
        example=None,
        default=None,
        since=4,
    )
    recurrence: str | None = field(
        RecurrenceText(),
        "How the task recurs, or null: the value of an iCalendar RRULE (RFC 5545, section "
        "3.3.10), kept as sent. Closing the task then makes its successor. It needs `due` or "
        "`start`. COUNT counts from this occurrence on.",
        example=None,
        default=None,
        since=5,
    )
    repeats_from: str = field(
        Choice(REPEATS_FROM),
        "What the next occurrence counts from: `schedule`, which is `occurrence`, or "
        "`completion`, the day on which the task is completed. Later versions may have others.",
        example="schedule",
        default="schedule",
        since=5,
    )
    occurrence: date | None = field(
        DateOrTime(),
        "Where the recurrence puts this task: `start`, or `due` without a start, as it was when "
        "the recurrence was set. To move only this task, change `start`, or `due` without a "
        "start. To move the series, send null here too.",
        example=None,
        default=None,
        since=5,
    )


@with_fields
class Task(NewTask, Ordered):
    """One owner's task; see `core.fields` for the order of its fields.

    A task is closed, `completed`, if its status is one of `CLOSED_STATUSES`. Its time
    zone is that of the times in `due` and `start`; without such a time it has none.
    """

    completed_at: datetime | None = field(
        Timestamp(),
        "The time at which the task was closed, null while open.",
        example=None,
        default=None,
    )
    created_at: datetime = created_at()
    updated_at: datetime = updated_at()
    version: int = version()
    position: str = position(since=4)
    series_id: UUID | None = field(
        Identifier(),
        "The first task of the series that the task belongs to; it may be deleted. Null if the "
        "task has never recurred.",
        example=None,
        default=None,
        since=5,
    )
    next_id: UUID | None = field(
        Identifier(),
        "The successor that was made when the task was closed; it may be deleted. Null while "
        "the task is open, and if there is none.",
        example=None,
        default=None,
        since=5,
    )

    type_name: ClassVar = "task"
    new_type: ClassVar = NewTask
    not_found: ClassVar = TaskNotFound

    @property
    def search_text(self) -> str:
        """Title and description with case folding, for the search; no match spans both."""
        return f"{self.title}\x1f{self.description or ''}".casefold()

    @property
    def label_search_text(self) -> str:
        """The labels with case folding, for filters; see `fold_labels`."""
        return fold_labels(self.labels)

    @property
    def due_utc(self) -> datetime | None:
        """The moment at which the task is due, None unless `due` is a time in a time zone."""
        return to_utc(self.due, self.time_zone)

    @property
    def start_utc(self) -> datetime | None:
        """The moment at which to begin, None unless `start` is a time in a time zone."""
        return to_utc(self.start, self.time_zone)

    def complete(self, now: datetime) -> Self:
        """Return the task closed. A closed task keeps its status and its `completed_at`."""
        return self.edit(now, completed=True)

    def reopen(self, now: datetime) -> Self:
        """Return the task open, without `completed_at`. An open task keeps its status."""
        return self.edit(now, completed=False)

    def derived(self, now: datetime) -> Self:
        """Return the task with `completed_at`, `series_id` and `next_id` as they follow."""
        derived: dict[str, Any] = {
            "completed_at": (self.completed_at or now) if self.completed else None,
            "series_id": self.series_id or (self.id if self.recurrence else None),
            "next_id": self.next_id if self.completed else None,
        }
        return self if derived.items() <= vars(self).items() else self._with(derived)

    @classmethod
    def implied(cls, given: Mapping[str, Any], before: Self | None = None) -> dict[str, Any]:
        """Return `completed` or `status` if the other is given, and the time zone of new times.

        A time in the zone that it had before is in that zone. Labels have an order. A new
        recurrence has an occurrence.
        """
        earlier = {} if before is None else vars(before)
        zone = implied_time_zone(given, earlier)
        return {
            **implied_status(given, earlier),
            **zone,
            **implied_occurrence({**given, **zone}, earlier),
            **({"labels": tuple(sorted(given["labels"], key=str))} if "labels" in given else {}),
        }

    @classmethod
    def rule_errors(cls, values: Mapping[str, Any]) -> Iterator[FieldError]:
        """Yield the errors of the status, of dates and times, and of the recurrence."""
        yield from status_errors(values)
        yield from local_time_errors(values)
        yield from recurrence_errors(values)

    def change_errors(self, before: Self | None) -> Iterator[FieldError]:
        """Yield the errors of a recurrence that is set or changed."""
        yield from new_recurrence_errors({} if before is None else vars(before), vars(self))

    def change_name(self, changed: Collection[str]) -> str:
        """Return `completed`, `cancelled` or `reopened` if the status says so."""
        if "status" in changed and self.completed:
            return self.status
        return "reopened" if "completed" in changed else super().change_name(changed)

    @classmethod
    def placement_errors(
        cls, values: Mapping[str, Any], find: Find, height: int = 1
    ) -> Iterator[FieldError]:
        """Yield the error of the parent."""
        yield from parent_errors(values, find, height)
