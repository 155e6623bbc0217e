"""The verbs of a task."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from taskservice.core.errors import InvalidTask
from taskservice.core.ids import TaskIds
from taskservice.core.task import Task

NOW = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)
LATER = NOW + timedelta(minutes=5)


def make(**fields: Any) -> Task:
    return Task.create("ada", NOW, TaskIds(), **{"title": "Buy milk", **fields})


def test_a_new_task_is_open_and_at_version_one() -> None:
    """A task begins open, at version 1, with one moment for its creation and its last change."""
    task = make()
    assert (task.completed, task.completed_at, task.version) == (False, None, 1)
    assert task.created_at == task.updated_at == NOW


def test_a_task_may_be_created_completed() -> None:
    """A task that is created completed was completed at the moment of its creation."""
    assert make(completed=True).completed_at == NOW


def test_times_are_kept_in_utc() -> None:
    """A moment in another zone is kept as the same moment in UTC."""
    abroad = NOW.astimezone(timezone(timedelta(hours=9)))
    task = Task.create("ada", abroad, TaskIds(), title="Buy milk")
    assert task.created_at == NOW
    assert task.created_at.tzinfo is UTC


def test_an_edit_keeps_what_it_does_not_name() -> None:
    """A field that an edit does not name keeps its value."""
    before = make(description="Two litres", completed=True)
    after = before.edit(LATER, title="Buy oat milk")
    assert after == replace(before, title="Buy oat milk", updated_at=LATER, version=2)


def test_an_edit_may_clear_the_description() -> None:
    """None clears the description."""
    assert make(description="Two litres").edit(LATER, description=None).description is None


@pytest.mark.parametrize("verb", [Task.complete, lambda task, now: task.edit(now, completed=True)])
def test_completing_sets_the_moment(verb: Any) -> None:
    """Completing an open task sets the moment of its completion, by either verb."""
    after = verb(make(), LATER)
    assert (after.completed, after.completed_at, after.version) == (True, LATER, 2)


@pytest.mark.parametrize("verb", [Task.complete, lambda task, now: task.edit(now, completed=True)])
def test_completing_again_changes_nothing(verb: Any) -> None:
    """A completed task keeps the first moment of its completion, its version and its times."""
    done = make().complete(LATER)
    assert verb(done, LATER + timedelta(hours=1)) is done


def test_reopening_clears_the_moment() -> None:
    """A reopened task has no moment of completion, and may be completed anew."""
    reopened = make(completed=True).reopen(LATER)
    assert (reopened.completed, reopened.completed_at, reopened.version) == (False, None, 2)
    assert reopened.complete(LATER + timedelta(hours=1)).completed_at == LATER + timedelta(hours=1)


def test_a_write_that_changes_nothing_leaves_times_and_version() -> None:
    """An edit to the same values is the same task."""
    task = make(description="Two litres")
    assert task.edit(LATER, title="Buy milk", description="Two litres", completed=False) is task


def test_updated_at_moves_forward_when_the_clock_steps_back() -> None:
    """A clock that stepped back moves no task back: the change comes behind the one before."""
    after = make().complete(NOW - timedelta(hours=1))
    assert after.updated_at > NOW
    assert after.completed_at == after.updated_at
    assert after.created_at == NOW


def test_no_moment_falls_on_a_whole_second() -> None:
    """ISO 8601 writers leave out a fraction of zero: a task's moments always have one."""
    whole = NOW.replace(microsecond=0)
    task = Task.create("ada", whole, TaskIds(), title="Buy milk")
    almost = replace(task, updated_at=whole + timedelta(microseconds=999_999))
    assert task.created_at == whole + timedelta(microseconds=1)
    assert almost.complete(whole).updated_at == whole + timedelta(seconds=1, microseconds=1)


def test_every_broken_rule_is_named() -> None:
    """One error names all that is wrong."""
    with pytest.raises(InvalidTask) as caught:
        make(title=" ", description="\0")
    assert [error.field for error in caught.value.errors] == ["title", "description"]


def test_an_edit_is_held_to_the_rules() -> None:
    """An edit cannot make a task that could not have been created."""
    with pytest.raises(InvalidTask, match="title must not be blank"):
        make().edit(LATER, title="\t \u2003".replace("\t", " "))


@pytest.mark.parametrize("owner", ["", ".", "..", "a b", "ä", "a/b", "a" * 129, "a\n"])
def test_a_task_has_a_proper_owner(owner: str) -> None:
    """No task is created for a name that cannot be an owner's."""
    with pytest.raises(InvalidTask, match="user_id"):
        Task.create(owner, NOW, TaskIds(), title="Buy milk")
