"""Sample tasks of three months, in lists, with sub-tasks, series and trash, reproducible."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from random import Random
from typing import Any, NamedTuple

from taskservice.core.ids import NewId
from taskservice.core.ordering import key_above, key_between
from taskservice.core.successors import successor
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.trashed_task import TrashedTask

PERIOD = timedelta(days=90)
"""The age of the oldest task."""

DELETED_WITHIN = timedelta(days=30)
"""The longest time for which a sample task has been in the trash."""

SAMPLE_DEPTH = 3
"""The depth of the deepest sub-task."""

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
_LISTS = ("Shopping", "Büro", "Garden", "読書")
_LABELS = ("home", "work", "errands", "garden", "Büro", "読書")
_ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")
_RECURRENCES = ("FREQ=DAILY", "FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2", "FREQ=MONTHLY;BYMONTHDAY=-1")
_CLOSED = ("completed", "completed", "completed", "cancelled")
_DESCRIPTIONS = (
    None,
    None,
    "Before Friday.",
    "Ask first:\n- when?\n- where?\n- how much?",
    "☎ 555 0100",
)


class _Placed(NamedTuple):
    """A task that others are put below or behind, and its depth."""

    task: Task
    depth: int


def sample_lists(owner: str, now: datetime, new_id: NewId) -> list[TaskList]:
    """Return some lists of `owner` in their order, all older than the sample tasks."""
    before = now - PERIOD - timedelta(hours=len(_LISTS))
    return [
        TaskList.create(owner, before + timedelta(hours=number), new_id, NewTaskList(name=name))
        for number, name in enumerate(_LISTS)
    ]


def sample_tasks(
    owner: str,
    count: int,
    now: datetime,
    new_id: NewId,
    seed: int = 0,
    *,
    lists: Sequence[TaskList] = (),
) -> Iterator[Task]:
    """Yield `count` tasks of `owner`, the oldest first, created in the 90 days before `now`.

    About half of them are closed, and some were edited. They are due on dates, at local
    times and at times in time zones, and have statuses, priorities and labels. Some recur,
    and those that are closed have successors. Where there are `lists`, most are in one of
    them, some are sub-tasks of older ones, and some were moved behind another.
    """
    random = Random(seed)  # noqa: S311
    recent: deque[_Placed] = deque(maxlen=20)
    successors: list[Task] = []
    for number in range(count):
        created = now - PERIOD * (1 - number / count)
        if successors and successors[0].created_at <= created:
            task, parent = successors.pop(0), None
        else:
            parent = _parent(random, recent) if lists else None
            fields = _fields(random, created, is_alone=parent is None)
            new = NewTask(**fields, **_place(random, parent, lists))
            task = Task.create(owner, created, new_id, new)
        task = _with_changes(task, random, (now - task.created_at) / 3)
        if lists and random.random() < 0.1:
            task = _moved(task, recent)
        if following := successor(task, new_id):
            task = replace(task, next_id=following.id)
            successors = sorted([*successors, _behind(task, following)], key=attrgetter("id"))
        recent.append(_Placed(task, parent.depth + 1 if parent else 1))
        yield task


def sample_trash(owner: str, count: int, now: datetime, new_id: NewId) -> list[TrashedTask]:
    """Return `count` tasks of `owner` that were deleted within the last 30 days."""
    tasks = sample_tasks(owner, count, now, new_id, seed=1)
    times = (now - DELETED_WITHIN * number / count for number in range(count))
    return [
        TrashedTask(**vars(task), trashed_at=max(at, task.updated_at), trashed_with=None)
        for task, at in zip(tasks, times, strict=True)
    ]


def _parent(random: Random, recent: Sequence[_Placed]) -> _Placed | None:
    """Return one of the recent tasks for a third of the new ones, if it may have sub-tasks.

    A task that recurs may not.
    """
    if not recent or random.random() > 0.3:
        return None
    found = random.choice(recent)
    return found if found.depth < SAMPLE_DEPTH and found.task.recurrence is None else None


def _place(random: Random, parent: _Placed | None, lists: Sequence[TaskList]) -> dict[str, Any]:
    """Return `list_id` and `parent_id`: those below a task, or in one of the lists or the inbox."""
    if parent:
        return {"list_id": parent.task.list_id, "parent_id": parent.task.id}
    return {"list_id": random.choice((None, *(one.id for one in lists)))} if lists else {}


def _moved(task: Task, recent: Sequence[_Placed]) -> Task:
    """Return the task directly behind the oldest of the recent tasks beside it, if there is one."""
    for other, _ in recent:
        if (other.list_id, other.parent_id) == (task.list_id, task.parent_id):
            return task.placed(task.updated_at, _key_behind(other))
    return task


def _behind(task: Task, following: Task) -> Task:
    """Return a successor that stands directly behind its task."""
    return replace(following, position=_key_behind(task))


def _key_behind(task: Task) -> str:
    return key_between(task.position, key_above(task.position), is_next=True)


def _fields(random: Random, created: datetime, *, is_alone: bool) -> dict[str, Any]:
    dates = _dates(random, created)
    recurs = is_alone and dates and random.random() < 0.2
    return {
        "title": _title(random),
        "description": _description(random),
        "priority": random.choice((None, None, 1, 5, 9)),
        "labels": tuple(random.sample(_LABELS, random.choice((0, 0, 1, 2)))),
        **dates,
        "recurrence": random.choice(_RECURRENCES) if recurs else None,
    }


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
