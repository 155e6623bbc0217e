"""Manual order: position keys, and moves by them against a plain list."""

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.moves import Move
from taskservice.core.ordering import (
    PositionKey,
    key_above,
    key_at_end,
    key_between,
    keys_between,
)
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import move_task
from taskservice.testing import ADA, START, TickingClock

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
keys = st.builds(str.__add__, st.text(DIGITS, max_size=15), st.sampled_from(DIGITS[1:]))
near_keys = st.builds(str.__add__, st.text("0z", max_size=4), st.sampled_from("1z"))
gaps = (st.tuples(keys, keys) | st.tuples(near_keys, near_keys)).map(sorted)


@given(gaps)
def test_a_key_is_between_two_others(gap: list[str]) -> None:
    """However near they are; there is room on both sides of it."""
    low, high = gap
    if low == high:
        with pytest.raises(ValueError, match="no key"):
            key_between(low, high)
        return
    key = key_between(low, high)
    assert low < key < high
    PositionKey().check(key)
    assert len(key) <= max(len(low), len(high)) + 1


@given(keys)
def test_there_is_a_key_before_the_first_and_behind_the_last(key: str) -> None:
    """Behind the last by little, so that a task that is created later is behind it."""
    assert key_between("", key) < key
    above = key_above(key)
    assert key < key_between(key, above) < above
    PositionKey().check(above)


@given(gaps.filter(lambda gap: gap[0] < gap[1]), st.integers(0, 40))
def test_many_keys_are_spread_between_two(gap: list[str], count: int) -> None:
    """In order, without doubles, and not longer than needed."""
    low, high = gap
    found = keys_between(low, high, count)
    assert len(found) == count
    assert [low, *found, high] == sorted({low, *found, high})
    assert max(map(len, found), default=0) <= max(len(low), len(high)) + 3


@pytest.mark.parametrize("seconds", [-1, 0, 1])
def test_the_end_is_the_moment_or_just_behind_the_last(seconds: int) -> None:
    """A key of this moment is behind all of earlier ones."""
    last = key_at_end("", START)
    key = key_at_end(last, START + timedelta(seconds=seconds))
    assert last < key < key_at_end(key, START + timedelta(seconds=2))


@pytest.mark.parametrize("key", ["", "a0", "a-1", "é1", "1" * 256])
def test_what_is_no_key_is_refused(key: str) -> None:
    """An import may have anything."""
    with pytest.raises(ValueError, match="must match"):
        PositionKey().check(key)


moves = st.tuples(
    st.integers(0, 5), st.sampled_from(["after", "before", "first", "last"]), st.integers(0, 5)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(moves, max_size=12), st.lists(st.sampled_from([0, 0, 1]), min_size=6, max_size=6))
def test_moves_give_the_order_of_a_plain_list(
    steps: list[tuple[int, str, int]], milliseconds: list[int]
) -> None:
    """Also of tasks that were created in one millisecond."""
    clock = TickingClock()
    clock.step = timedelta()
    open_own = partial(InMemoryStorage(clock).open_workspace, ADA)
    model: list[Task] = []
    with open_own() as workspace:
        for later in milliseconds:
            clock.now += timedelta(milliseconds=later)
            model.append(workspace.tasks.add(NewTask(title="x")))
    ids = [task.id for task in model]
    for moved, how, beside in steps:
        task, neighbor = ids[moved], ids[(moved + 1 + beside % 5) % 6]
        place = [one for one in ids if one != task]
        to = {"after": Move(after=neighbor), "before": Move(before=neighbor)}.get(how)
        index = {"first": 0, "last": 5}.get(how, place.index(neighbor) + (how == "after"))
        move_task(open_own, task, to or Move(place=how))
        ids = [*place[:index], task, *place[index:]]
        by_position = Sort(field="position", descending=False)
        with open_own() as workspace:
            found = workspace.tasks.list(TaskQuery(list_id=(None,), sort=by_position)).items
        assert [one.id for one in found] == ids
