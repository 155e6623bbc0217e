"""Undo: what a change of a task is taken back to, and what is in the way of that."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.entity import Edit
from taskservice.core.errors import InvalidEntity, StaleEntity, TaskNotFound, UndoConflict
from taskservice.core.history import find_task, history
from taskservice.core.moves import Move
from taskservice.core.preconditions import at_version
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, change_task, complete_task, move_task, remove_task
from taskservice.core.trash import purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.undo import undo
from taskservice.core.workspace import OpenOwnWorkspace
from taskservice.testing import ADA, TickingClock

MILK = NewTask(title="Buy milk", description="Two", priority=1)


@pytest.fixture
def open_own() -> OpenOwnWorkspace:
    """The workspace of an owner, in memory."""
    return partial(InMemoryStorage(TickingClock()).open_workspace, ADA)


@pytest.fixture
def task(open_own: OpenOwnWorkspace) -> Task:
    """A task."""
    return add(open_own)


def add(open_own: OpenOwnWorkspace) -> Task:
    """Add a task."""
    with open_own() as workspace:
        return workspace.tasks.add(MILK)


def edit(open_own: OpenOwnWorkspace, task: Task, **values: Any) -> int:
    """Change a task, and return the number of the change."""
    change_task(open_own, task.id, Edit(values))
    return last_number(open_own, task.id)


def last_number(open_own: OpenOwnWorkspace, task_id: UUID) -> int:
    """Return the number of the last change of a task."""
    with open_own() as workspace:
        return history(workspace, task_id, None, 1).changes[0].sequence


def fields(task: Task, *names: str) -> Mapping[str, object]:
    """Return some fields of a task."""
    return {name: getattr(task, name) for name in names}


def conflict(open_own: OpenOwnWorkspace, task: Task, number: int) -> list[str]:
    """Return the fields in the way of an undo."""
    with pytest.raises(UndoConflict) as caught:
        undo(open_own, task.id, number)
    return [one.field for one in caught.value.errors]


def test_an_edit_is_undone_beside_later_ones(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Its fields get their values back, and others keep theirs. It is a change of its own."""
    number = edit(open_own, task, title="Buy bread", description=None)
    edit(open_own, task, priority=9)
    undone = undo(open_own, task.id, number)
    assert (undone.title, undone.description, undone.priority) == ("Buy milk", "Two", 9)
    assert undone.version == 4


def test_a_field_that_was_changed_again_is_named(open_own: OpenOwnWorkspace, task: Task) -> None:
    """And nothing changes, also not the other fields of the edit."""
    number = edit(open_own, task, title="Buy bread", description=None)
    edit(open_own, task, title="Buy butter")
    last = last_number(open_own, task.id)
    assert conflict(open_own, task, number) == ["title"]
    assert last_number(open_own, task.id) == last


def test_a_field_that_has_its_value_again_is_passed_over(
    open_own: OpenOwnWorkspace, task: Task
) -> None:
    """However it got there; the other fields of the edit are set back."""
    number = edit(open_own, task, title="Buy bread", description=None)
    edit(open_own, task, title="Buy milk")
    undone = undo(open_own, task.id, number)
    assert (undone.title, undone.description) == ("Buy milk", "Two")


def test_undoing_again_changes_nothing(open_own: OpenOwnWorkspace, task: Task) -> None:
    """A retry returns the task as it is, of an edit, a removal and a creation."""
    number = edit(open_own, task, title="Buy bread")
    for expected in (Task, TrashedTask):
        undone = undo(open_own, task.id, number)
        last = last_number(open_own, task.id)
        assert undo(open_own, task.id, number) == undone
        assert (type(undone), last_number(open_own, task.id)) == (expected, last)
        number = 1
    removal = last_number(open_own, task.id)
    restored = undo(open_own, task.id, removal)
    assert undo(open_own, task.id, removal) == restored


def test_an_undo_is_undone(open_own: OpenOwnWorkspace, task: Task) -> None:
    """The task is as it was after the edit, and then as before it."""
    number = edit(open_own, task, title="Buy bread")
    for title in ("Buy milk", "Buy bread", "Buy milk"):
        assert undo(open_own, task.id, number).title == title
        number = last_number(open_own, task.id)


def test_a_completion_is_undone_by_reopening(open_own: OpenOwnWorkspace, task: Task) -> None:
    """With the status that the task had; and a reopening by a completion."""
    edit(open_own, task, status="in-process")
    complete_task(open_own, task.id, Completion(completed=True))
    number = last_number(open_own, task.id)
    undone = undo(open_own, task.id, number)
    assert fields(undone, "status", "completed", "completed_at") == {
        "status": "in-process",
        "completed": False,
        "completed_at": None,
    }
    again = undo(open_own, task.id, last_number(open_own, task.id))
    assert (again.status, again.completed, again.completed_at) == (
        "completed",
        True,
        again.updated_at,
    )


def test_a_move_is_undone_unless_it_was_moved_again(open_own: OpenOwnWorkspace) -> None:
    """Then the conflict is its position."""
    tasks = [add(open_own) for _ in range(3)]
    move_task(open_own, tasks[2].id, Move(place="first"))
    number = last_number(open_own, tasks[2].id)
    assert undo(open_own, tasks[2].id, number).position == tasks[2].position
    again = last_number(open_own, tasks[2].id)
    move_task(open_own, tasks[2].id, Move(after=tasks[0].id))
    assert conflict(open_own, tasks[2], again) == ["position"]


def test_a_change_of_parent_is_undone_unless_that_is_below_it(
    open_own: OpenOwnWorkspace, task: Task
) -> None:
    """The rules of trees hold: the conflict names the parent."""
    below = add(open_own)
    edit(open_own, task, parent_id=below.id)
    number = edit(open_own, task, parent_id=None)
    assert undo(open_own, task.id, number).parent_id == below.id
    again = edit(open_own, task, parent_id=None)
    edit(open_own, below, parent_id=task.id)
    assert "parent_id" in conflict(open_own, task, again)


def test_an_edit_is_not_undone_in_the_trash(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Before the task is restored, unless there is nothing to set."""
    number = edit(open_own, task, title="Buy bread")
    remove_task(open_own, task.id)
    assert conflict(open_own, task, number) == ["trashed_at"]
    restore_task(open_own, task.id)
    assert undo(open_own, task.id, number).title == "Buy milk"


@pytest.mark.parametrize("number", [0, 2, 3, 99])
def test_the_number_is_that_of_a_change_of_the_task(
    open_own: OpenOwnWorkspace, task: Task, number: int
) -> None:
    """Not of another one, nor of none."""
    add(open_own)
    with pytest.raises(InvalidEntity) as caught:
        undo(open_own, task.id, number)
    assert [one.field for one in caught.value.errors] == ["sequence"]


@pytest.mark.parametrize("in_trash", [False, True])
def test_a_change_before_a_purge_is_not_undone(in_trash: bool) -> None:
    """Although the task is imported again, under its id, into the tasks or the trash."""
    storage = InMemoryStorage(TickingClock())
    open_own: OpenOwnWorkspace = partial(storage.open_workspace, ADA)
    task = add(open_own)
    edit(open_own, task, title="Buy bread")
    remove_task(open_own, task.id)
    with open_own() as workspace:
        trashed = workspace.trash.get(task.id)
    purge_task(open_own, task.id)
    again = trashed if in_trash else trashed.task
    assert storage.open_owner_data(ADA).import_entities([again]) == []
    for number in (1, 2, 3, 4):
        with pytest.raises(InvalidEntity, match="no longer known"):
            undo(open_own, task.id, number)
    with open_own() as workspace:
        assert find_task(workspace, task.id) == again


def test_undo_needs_the_task_and_its_precondition(open_own: OpenOwnWorkspace, task: Task) -> None:
    """One that was purged, or never there, is not found."""
    number = edit(open_own, task, title="Buy bread")
    with pytest.raises(StaleEntity):
        undo(open_own, task.id, number, at_version([1]))
    remove_task(open_own, task.id)
    purge_task(open_own, task.id)
    for task_id in (task.id, uuid4()):
        with pytest.raises(TaskNotFound):
            undo(open_own, task_id, number)


def test_pages_of_a_history_end_with_the_creation(open_own: OpenOwnWorkspace, task: Task) -> None:
    """The newest first. The next page begins before the last number of the one before."""
    numbers = [1, *(edit(open_own, task, title=f"{n}") for n in range(4))]
    found: list[int] = []
    with open_own() as workspace:
        page = history(workspace, task.id, None, 2)
        while page.next is not None:
            assert page.next == page.changes[-1].sequence
            found += [one.sequence for one in page.changes]
            page = history(workspace, task.id, page.next, 2)
    assert [*found, *(one.sequence for one in page.changes)] == numbers[::-1]


BERLIN = "Europe/Berlin"
MORNING = datetime(2030, 1, 7, 9)


def test_a_time_zone_that_was_set_later_stays(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Without the time that the undo takes away it would have to go."""
    edit(open_own, task, due=date(2030, 1, 7))
    number = edit(open_own, task, due=MORNING)
    edit(open_own, task, time_zone=BERLIN)
    assert conflict(open_own, task, number) == ["time_zone"]


def test_a_time_comes_back_as_the_same_moment_only(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Its time zone ceased with another time."""
    edit(open_own, task, start=MORNING, due=MORNING, time_zone=BERLIN)
    number = edit(open_own, task, start=None)
    other = edit(open_own, task, due=None)
    assert conflict(open_own, task, number) == ["time_zone"]
    undo(open_own, task.id, other)
    assert undo(open_own, task.id, number).start == MORNING


def test_a_series_does_not_move_with_its_rule(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Where the recurrence puts the task stays, if only the task was moved since."""
    day = date(2030, 1, 7)
    edit(open_own, task, due=day, recurrence="FREQ=WEEKLY")
    number = edit(open_own, task, recurrence="FREQ=DAILY")
    edit(open_own, task, due=date(2030, 1, 10))
    undone = undo(open_own, task.id, number)
    assert (undone.recurrence, undone.occurrence) == ("FREQ=WEEKLY", day)


def test_a_series_that_was_begun_later_stays(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Its first occurrence is a time, as the task had one then."""
    edit(open_own, task, due=date(2030, 1, 9))
    number = edit(open_own, task, due=MORNING)
    edit(open_own, task, recurrence="FREQ=WEEKLY")
    assert conflict(open_own, task, number) == ["occurrence"]


def test_a_reopening_is_undone_beside_a_changed_successor(
    open_own: OpenOwnWorkspace, task: Task
) -> None:
    """The task is closed with its recurrence, as before, and makes no other successor."""
    edit(open_own, task, due=date(2030, 1, 7), recurrence="FREQ=WEEKLY")
    closed = complete_task(open_own, task.id, Completion(completed=True))
    assert closed.next_id is not None
    change_task(open_own, closed.next_id, Edit({"title": "By hand"}))
    assert undo(open_own, task.id, last_number(open_own, task.id)).recurrence is None
    again = undo(open_own, task.id, last_number(open_own, task.id))
    assert (again.completed, again.recurrence, again.next_id) == (True, "FREQ=WEEKLY", None)
    with open_own() as workspace:
        assert len(workspace.tasks.list(TaskQuery()).items) == 2


def test_a_task_is_closed_again_in_the_time_zone_of_the_caller(
    open_own: OpenOwnWorkspace, task: Task
) -> None:
    """Its successor is due on the day after theirs. In UTC it is another day."""
    edit(open_own, task, due=date(2026, 2, 1), recurrence="FREQ=DAILY")
    complete_task(open_own, task.id, Completion(completed=True))
    undo(open_own, task.id, last_number(open_own, task.id))
    number, due = last_number(open_own, task.id), {}
    for time_zone in ("Pacific/Kiritimati", None):
        closed = undo(open_own, task.id, number, time_zone=time_zone)
        assert closed.next_id is not None
        with open_own() as workspace:
            due[time_zone] = workspace.tasks.get(closed.next_id).due
        complete_task(open_own, task.id, Completion(completed=False))
        number = last_number(open_own, task.id)
    assert due == {"Pacific/Kiritimati": date(2026, 2, 11), None: date(2026, 2, 10)}


DATES = (None, date(2030, 1, 7), date(2030, 1, 9), MORNING, datetime(2030, 1, 8, 10))
VALUES: dict[str, tuple[object, ...]] = {
    "title": ("Buy milk", "Buy bread"),
    "due": DATES,
    "start": DATES,
    "occurrence": DATES,
    "time_zone": (None, BERLIN, "America/New_York"),
    "recurrence": (None, "FREQ=DAILY", "FREQ=WEEKLY"),
    "status": ("needs-action", "in-process", "completed", "cancelled"),
}


@pytest.mark.parametrize("seed", range(300))
def test_an_undo_changes_what_its_change_did(open_own: OpenOwnWorkspace, seed: int) -> None:
    """No other field that a person sets; each of its own is as before, or it is a conflict."""
    random = Random(seed)  # noqa: S311
    task = add(open_own)
    for _ in range(5):
        edits = {name: random.choice(VALUES[name]) for name in random.sample([*VALUES], 2)}
        with suppress(InvalidEntity):
            change_task(open_own, task.id, Edit(edits))
    with open_own() as workspace:
        *changes, _ = history(workspace, task.id, None, 9).changes
        before = workspace.tasks.get(task.id)
    for number, change in random.sample(changes, min(1, len(changes))):
        with suppress(UndoConflict):
            after = undo(open_own, task.id, number)
            assert undo(open_own, task.id, number) == after
            changed = {name for name in VALUES if getattr(after, name) != getattr(before, name)}
            assert changed <= {*(change.previous or {})}
