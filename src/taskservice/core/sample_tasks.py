"""Tasks to show, as they gather in three months of somebody's life: the same for the same seed."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from taskservice.core.ids import NewId
from taskservice.core.task import Task

SPAN = timedelta(days=90)
"""How far back the oldest task was made."""

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
        "the neighbours",
        "the summer",
        "the kitchen",
        "Zoë",
        "東京の友達",
        "the café",
        "the tax office",
    ),
)
_DETAILS = (
    None,
    None,
    "Before Friday.",
    "Ask first:\n- when?\n- where?\n- how much?",
    "☎ 555 0100",
)


def sample_tasks(
    owner: str, count: int, now: datetime, new_id: NewId, seed: int = 0
) -> Iterator[Task]:
    """Yield `count` tasks of `owner`, the oldest first, made in the 90 days before `now`.

    About half of them are completed, and some were changed.
    """
    random = Random(seed)  # noqa: S311
    for number in range(count):
        made = now - SPAN * (1 - number / count)
        task = Task.create(owner, made, new_id, title=_title(random), description=_detail(random))
        yield _lived(task, random, (now - made) / 3)


def _lived(task: Task, random: Random, step: timedelta) -> Task:
    moments = [task.created_at + step * random.random() * part for part in (1, 2)]
    if random.random() < 0.2:
        task = task.edit(moments[0], description="Not so urgent after all.")
    return task.complete(moments[1]) if random.random() < 0.5 else task


def _title(random: Random) -> str:
    return f"{random.choice(_VERBS)} {random.choice(_THINGS)}"


def _detail(random: Random) -> str | None:
    return random.choice(_DETAILS)
