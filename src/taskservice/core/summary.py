"""Summary: how many of one owner's tasks are open, done, overdue and due today, at one moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from uuid import UUID

from taskservice.core.filters import Operator, filter_by
from taskservice.core.labels import LabelCount
from taskservice.core.local_times import local_time, to_utc
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import Workspace

LABELS_LIMIT = 100
"""The most labels in a summary."""


@dataclass(frozen=True)
class ListTotals:
    """The numbers of open and of overdue tasks in a list, or in the inbox: None."""

    list_id: UUID | None
    open: int
    overdue: int


@dataclass(frozen=True)
class LabelTotals:
    """The number of open tasks that have a label."""

    label: str
    open: int


@dataclass(frozen=True)
class Summary:
    """The numbers at the local time `now` in a time zone, which is to the second.

    Open tasks that are overdue are due before `now`, and those that are due today on its date, so
    one may be both. Done are those that were completed and not cancelled. `lists` are those with
    open tasks, the inbox first, and `labels` those of open tasks, the most frequent first.
    """

    now: datetime
    time_zone: str
    open: int
    done: int
    overdue: int
    due_today: int
    done_today: int
    lists: Sequence[ListTotals]
    labels: Sequence[LabelTotals]


@dataclass(frozen=True, kw_only=True)
class _Query(TaskQuery):
    """A query for tasks, also by the time at which they were closed."""

    completed_after: datetime | None = filter_by(
        "completed_at", Operator.AT_LEAST, "Only tasks closed at this time or later.", example=None
    )
    completed_before: datetime | None = filter_by(
        "completed_at", Operator.BELOW, "Only tasks closed before this time.", example=None
    )


def summarize(workspace: Workspace, time_zone: str = "UTC") -> Summary:
    """Return the summary of the owner's tasks, in 6 queries. Raises `InvalidEntity` for a zone."""
    now = local_time(workspace.clock(), time_zone).replace(microsecond=0)
    today, tomorrow = now.date(), now.date() + timedelta(days=1)
    start, end = (to_utc(datetime.combine(day, time()), time_zone) for day in (today, tomorrow))
    count, opened_in = workspace.tasks.count_by_list, _Query(completed=False, time_zone=time_zone)
    opened = count(opened_in)
    overdue = count(replace(opened_in, due_before=now))
    due_today = count(replace(opened_in, due_after=today, due_before=tomorrow))
    completed = _Query(status=("completed",))
    done = count(completed)
    done_today = count(replace(completed, completed_after=start, completed_before=end))
    return Summary(
        now=now,
        time_zone=time_zone,
        open=sum(opened.values()),
        done=sum(done.values()),
        overdue=sum(overdue.values()),
        due_today=sum(due_today.values()),
        done_today=sum(done_today.values()),
        lists=[ListTotals(one, opened[one], overdue.get(one, 0)) for one in _ordered(opened)],
        labels=_most_frequent(workspace.tasks.count_labels()),
    )


def _ordered(list_ids: Iterable[UUID | None]) -> Sequence[UUID | None]:
    """Return ids of lists, none first, then by the time of creation."""
    return sorted(list_ids, key=lambda one: (one is not None, str(one)))


def _most_frequent(labels: Sequence[LabelCount]) -> Sequence[LabelTotals]:
    found = sorted((one for one in labels if one.open), key=lambda one: (-one.open, one.label))
    return [LabelTotals(one.label, one.open) for one in found[:LABELS_LIMIT]]
