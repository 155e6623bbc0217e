"""Rules about several fields of a task: its status and completion, its dates and time zone.

They take some of the values of a task by the names of their fields, and test the rules
whose fields are there.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from taskservice.core.entity import Find
from taskservice.core.errors import FieldError
from taskservice.core.local_times import is_time, to_digits

Values = Mapping[str, Any]
"""Some or all values of a task by the names of their fields."""

STATUSES = ("needs-action", "in-process", "completed", "cancelled")
"""The statuses of a task: those of a VTODO (RFC 5545, section 3.8.1.11), in lower case."""

CLOSED_STATUSES = {"completed", "cancelled"}
"""The statuses of a task whose `completed` is true."""

DEPTH_LIMIT = 10
"""The depth of the deepest sub-task; that of a task without a parent is 1."""


def implied_status(given: Values, before: Values) -> dict[str, Any]:
    """Return `completed` or `status` if only the other is given.

    `before` has the fields before an edit, none for a new task. A closed task that is
    completed keeps its status, and so does an open one that is reopened.
    """
    match given:
        case {"status": _, "completed": _}:
            return {}
        case {"status": status}:
            return {"completed": status in CLOSED_STATUSES}
        case {"completed": completed} if completed is not before.get("completed"):
            return {"status": "completed" if completed else "needs-action"}
    return {}


def implied_time_zone(given: Values, before: Values) -> dict[str, Any]:
    """Return the time zone of a task whose dates are edited without it.

    It stays while there is a time that is in it.
    """
    if not before or "time_zone" in given or not given.keys() & {"due", "start"}:
        return {}
    after = {**before, **given}
    has_time = is_time(after["due"]) or is_time(after["start"])
    return {"time_zone": before["time_zone"] if has_time else None}


def status_errors(values: Values) -> Iterator[FieldError]:
    """Yield the errors of `completed` and `completed_at`."""
    match values:
        case {"completed": completed, "status": status}:
            if completed != (status in CLOSED_STATUSES):
                yield FieldError("completed", "does not agree with status")
    match values:
        case {"completed": completed, "completed_at": at} if completed != (at is not None):
            yield FieldError("completed", "must be true if completed_at is set, and only then")
    match values:
        case {"completed_at": datetime() as at, "created_at": created, "updated_at": updated}:
            if not created <= at <= updated:
                yield FieldError("completed_at", "must be between created_at and updated_at")


def local_time_errors(values: Values) -> Iterator[FieldError]:
    """Yield the errors of `start` and `time_zone`.

    `due` and `start` are both dates or both times (RFC 5545, section 3.8.2.3). They may be equal.
    """
    match values:
        case {"due": date() as due, "start": date() as start}:
            if is_time(due) != is_time(start):
                kind = "local date and time" if is_time(due) else "date"
                yield FieldError("start", f"must be a {kind}, as due is")
            elif to_digits(start) > to_digits(due):
                yield FieldError("start", "must not be after due")
    if isinstance(values.get("time_zone"), str) and not _may_have_time(values):
        yield FieldError("time_zone", "needs a time in due or start")


def _may_have_time(values: Values) -> bool:
    """Return whether there is a time, or may be: beside a date there is none."""
    dates = [values[name] for name in ("due", "start") if name in values]
    if any(map(is_time, dates)):
        return True
    return len(dates) < 2 and all(one is None for one in dates)


def parent_errors(values: Values, find: Find, height: int) -> Iterator[FieldError]:
    """Yield the error of a parent that exists; see `Entity.placement_errors`."""
    path = _ancestors(values["parent_id"], find)
    if not path:
        return
    if any(one.id == values.get("id") for one in path):
        yield FieldError("parent_id", "would be under itself")
    elif len(path) + height > DEPTH_LIMIT:
        yield FieldError("parent_id", f"would be deeper than {DEPTH_LIMIT}")
    elif path[0].list_id != values["list_id"]:
        yield FieldError("parent_id", "is in another list")
    elif path[0].recurrence is not None:
        yield FieldError("parent_id", "recurs, and such a task has no sub-tasks")
    elif values["recurrence"] is not None:
        yield FieldError("parent_id", "must be null, as a sub-task does not recur")


def _ancestors(parent_id: UUID | None, find: Find) -> list[Any]:
    """Return the task with this id and those above it, the nearest first."""
    path: list[Any] = []
    while len(path) < DEPTH_LIMIT and parent_id and (parent := find("task", parent_id)):
        path.append(parent)
        parent_id = path[-1].parent_id
    return path
