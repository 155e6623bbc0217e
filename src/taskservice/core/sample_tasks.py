"""Sample tasks of three months, reproducible by seed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

from taskservice.core.ids import NewId
from taskservice.core.task import NewTask, Task

PERIOD = timedelta(days=90)
"""The age of the oldest task."""

_VERBS = ("Buy", "Call", "Write to", "Visit", "Pay", "Repair", "Return", "Ask", "Plan", "Clean")
_THINGS = (
    *(
        "stamps",
        "the dentist",
        "grandmother",
        "the library",
        "the rent",
        "the bicycle",
        "the parcel",
    ),
    *(
        "the neighbors",
        "the summer",
        "the kitchen",
        "Zoë",
        "東京の友達",
        "the café",
        "the tax office",
    ),
)
_LABELS = ("home", "work", "errands", "garden", "Büro", "読書")
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")
_CLOSED = ("completed", "completed", "completed", "cancelled")
_DESCRIPTIONS = (
    None,
    None,
    "Before Friday.",
    "Ask first:\n- when?\n- where?\n- how much?",
    "☎ 555 0100",
)


def sample_tasks(
    owner: str, count: int, now: datetime, new_id: NewId, seed: int = 0
) -> Iterator[Task]:
    """Yield `count` tasks of `owner`, the oldest first, created in the 90 days before `now`.

    About half of them are closed, and some were edited. They are due on dates, at local
    times and at times in time zones, and have statuses, priorities and labels.
    """
    random = Random(seed)  # noqa: S311
    for number in range(count):
        created = now - PERIOD * (1 - number / count)
        new = NewTask(
            title=_title(random),
            description=_description(random),
            priority=random.choice((None, None, 1, 5, 9)),
            labels=tuple(random.sample(_LABELS, random.choice((0, 0, 1, 2)))),
            **_dates(random, created),
        )
        task = Task.create(owner, created, new_id, new)
        yield _with_changes(task, random, (now - created) / 3)


def _dates(random: Random, created: datetime) -> dict[str, Any]:
    """Return `due`, `start` and `time_zone`: none, a date, a floating time or one in a zone."""
    hour = created.replace(tzinfo=None, minute=0, second=0, microsecond=0)
    due = hour + timedelta(hours=random.randrange(24, 24 * 60))
    match random.randrange(5):
        case 0 | 1:
            return {}
        case 2:
            return {"due": due.date(), "start": due.date() - timedelta(days=random.randrange(3))}
        case 3:
            return {"due": due}
    return {"due": due.replace(minute=30), "time_zone": random.choice(_ZONES)}


def _with_changes(task: Task, random: Random, interval: timedelta) -> Task:
    edited, completed = (task.created_at + interval * random.random() * n for n in (1, 2))
    if random.random() < 0.2:
        task = task.edit(edited, description="Not so urgent after all.")
    if random.random() < 0.5:
        return task.edit(completed, status=random.choice(_CLOSED))
    return task.edit(completed, status="in-process") if random.random() < 0.2 else task


def _title(random: Random) -> str:
    return f"{random.choice(_VERBS)} {random.choice(_THINGS)}"


def _description(random: Random) -> str | None:
    return random.choice(_DESCRIPTIONS)
