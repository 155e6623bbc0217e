"""Sample tasks of three months, reproducible by seed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

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

    About half of them are completed, and some were edited.
    """
    random = Random(seed)  # noqa: S311
    for number in range(count):
        created = now - PERIOD * (1 - number / count)
        new = NewTask(title=_title(random), description=_description(random))
        task = Task.create(owner, created, new_id, new)
        yield _with_changes(task, random, (now - created) / 3)


def _with_changes(task: Task, random: Random, interval: timedelta) -> Task:
    edited, completed = (task.created_at + interval * random.random() * n for n in (1, 2))
    if random.random() < 0.2:
        task = task.edit(edited, description="Not so urgent after all.")
    return task.complete(completed) if random.random() < 0.5 else task


def _title(random: Random) -> str:
    return f"{random.choice(_VERBS)} {random.choice(_THINGS)}"


def _description(random: Random) -> str | None:
    return random.choice(_DESCRIPTIONS)
