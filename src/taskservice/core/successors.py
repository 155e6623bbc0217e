"""Successors: the task that follows one of a series, by its recurrence rule and the time.

Dates are computed as they are written, so that a time of day stays when clocks change.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from taskservice.core.ids import NewId
from taskservice.core.local_times import is_time, local_time, to_utc
from taskservice.core.occurrences import days_after
from taskservice.core.recurrence_rule import RecurrenceRule, parse_rule, with_count
from taskservice.core.recurring import to_day
from taskservice.core.task import Task
from taskservice.core.timestamps import YEARS


def successor(closed: Task, new_id: NewId, time_zone: str | None = None) -> Task | None:
    """Return the task that follows one which was just closed, None if there is none.

    Its position is that of the closed one. Raises `InvalidEntity` if the zone data lacks the
    time zone.
    """
    if closed.recurrence is None or closed.completed_at is None:
        return None
    rule, now = parse_rule(closed.recurrence), closed.completed_at
    found = _next_day(closed, rule, local_time(now, closed.time_zone or time_zone or "UTC"))
    dates = _dates(closed, found.day) if found else None
    if not (found and dates) or _is_after_until(dates["occurrence"], rule, closed.time_zone):
        return None
    return replace(
        closed,
        **_NEW,
        **dates,
        id=new_id(now),
        created_at=now,
        updated_at=now,
        recurrence=with_count(closed.recurrence, found.left),
    )


_NEW: dict[str, Any] = {
    "status": "needs-action",
    "completed": False,
    "completed_at": None,
    "version": 1,
    "next_id": None,
}


class _Next(NamedTuple):
    """The day of the next occurrence, and how many there are from it on, None for no end."""

    day: date
    left: int | None


def _next_day(task: Task, rule: RecurrenceRule, now: datetime) -> _Next | None:
    """Return the first day of the rule that has not come at the local time `now`.

    One that was cancelled was not done, so it is on schedule whatever the task repeats from.
    """
    if task.repeats_from == "completion" and task.status != "cancelled":
        return _next_from_today(rule, now.date())
    return _next_on_schedule(rule, task.occurrence, now)


def _next_on_schedule(rule: RecurrenceRule, occurrence: Any, now: datetime) -> _Next | None:
    """Return the first day after an occurrence that is to come. What was missed counts."""
    start, passed = to_day(occurrence), now.date()
    if is_time(occurrence) and occurrence.time() > now.time():
        passed -= timedelta(days=1)
    after = max(start, passed)
    days = days_after(rule, start, start if rule.count else after)
    for count, day in enumerate(days, 1):
        if rule.count is not None and count >= rule.count:
            return None
        if day > after:
            return _Next(day, rule.count and rule.count - count)
    return None


def _next_from_today(rule: RecurrenceRule, today: date) -> _Next | None:
    """Return the first day after today of a rule that starts today.

    If its INTERVAL only leads to days that other parts leave out, it goes by those.
    """
    if rule.count == 1:
        return None
    for each in dict.fromkeys((rule, replace(rule, interval=1))):
        for day in days_after(each, today, today, skip_backward=True):
            return _Next(day, rule.count and rule.count - 1)
    return None


def _dates(closed: Task, day: date) -> dict[str, Any] | None:
    """Return `occurrence`, `start` and `due` of the next task, None if they are too late.

    With a start, the time from the occurrence until `due` stays the same.
    """
    first: Any = closed.occurrence
    occurrence = datetime.combine(day, first.time()) if is_time(first) else day
    due: Any = closed.due
    try:
        if closed.start is not None and due is not None:
            due = max(occurrence + (due - first), occurrence)
    except OverflowError:
        return None
    dates = {
        "occurrence": occurrence,
        "start": closed.start and occurrence,
        "due": due if closed.start else occurrence,
    }
    return dates if all(one is None or one.year in YEARS for one in dates.values()) else None


def _is_after_until(occurrence: Any, rule: RecurrenceRule, time_zone: str | None) -> bool:
    """Return whether an occurrence is after the UNTIL of a rule, which is in UTC or as it is."""
    until: Any = rule.until
    is_utc = isinstance(until, datetime) and until.tzinfo is not None
    at = to_utc(occurrence, time_zone) if is_utc else occurrence
    return until is not None and at > until
