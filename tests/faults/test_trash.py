"""The checker finds what the trash has lost, doubled or kept, and undos that did something else."""

from typing import Any

import pytest
from tests.faults.builder import OTHER, TASK, HistoryBuilder, seen, trashed
from tests.faults.history import ShownChange
from tests.faults.seen import Seen

CREATED, CHANGED = ("task.created", TASK, 1, "make"), ("task.changed", TASK, 2, "one")
REMOVED, RESTORED = ("task.removed", TASK, 1, "remove"), ("task.restored", TASK, 2, "restore")
PURGED = ("task.purged", TASK, 1, "purge")


@pytest.fixture
def removed(history: HistoryBuilder) -> HistoryBuilder:
    """A story that begins with a task that is deleted."""
    history.perform("remove", "delete", status=204)
    return history


@pytest.fixture
def restored(removed: HistoryBuilder) -> HistoryBuilder:
    """The story goes on: the task is restored."""
    removed.perform("restore", "restore", seen(2), version=1)
    return removed


def test_a_restored_task_has_the_next_version(restored: HistoryBuilder) -> None:
    assert restored.kinds(seen(2)) == set()
    assert restored.kinds(seen(1)) == {"lost"}


def test_a_restoration_that_keeps_the_version_is_detected(removed: HistoryBuilder) -> None:
    removed.perform("rows", "snapshot", trashed())
    removed.perform("restore", "restore", seen(1), version=1)
    removed.log(CREATED, REMOVED, ("task.restored", TASK, 1, "restore"))
    assert removed.kinds(seen(1)) >= {"lost", "misanswered", "torn", "doubled"}


def test_a_restoration_is_not_lost(restored: HistoryBuilder) -> None:
    """Neither for good, nor for a list that is read later."""
    assert restored.kinds(trashed()) == {"lost"}
    assert restored.kinds() == {"lost"}
    restored.perform("all", "list")
    assert restored.kinds(seen(2)) == {"lost", "resurrected"}


def test_a_restoration_of_unknown_outcome_explains_both(removed: HistoryBuilder) -> None:
    removed.invoke("restore", "restore")
    assert removed.kinds(trashed()) == removed.kinds(seen(2)) == set()
    removed.perform("look", "get", seen(2))
    assert removed.kinds(trashed(2)) == {"lost"}


def test_a_restoration_that_was_denied_explains_nothing(removed: HistoryBuilder) -> None:
    removed.perform("restore", "restore", outcome="fail", status=412)
    assert removed.kinds(trashed()) == set()
    assert removed.kinds(seen(2)) == {"resurrected", "doubled"}


def test_the_trash_has_a_task_until_it_is_purged(removed: HistoryBuilder) -> None:
    """In the listing of the trash, and by itself."""
    removed.perform("the trash", "trash", trashed())
    assert removed.kinds(trashed()) == set()
    removed.perform("again", "trash")
    assert removed.kinds(trashed()) == {"lost", "resurrected"}
    removed.invoke("purge", "purge")
    assert removed.kinds() == {"lost"}


@pytest.mark.parametrize("kind", ["purge", "purge_all"])
def test_a_purge_is_final(removed: HistoryBuilder, kind: str) -> None:
    removed.perform("purge", kind)
    assert removed.kinds() == set()
    assert "resurrected" in removed.kinds(trashed())
    assert "resurrected" in removed.kinds(seen(2))


def test_a_purge_of_what_was_restored_before_does_nothing(removed: HistoryBuilder) -> None:
    """Of the two one wins, and the other finds nothing."""
    removed.invoke("restore", "restore")
    removed.perform("purge", "purge", outcome="fail", status=404)
    removed.answer("restore", seen(2))
    assert removed.kinds(seen(2)) == set()
    assert removed.kinds() == {"lost"}


def test_a_list_that_shows_the_trash_is_detected(removed: HistoryBuilder) -> None:
    removed.perform("all", "list", seen())
    assert removed.kinds(trashed()) == {"resurrected", "lost"}


def test_a_purge_leaves_no_value_in_the_log(removed: HistoryBuilder) -> None:
    removed.perform("purge", "purge", status=204)
    removed.log(CREATED, REMOVED, PURGED)
    assert removed.kinds() == set()
    removed.set_previous(1, {"title": "make"})
    assert removed.kinds() == {"unscrubbed"}


def test_a_removal_and_a_restoration_keep_the_values(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.perform("remove", "delete", status=204)
    history.log(CREATED, CHANGED, ("task.removed", TASK, 2, "remove"))
    assert history.kinds(trashed(2, "one")) == set()
    history.set_previous(2, None)
    assert history.kinds(trashed(2, "one")) == {"lost"}


def test_each_removal_and_restoration_is_in_the_log(restored: HistoryBuilder) -> None:
    """Of the right type, and made by what asked for it."""
    restored.log(CREATED, REMOVED, RESTORED)
    assert restored.kinds(seen(2)) == set()
    restored.log(CREATED, REMOVED)
    assert restored.kinds(seen(2)) == {"unlogged", "applied"}
    restored.log(CREATED, RESTORED)
    assert restored.kinds(seen(2)) == {"unlogged", "torn"}
    restored.log(CREATED, REMOVED, ("task.changed", TASK, 2, "restore"))
    assert restored.kinds(seen(2)) == {"applied", "torn", "unlogged"}
    restored.log(CREATED, REMOVED, ("task.restored", TASK, 2, "nobody"))
    assert restored.kinds(seen(2)) == {"applied", "unlogged"}


def test_a_purge_is_in_the_log(removed: HistoryBuilder) -> None:
    removed.perform("purge", "purge", status=204)
    removed.log(CREATED, REMOVED)
    assert removed.kinds() == {"unlogged"}


def test_a_tree_goes_to_the_trash_and_comes_back_together(history: HistoryBuilder) -> None:
    below = seen(task=OTHER, title="below", origin="below", parent_id=TASK)
    gone = below._replace(type="trashed-task")
    history.perform("below", "create", below, parent_id=TASK)
    history.perform("remove", "delete_tree", status=204)
    assert history.kinds(trashed(), gone) == set()
    assert history.kinds(trashed()) == {"lost"}
    history.perform("restore", "restore", seen(2))
    assert history.kinds(seen(2), below._replace(version=2)) == set()


def undo(history: HistoryBuilder, shown: Seen, **asked: Any) -> None:
    """Undo the second change, an update."""
    fields = {"sequence": 2, "undone": "task.changed", "fields": ["title"], "title": "make"}
    history.perform("undo", "undo", shown, **{**fields, **asked})


def test_an_undo_sets_a_title_back(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    undo(history, seen(3, "one"))
    assert history.kinds(seen(3, "one")) == {"misanswered", "lost"}


def test_an_undo_that_blanks_a_later_edit_is_detected(history: HistoryBuilder) -> None:
    """Only if the value that it has replaced is another than that of the undone change."""
    history.perform("one", "update", seen(2, "one"))
    undone = ("task.changed", TASK, 3, "undo")
    undo(history, seen(3))
    history.log(CREATED, CHANGED, undone)
    history.set_previous(2, {"title": "make"})
    history.set_previous(3, {"title": "one"})
    assert history.kinds(seen(3)) == set()


def test_an_undo_after_a_later_edit_is_detected(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.perform("two", "update", seen(3, "two"))
    undo(history, seen(4))
    history.log(
        CREATED, CHANGED, ("task.changed", TASK, 3, "two"), ("task.changed", TASK, 4, "undo")
    )
    history.set_previous(2, {"title": "make"})
    history.set_previous(3, {"title": "one"})
    history.set_previous(4, {"title": "two"})
    assert history.kinds(seen(4)) == {"lost"}


def test_an_undo_moves_a_task_to_the_trash_and_back(history: HistoryBuilder) -> None:
    creation: dict[str, Any] = {"sequence": 1, "undone": "task.created", "fields": []}
    history.perform("undo", "undo", trashed(), **creation)
    assert history.kinds(trashed()) == set()
    assert history.kinds(seen()) == {"resurrected", "lost"}
    removal: dict[str, Any] = {"sequence": 2, "undone": "task.removed", "fields": []}
    history.perform("redo", "undo", seen(2), **removal)
    assert history.kinds(seen(2)) == set()
    assert history.kinds(trashed()) == {"lost"}


def test_a_history_is_the_log_of_a_task(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.log(CREATED, CHANGED)
    created = ShownChange(1, "task.created", 1)
    history.histories[TASK] = [ShownChange(2, "task.changed", 2, {}), created]
    assert history.kinds(seen(2, "one")) == set()
    history.histories[TASK] = [created]
    assert history.kinds(seen(2, "one")) == {"disagreed"}
    history.perform("look", "history", changes=[ShownChange(3, "task.removed", 2)])
    assert history.kinds(seen(2, "one")) == {"disagreed", "unlogged"}
