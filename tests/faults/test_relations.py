"""The checker finds lists, parents and moves that were lost, doubled or done by halves."""

from typing import Any

import pytest
from tests.faults.builder import OTHER, TASK, HistoryBuilder, seen, trashed
from tests.faults.seen import Seen

LIST, BELOW = "the list", "the sub-task"
GROCERIES = seen(task=LIST, title="list", origin="list", type="list")


def below(version: int = 1, **fields: Any) -> Seen:
    """Return the sub-task of the task, but for what is given."""
    usual = {"task": BELOW, "title": "below", "origin": "below", "parent_id": TASK}
    return seen(version, **usual | fields)


def other(**fields: Any) -> Seen:
    """Return a sibling of the task."""
    return seen(task=OTHER, title="other", origin="other", **fields)


@pytest.fixture
def tree(history: HistoryBuilder) -> HistoryBuilder:
    """A story that begins with a task and its sub-task."""
    history.perform("below", "create", below(), parent_id=TASK)
    return history


@pytest.fixture
def listed(history: HistoryBuilder) -> HistoryBuilder:
    """A story that begins with a task that is put into a list."""
    history.perform("list", "create_list", GROCERIES)
    history.perform("put", "change_list", seen(2, list_id=LIST), list_id=LIST)
    return history


def test_a_subtask_takes_the_place_of_a_deleted_parent(tree: HistoryBuilder) -> None:
    tree.perform("remove", "delete", status=204)
    assert tree.kinds(trashed(), below(2, parent_id=None)) == set()
    assert tree.kinds(trashed(), below()) == {"dangling"}


def test_a_promotion_without_the_deletion_is_torn(tree: HistoryBuilder) -> None:
    """In one snapshot, and one after the other; whoever has not seen both cannot tell."""
    tree.invoke("remove", "delete")
    promoted = below(2, parent_id=None)
    assert tree.kinds(trashed(), promoted) == set()
    assert tree.kinds(seen(), promoted) == {"torn"}
    tree.perform("look", "get", promoted, task=BELOW)
    tree.perform("again", "get", seen())
    assert tree.kinds(trashed(), promoted) == {"torn"}


def test_a_promotion_of_a_denied_deletion_is_detected(tree: HistoryBuilder) -> None:
    tree.perform("remove", "delete", outcome="fail")
    assert tree.kinds(seen(), below(parent_id=None)) == {"stale", "torn"}


def test_a_promotion_goes_up_one_level(tree: HistoryBuilder) -> None:
    """Under what the parent was under, and nowhere else."""
    tree.perform("other", "create", other())
    tree.perform("under", "change_parent", seen(2, parent_id=OTHER), parent_id=OTHER)
    tree.perform("remove", "delete", status=204)
    gone = trashed(2, parent_id=OTHER)
    assert tree.kinds(other(), gone, below(2, parent_id=OTHER)) == set()
    tree.perform("third", "create", third := seen(task="third", title="third", origin="third"))
    assert tree.kinds(other(), third, gone, below(2, parent_id="third")) == {"stale"}


def test_a_parent_that_was_acknowledged_is_lost_if_it_is_not_there(history: HistoryBuilder) -> None:
    history.perform("other", "create", other())
    history.perform("under", "change_parent", seen(2, parent_id=OTHER), parent_id=OTHER)
    history.perform("one", "update", seen(3, "one", parent_id=OTHER))
    assert history.kinds(other(), seen(3, "one", parent_id=OTHER)) == set()
    assert history.kinds(other(), seen(4, "one")) == {"lost", "doubled"}


def test_a_list_that_was_acknowledged_is_lost_if_it_is_not_there(listed: HistoryBuilder) -> None:
    assert listed.kinds(GROCERIES, seen(2, list_id=LIST)) == set()
    assert listed.kinds(GROCERIES, seen(2)) == {"lost", "torn"}
    assert listed.kinds(seen(2, list_id=LIST)) == {"lost", "dangling"}


def test_an_answer_with_another_list_is_misanswered(history: HistoryBuilder) -> None:
    history.perform("list", "create_list", GROCERIES)
    history.perform("put", "change_list", seen(), list_id=LIST)
    assert history.kinds(GROCERIES, seen()) == {"misanswered", "lost"}


def test_a_deleted_list_leaves_its_tasks_in_the_inbox(listed: HistoryBuilder) -> None:
    """All of it, or nothing, if the outcome is unknown."""
    listed.invoke("remove", "delete_list", task=LIST)
    whole, nothing = (seen(3),), (GROCERIES, seen(2, list_id=LIST))
    assert listed.kinds(*whole) == listed.kinds(*nothing) == set()
    assert listed.kinds(GROCERIES, seen(3)) == {"lost"}
    assert listed.kinds(seen(2, list_id=LIST)) == {"dangling"}


def test_a_subtask_is_in_the_list_of_its_parent(tree: HistoryBuilder) -> None:
    tree.perform("list", "create_list", GROCERIES)
    put = seen(2, list_id=LIST)
    tree.perform("put", "change_list", put, list_id=LIST)
    assert tree.kinds(GROCERIES, put, below(2, list_id=LIST)) == set()
    tree.perform("rows", "snapshot", GROCERIES, put, below())
    assert tree.kinds(GROCERIES, put, below(2, list_id=LIST)) == {"split"}


def test_a_cycle_is_detected(tree: HistoryBuilder) -> None:
    tree.invoke("under", "change_parent", parent_id=BELOW)
    assert tree.kinds(seen(2, parent_id=BELOW), below()) == {"cycle"}


@pytest.mark.parametrize("place", ["after", "last"])
def test_a_move_is_lost_if_it_is_not_shown(history: HistoryBuilder, place: str) -> None:
    """Behind a sibling, and at the end; until one of the two may have been moved again."""
    first, second = seen(), other(position="1")
    history.perform("other", "create", second)
    history.perform("rows", "snapshot", first, second)
    beside = OTHER if place == "after" else None
    history.perform("move", "move", first, place=place, beside=beside)
    assert history.kinds(first, second) == {"lost"}
    history.invoke("again", "move", task=OTHER, place="last")
    assert history.kinds(first, second) == set()


def test_only_what_names_others_is_refused_for_them(history: HistoryBuilder) -> None:
    """By 422."""
    history.perform("under", "change_parent", outcome="fail", status=422, parent_id=OTHER)
    assert history.kinds(seen()) == set()
    history.perform("one", "update", outcome="fail", status=422)
    assert history.kinds(seen()) == {"unexpected"}
