"""Rules about a task that recurs: where its rule counts from, and which values agree with it.

They take some of the values of a task by the names of their fields; see `core.task_rules`.
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from taskservice.core.errors import FieldError
from taskservice.core.local_times import is_time
from taskservice.core.occurrences import days_after
from taskservice.core.recurrence_rule import parse_rule
from taskservice.core.task_rules import Values

REPEATS_FROM = ("schedule", "completion")
"""What the next occurrence counts from: the present one, or the time at which it is closed."""

_INPUTS = {"recurrence", "occurrence", "start", "due", "time_zone"}
_UNTIL = {
    "date": "a date (20261231), as there is no time",
    "local": "a local time (20261231T090000), as there is no time_zone",
    "utc": "in UTC (20261231T080000Z), as there is a time_zone",
}


def implied_occurrence(given: Values, before: Values) -> dict[str, Any]:
    """Return the `occurrence` that follows from the `given` values, if one does.

    For a new recurrence it is `start`, or `due` without a start. So it is if their kind or
    the time zone changes, or if it is given as null. `before` is empty for a new task.
    """
    if not given.keys() & _INPUTS:
        return {}
    after = {**before, **given}
    occurrence, first = given.get("occurrence"), _first(after)
    if occurrence is not None and not (
        occurrence == before.get("occurrence") and _is_outdated(after, first)
    ):
        return {}
    if after.get("recurrence") is None:
        return {"occurrence": None}
    is_kept = "occurrence" not in given and _anchor(after) == _anchor(before)
    return {} if is_kept or first is None else {"occurrence": first}


def recurrence_errors(values: Values) -> Iterator[FieldError]:
    """Yield the errors of `recurrence`, `occurrence`, and the ids of a series."""
    if "start" in values and "due" in values:
        yield from _date_errors(values, _first(values))
    if "series_id" in values:
        yield from _series_errors(values, _first(values))


def _series_errors(values: Values, first: Any) -> Iterator[FieldError]:
    """Yield the errors that only a whole task can have."""
    match values:
        case {"recurrence": None, "occurrence": date()}:
            yield FieldError("occurrence", "must be null without a recurrence")
        case {"occurrence": date() as one} if first is not None and is_time(one) != is_time(first):
            kind = "local date and time" if is_time(first) else "date"
            yield FieldError("occurrence", f"must be a {kind}, as in due and start")
        case {"recurrence": str(), "series_id": None}:
            yield FieldError("series_id", "must not be null with a recurrence")
        case {"recurrence": str(), "occurrence": None} if first is not None:
            yield FieldError("occurrence", "must not be null with a recurrence")
    if not values["completed"] and values["next_id"] is not None:
        yield FieldError("next_id", "must be null in an open task")


def _date_errors(values: Values, first: Any) -> Iterator[FieldError]:
    match values:
        case {"recurrence": str()} if first is None:
            yield FieldError("recurrence", "needs due or start")
        case {"recurrence": str() as text, "time_zone": time_zone}:
            until, form = parse_rule(text).until, _until_form(first, time_zone)
            if until is not None and _until_form(until, _zone(until)) != form:
                yield FieldError("recurrence", f"UNTIL must be {_UNTIL[form]}")


def _zone(until: date) -> object:
    return until.tzinfo if isinstance(until, datetime) else None


def _until_form(value: date, time_zone: object) -> str:
    """Return the form of UNTIL that goes with a value (RFC 5545, section 3.3.10)."""
    if not isinstance(value, datetime):
        return "date"
    return "local" if time_zone is None else "utc"


def new_recurrence_errors(before: Values, after: Values) -> Iterator[FieldError]:
    """Yield the errors of a recurrence that is set or changed. `before` is empty for a new task."""
    if after["recurrence"] is None:
        return
    if not before and after["completed"]:
        yield FieldError("recurrence", "a task that recurs is created open")
    if any(after[name] != before.get(name) for name in ("recurrence", "occurrence")):
        rule, day = parse_rule(after["recurrence"]), to_day(after["occurrence"])
        if rule.is_endless and next(days_after(rule, day, day), None) is None:
            yield FieldError("recurrence", "never occurs again")


def to_day(value: date) -> date:
    """Return a date, or the date of a time."""
    return value.date() if isinstance(value, datetime) else value


def _first(values: Values) -> Any:
    """Return the value that occurrences are of."""
    start = values.get("start")
    return values.get("due") if start is None else start


def _is_outdated(values: Values, first: Any) -> bool:
    """Return whether an occurrence that was sent as it had been read cannot stay."""
    is_other_kind = first is not None and is_time(values["occurrence"]) != is_time(first)
    return values.get("recurrence") is None or is_other_kind


def _anchor(values: Values) -> tuple[object, ...]:
    """Return what an occurrence holds for: if this changes, there is another one."""
    kind = (type(_first(values)), values.get("start") is None)
    return (values.get("recurrence"), values.get("time_zone"), *kind)
