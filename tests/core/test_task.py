"""The verbs of a task."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from taskservice.core.errors import InvalidEntity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task

NOW = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)
LATER = NOW + timedelta(minutes=5)


def make(**fields: Any) -> Task:
    return Task.create("ada", NOW, TimeOrderedIds(), NewTask(**{"title": "Buy milk", **fields}))


def test_a_new_task_is_open_and_at_version_one() -> None:
    """A new task is open, at version 1, and its `updated_at` is its `created_at`."""
    task = make()
    assert (task.completed, task.completed_at, task.version) == (False, None, 1)
    assert task.created_at == task.updated_at == NOW


def test_a_task_may_be_created_completed() -> None:
    """Its `completed_at` is its `created_at`."""
    assert make(completed=True).completed_at == NOW


def test_times_are_converted_to_utc() -> None:
    """A time in another zone is stored as the same time in UTC."""
    abroad = NOW.astimezone(timezone(timedelta(hours=9)))
    task = Task.create("ada", abroad, TimeOrderedIds(), NewTask(title="Buy milk"))
    assert task.created_at == NOW
    assert task.created_at.tzinfo is UTC


def test_an_edit_keeps_other_fields() -> None:
    """A field that is missing in an edit keeps its value."""
    before = make(description="Two liters", completed=True)
    after = before.edit(LATER, title="Buy oat milk")
    assert after == replace(before, title="Buy oat milk", updated_at=LATER, version=2)


def test_an_edit_may_clear_the_description() -> None:
    """None clears the description."""
    assert make(description="Two liters").edit(LATER, description=None).description is None


@pytest.mark.parametrize("verb", [Task.complete, lambda task, now: task.edit(now, completed=True)])
def test_completing_sets_completed_at(verb: Any) -> None:
    """Both verbs that complete an open task set `completed_at`."""
    after = verb(make(), LATER)
    assert (after.completed, after.completed_at, after.version) == (True, LATER, 2)


@pytest.mark.parametrize("verb", [Task.complete, lambda task, now: task.edit(now, completed=True)])
def test_completing_again_changes_nothing(verb: Any) -> None:
    """A completed task keeps its `completed_at`, its version and its times."""
    done = make().complete(LATER)
    assert verb(done, LATER + timedelta(hours=1)) is done


def test_reopening_clears_completed_at() -> None:
    """A reopened task has no `completed_at`, and may be completed again."""
    reopened = make(completed=True).reopen(LATER)
    assert (reopened.completed, reopened.completed_at, reopened.version) == (False, None, 2)
    assert reopened.complete(LATER + timedelta(hours=1)).completed_at == LATER + timedelta(hours=1)


def test_an_edit_without_effect_keeps_times_and_version() -> None:
    """An edit to the same values returns the same task."""
    task = make(description="Two liters")
    assert task.edit(LATER, title="Buy milk", description="Two liters", completed=False) is task


def test_updated_at_increases_if_the_clock_goes_back() -> None:
    """The new `updated_at` is after the old one, whatever the clock says."""
    after = make().complete(NOW - timedelta(hours=1))
    assert after.updated_at > NOW
    assert after.completed_at == after.updated_at
    assert after.created_at == NOW


def test_no_time_is_a_whole_second() -> None:
    """`isoformat` omits a fraction of zero, so the times of a task always have one."""
    whole = NOW.replace(microsecond=0)
    task = Task.create("ada", whole, TimeOrderedIds(), NewTask(title="Buy milk"))
    almost = replace(task, updated_at=whole + timedelta(microseconds=999_999))
    assert task.created_at == whole + timedelta(microseconds=1)
    assert almost.complete(whole).updated_at == whole + timedelta(seconds=1, microseconds=1)


def test_every_broken_rule_is_named() -> None:
    """One exception has all errors."""
    with pytest.raises(InvalidEntity) as caught:
        make(title=" ", description="\0")
    assert [error.field for error in caught.value.errors] == ["title", "description"]


def test_an_edit_is_validated() -> None:
    """An edit has the same rules as a creation."""
    with pytest.raises(InvalidEntity, match="title must not be blank"):
        make().edit(LATER, title="\t \u2003".replace("\t", " "))


@pytest.mark.parametrize("owner", ["", ".", "..", "a b", "ä", "a/b", "a" * 129, "a\n"])
def test_a_task_has_a_valid_owner(owner: str) -> None:
    """No task is created with an invalid owner name."""
    with pytest.raises(InvalidEntity, match="user_id"):
        Task.create(owner, NOW, TimeOrderedIds(), NewTask(title="Buy milk"))
