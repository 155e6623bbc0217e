"""The checker finds successors that were lost, doubled or removed, and recurrences that were."""

from typing import Any

import pytest
from tests.faults.builder import OTHER, TASK, HistoryBuilder, seen
from tests.faults.seen import TRASHED, Seen

DAILY = "FREQ=DAILY"
NEXT = "the successor"


def first(version: int = 1, **fields: Any) -> Seen:
    """Return the first task of the series, but for what is given."""
    return seen(version, **{"recurrence": DAILY, "series_id": TASK, **fields})


def closed(version: int = 2, **fields: Any) -> Seen:
    """Return the first task, closed."""
    usual = {"completed": True, "status": "completed", "next_id": NEXT}
    return first(version, **usual | fields)


def following(version: int = 1, **fields: Any) -> Seen:
    """Return its successor."""
    return first(version, **{"task": NEXT, **fields})


@pytest.fixture
def series() -> HistoryBuilder:
    """A story that begins with a task that recurs."""
    history = HistoryBuilder()
    history.perform("make", "create", first(), recurrence=DAILY)
    return history


@pytest.fixture
def done(series: HistoryBuilder) -> HistoryBuilder:
    """The story goes on: the task is completed."""
    series.perform("done", "complete", closed(), completed=True)
    return series


def test_a_closed_task_has_its_successor(done: HistoryBuilder) -> None:
    """A second completion changes nothing."""
    done.perform("again", "complete", closed(), completed=True)
    assert done.kinds(closed(), following()) == set()
    assert done.kinds(closed()) == {"lost"}
    assert done.kinds(following()) == {"lost", "doubled"}


def test_a_successor_without_the_closing_is_detected(series: HistoryBuilder) -> None:
    """One of unknown outcome has made both, or none; a denied one has made none."""
    series.invoke("done", "complete", completed=True)
    assert series.kinds(closed(), following()) == series.kinds(first()) == set()
    assert series.kinds(first(), following()) == {"doubled"}
    assert series.kinds(closed()) == {"lost"}
    series.answer("done", outcome="fail")
    assert "applied" in series.kinds(first(), following())


def test_a_successor_that_comes_later_is_torn(done: HistoryBuilder) -> None:
    """One snapshot shows both, unless the successor may have been deleted."""
    done.perform("rows", "snapshot", closed())
    assert done.kinds(closed(), following()) == {"torn", "lost", "resurrected"}


def test_a_deleted_successor_stays_named(done: HistoryBuilder) -> None:
    done.perform("remove", "delete", task=NEXT, status=204)
    assert done.kinds(closed(), following(type=TRASHED)) == set()
    assert done.kinds(closed(), following()) == {"resurrected"}


def test_a_closed_task_without_a_successor_is_lost(series: HistoryBuilder) -> None:
    """Whether it was completed or skipped."""
    series.perform("done", "skip", closed(next_id=None, status="cancelled"), completed=True)
    assert series.kinds(closed(next_id=None, status="cancelled")) == {"lost"}


@pytest.mark.parametrize(("is_closed", "kinds"), [(True, set()), (False, {"lost"})])
def test_a_closed_task_that_is_given_a_rule_has_no_successor(
    history: HistoryBuilder, is_closed: bool, kinds: set[str]
) -> None:
    """An open one has, when it is closed."""
    left = closed(3, next_id=None)
    before = seen(2, completed=True, status="completed") if is_closed else first(2)
    steps: dict[str, dict[str, Any]] = {
        "complete": {"completed": True},
        "change_recurrence": {"recurrence": DAILY},
    }
    one, two = steps if is_closed else reversed(steps)
    history.perform("one", one, before, **steps[one])
    history.perform("two", two, left, **steps[two])
    assert history.kinds(left) == kinds


def test_the_last_of_a_series_has_no_successor(history: HistoryBuilder) -> None:
    rule = {"recurrence": "FREQ=DAILY;COUNT=1"}
    history.perform("set", "change_recurrence", first(2, **rule), **rule)
    history.perform("done", "complete", closed(3, next_id=None, **rule), completed=True)
    assert history.kinds(closed(3, next_id=None, **rule)) == set()


def test_a_skipped_task_is_cancelled(series: HistoryBuilder) -> None:
    series.perform("skip", "skip", closed(), completed=True)
    assert series.kinds(closed(), following()) == {"misanswered"}


def test_one_closing_makes_one_successor(done: HistoryBuilder) -> None:
    """Whether both go on, or the second one takes the name of the first."""
    other = following(task=OTHER)
    assert done.kinds(closed(), following(), other) == {"doubled"}
    done.perform("remove", "delete", task=NEXT, status=204)
    gone = following(type=TRASHED)
    assert done.kinds(closed(2, next_id=OTHER), gone, other) == {"doubled", "torn"}
    done.perform("undo", "complete", first(3), completed=False)
    done.perform("redo", "complete", closed(4, next_id=OTHER), completed=True)
    assert done.kinds(closed(4, next_id=OTHER), gone, other) == set()


def test_a_successor_is_a_copy(done: HistoryBuilder) -> None:
    """Of the title that the task had when it was closed, whatever it has later."""
    assert done.kinds(closed(), following(title="else")) == {"torn"}
    assert done.kinds(closed(), following(list_id=OTHER)) == {"torn", "dangling"}
    done.perform("one", "update", closed(3, title="one"))
    assert done.kinds(closed(3, title="one"), following()) == set()


def test_an_undo_takes_the_successor_back(done: HistoryBuilder) -> None:
    """Both or neither, if the outcome is unknown; also if nobody has seen the successor."""
    done.invoke("undo", "complete", completed=False)
    assert done.kinds(first(3)) == set()
    done.perform("look", "get", following(), task=NEXT)
    assert done.kinds(first(3)) == done.kinds(closed(), following()) == set()
    assert done.kinds(first(3), following()) == {"doubled"}
    assert done.kinds(closed()) == {"lost"}


def test_an_undo_that_removes_a_changed_successor_loses_it(done: HistoryBuilder) -> None:
    """The series goes on there, and the reopened task has no recurrence."""
    done.perform("one", "update", following(2, title="one"), task=NEXT)
    reopened = first(3, recurrence=None)
    done.perform("undo", "complete", reopened, completed=False)
    assert done.kinds(reopened, following(2, title="one")) == set()
    assert done.kinds(reopened) == {"lost"}


def test_a_recurrence_that_was_acknowledged_is_lost(history: HistoryBuilder) -> None:
    """Unless the task was reopened since."""
    history.perform("set", "change_recurrence", first(2), recurrence=DAILY)
    ended = first(3, title="one", recurrence=None)
    history.perform("one", "update", ended)
    assert history.kinds(ended) == {"lost", "stale"}
    assert history.kinds(first(3, title="one", recurrence="FREQ=YEARLY")) >= {"stale"}


def test_a_task_that_recurs_in_a_tree_is_torn(series: HistoryBuilder) -> None:
    below = seen(task=OTHER, title="below", origin="below", parent_id=TASK)
    series.perform("below", "create", below, parent_id=TASK)
    assert series.kinds(first(), below) == {"torn"}
