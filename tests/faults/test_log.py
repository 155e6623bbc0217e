"""The checker finds changes that the log or a client misses, and those twice or out of order."""

import pytest
from tests.faults.builder import OTHER, TASK, HistoryBuilder, seen, trashed

CREATED, CHANGED, REMOVED = "task.created", "task.changed", "task.removed"


def test_a_log_with_each_version_is_right(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.log((CREATED, TASK, 1, "make"), (CHANGED, TASK, 2, "one"))
    assert history.kinds(seen(2, "one")) == set()


def test_a_write_without_a_change_is_detected(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.log((CREATED, TASK, 1, "make"))
    assert history.kinds(seen(2, "one")) == {"unlogged"}


def test_a_removal_without_a_change_is_detected(history: HistoryBuilder) -> None:
    history.perform("remove", "delete", status=204)
    history.log((CREATED, TASK, 1, "make"))
    assert history.kinds(trashed()) == {"unlogged"}
    history.log((CREATED, TASK, 1, "make"), (REMOVED, TASK, 1, "remove"))
    assert history.kinds(trashed()) == set()


def test_a_task_that_is_gone_is_in_the_log_all_the_same(history: HistoryBuilder) -> None:
    history.perform("remove", "delete", status=204)
    history.perform("purge", "purge", status=204)
    history.log()
    assert history.kinds() == {"unlogged"}


@pytest.mark.parametrize("change", [(CHANGED, TASK, 2, "one"), (REMOVED, TASK, 1, "remove")])
def test_a_change_of_a_denied_write_is_detected(
    history: HistoryBuilder, change: tuple[str, str, int, str]
) -> None:
    history.perform("one", "update", outcome="fail")
    history.log((CREATED, TASK, 1, "make"), change)
    assert history.kinds(seen()) == {"applied"}


def test_a_change_of_a_denied_creation_is_detected(history: HistoryBuilder) -> None:
    """Nobody was shown the task, and it was not removed."""
    history.perform("more", "create", outcome="fail")
    history.log((CREATED, TASK, 1, "make"), (CREATED, OTHER, 1, "more"))
    assert history.kinds(seen()) == {"applied"}


def test_a_write_with_two_changes_is_doubled(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.log((CREATED, TASK, 1, "make"), (CHANGED, TASK, 2, "one"), (CHANGED, TASK, 2, "one"))
    assert history.kinds(seen(2, "one")) == {"doubled"}


def test_changes_of_a_task_out_of_order_are_torn(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.perform("two", "update", seen(3, "two"))
    history.log((CREATED, TASK, 1, "make"), (CHANGED, TASK, 3, "two"), (CHANGED, TASK, 2, "one"))
    assert history.kinds(seen(3, "two")) == {"torn", "misordered"}


@pytest.mark.parametrize(("numbers", "head"), [([1, 3], 3), ([2, 3], 3), ([1, 2], 3), ([1, 2], 1)])
def test_numbers_have_no_gap(history: HistoryBuilder, numbers: list[int], head: int) -> None:
    """They begin with 1, and end with the head."""
    history.perform("one", "update", seen(2, "one"))
    history.log((CREATED, TASK, 1, "make"), (CHANGED, TASK, 2, "one"), numbers=numbers, head=head)
    assert history.kinds(seen(2, "one")) == {"gap"}


def test_changes_have_the_order_of_the_commits(history: HistoryBuilder) -> None:
    """As far as it is known: of two at the same time, either one may be the first."""
    other = seen(task=OTHER, title="more", origin="more")
    history.invoke("more", "create")
    history.perform("one", "update", seen(2, "one"))
    history.answer("more", other)
    more, one = (CREATED, OTHER, 1, "more"), (CHANGED, TASK, 2, "one")
    history.log((CREATED, TASK, 1, "make"), more, one)
    assert history.kinds(seen(2, "one"), other) == set()
    history.perform("two", "update", seen(3, "two"))
    two = (CHANGED, TASK, 3, "two")
    history.log((CREATED, TASK, 1, "make"), one, more, two)
    assert history.kinds(seen(3, "two"), other) == set()
    history.log((CREATED, TASK, 1, "make"), one, two, more)
    assert history.kinds(seen(3, "two"), other) == {"misordered"}


def test_a_client_that_follows_has_what_is_there(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    assert history.kinds(seen(2, "one"), copied=(seen(2, "one"),)) == set()
    assert history.kinds(seen(2, "one"), copied=(seen(),)) == {"missed"}
    assert history.kinds(seen(2, "one"), copied=()) == {"missed"}
    history.perform("remove", "delete", status=204)
    assert history.kinds(trashed(2, "one"), copied=(seen(2, "one"),)) == {"missed"}


def test_a_last_page_is_a_snapshot(history: HistoryBuilder) -> None:
    """What was acknowledged before it must be in the client's copy; another page has a part."""
    other = seen(task=OTHER, title="more", origin="more")
    history.perform("more", "create", other)
    history.perform("a page", "page", seen())
    assert history.kinds(seen(), other) == set()
    history.perform("the last page", "sync", seen())
    assert history.kinds(seen(), other) == {"lost", "resurrected"}


def test_a_page_shows_a_task_once(history: HistoryBuilder) -> None:
    history.perform("a page", "page", seen(), seen())
    assert history.kinds(seen()) == {"doubled"}


def test_a_token_does_not_expire(history: HistoryBuilder) -> None:
    """Nothing is pruned or restored while clients follow."""
    history.perform("a page", "page", outcome="fail", status=410)
    assert history.kinds(seen()) == {"unexpected"}
