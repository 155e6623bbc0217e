"""The checker finds what breaks a promise, and nothing in what only looks odd."""

import pytest
from tests.faults.builder import OTHER, TASK, HistoryBuilder, seen, trashed


def test_a_plain_life_is_right(history: HistoryBuilder) -> None:
    history.perform("one", "update", seen(2, "one"))
    history.perform("look", "get", seen(2, "one"))
    history.perform("done", "complete", seen(3, "one", completed=True), completed=True)
    history.perform("all", "list", seen(3, "one", completed=True))
    assert history.kinds(seen(3, "one", completed=True)) == set()
    assert history.kinds() == {"lost"}


def test_what_was_acknowledged_and_is_not_there_is_lost(history: HistoryBuilder) -> None:
    """An update that is gone in the end; a list and a `get` that do not show the task."""
    history.perform("one", "update", seen(2, "one"))
    assert history.kinds(seen()) == {"lost"}
    history.perform("all", "list")
    assert history.kinds(seen(2, "one")) == {"lost", "resurrected"}


def test_a_404_without_a_deletion_is_lost(history: HistoryBuilder) -> None:
    history.perform("look", "get", outcome="fail", status=404)
    assert history.kinds() == {"lost"}


def test_a_deletion_of_unknown_outcome_explains_an_absence(history: HistoryBuilder) -> None:
    """It may have happened at any time since, or never; but not both."""
    history.invoke("remove", "delete")
    assert history.kinds(seen()) == history.kinds(trashed()) == set()
    assert history.kinds() == {"lost"}
    history.perform("look", "get", outcome="fail", status=404)
    assert history.kinds(trashed()) == set()
    assert history.kinds(seen()) == {"resurrected"}


def test_a_deletion_that_was_denied_explains_none(history: HistoryBuilder) -> None:
    history.perform("remove", "delete", outcome="fail")
    assert history.kinds() == history.kinds(trashed()) == {"lost"}


def test_a_task_of_two_writes_is_torn(history: HistoryBuilder) -> None:
    """Such as the title of one and the labels of another."""
    history.perform("one", "update", seen(2, "one"))
    history.perform("look", "get", seen(2, "one", is_planned=False))
    assert history.kinds(seen(2, "one")) == {"torn"}


def test_a_deleted_task_is_in_the_trash(history: HistoryBuilder) -> None:
    """As it was, and nowhere else."""
    history.perform("remove", "delete", status=204)
    assert history.kinds(trashed()) == set()
    assert history.kinds() == {"lost"}
    assert history.kinds(seen()) == {"resurrected"}
    assert history.kinds(seen(), trashed()) == {"resurrected", "doubled"}
    assert history.kinds(trashed(completed=True)) == {"stale", "torn"}


@pytest.mark.parametrize("outcome", ["fail", "info"])
def test_what_was_denied_must_not_be_there(history: HistoryBuilder, outcome: str) -> None:
    """What is unknown may."""
    history.perform("one", "update", outcome=outcome)
    history.perform("more", "create", outcome=outcome)
    made = seen(task=OTHER, title="more", origin="more")
    assert history.kinds(seen()) == set()
    wrong = set() if outcome == "info" else {"applied", "doubled"}
    assert history.kinds(seen(2, "one"), made) == wrong


def test_an_unknown_write_may_come_late(history: HistoryBuilder) -> None:
    """After an acknowledged one, or not at all; it counts as one version."""
    history.perform("late", "update", outcome="info")
    history.perform("one", "update", seen(2, "one"))
    assert history.kinds(seen(2, "one")) == history.kinds(seen(3, "late")) == set()
    assert history.kinds(seen(4, "late")) == {"doubled"}


def test_writes_that_overlap_may_come_in_either_order(history: HistoryBuilder) -> None:
    history.invoke("one", "update")
    history.invoke("two", "update")
    history.answer("two", seen(2, "two"))
    history.answer("one", seen(3, "one"))
    assert history.kinds(seen(3, "one")) == set()
    assert history.kinds(seen(3, "two")) == {"torn"}


def test_an_older_value_is_stale(history: HistoryBuilder) -> None:
    """A reading after an update shows it; one that overlaps it need not."""
    history.invoke("early", "get")
    history.perform("one", "update", seen(2, "one"))
    history.answer("early", seen())
    assert history.kinds(seen(2, "one")) == set()
    history.perform("look", "get", seen(2))
    assert history.kinds(seen(2, "one")) == {"stale", "torn"}


def test_an_overwritten_value_is_lost(history: HistoryBuilder) -> None:
    """A later change that brings an older title back is no excuse."""
    history.perform("one", "update", seen(2, "one"))
    history.invoke("done", "complete", completed=True)
    assert history.kinds(seen(3, completed=True)) == {"lost"}
    assert history.kinds(seen(3, "one", completed=True)) == set()


def test_versions_do_not_go_back(history: HistoryBuilder) -> None:
    history.invoke("late", "update")
    history.perform("look", "get", seen(2, "late"))
    history.perform("again", "get", seen(1))
    assert history.kinds(seen(2, "late")) == {"torn"}


def test_a_value_that_was_never_written_is_detected(history: HistoryBuilder) -> None:
    history.perform("look", "get", seen(1, "invented"))
    assert history.kinds(seen(1, "invented")) == {"stale", "torn"}


def test_completion_is_a_value_too(history: HistoryBuilder) -> None:
    """It is set: to complete what is completed changes nothing."""
    history.perform("done", "complete", seen(2, completed=True), completed=True)
    history.perform("again", "complete", seen(2, completed=True), completed=True)
    assert history.kinds(seen(2, completed=True)) == set()
    assert history.kinds(seen(2)) == {"lost", "torn"}


def test_a_response_that_does_not_match_its_request_is_detected(history: HistoryBuilder) -> None:
    history.perform("done", "complete", seen(1), completed=True)
    assert history.kinds(seen(1)) == {"lost", "misanswered"}


def test_one_creation_makes_one_task(history: HistoryBuilder) -> None:
    assert history.kinds(seen(), seen(task=OTHER)) == {"doubled"}


def test_a_list_shows_a_task_once(history: HistoryBuilder) -> None:
    history.perform("all", "list", seen(), seen())
    assert history.kinds(seen()) == {"doubled"}


def test_a_list_need_not_show_what_came_while_it_was_read(history: HistoryBuilder) -> None:
    """Nor another user's task; one that was refused shows nothing."""
    other = seen(task=OTHER, title="more", origin="more")
    history.invoke("all", "list")
    history.perform("more", "create", other)
    history.answer("all", seen())
    history.perform("his", "list", user="bob")
    history.perform("none", "list", outcome="fail")
    assert history.kinds(seen(), other) == set()
    history.perform("again", "list", other)
    assert history.kinds(other) == {"lost"}


def test_a_task_shown_to_another_user_is_detected(history: HistoryBuilder) -> None:
    history.perform("all", "list", seen(), seen(task=OTHER, user="bob", origin="his"))
    assert "leaked" in history.kinds(seen())


def test_attempts_under_a_key_are_one_operation(history: HistoryBuilder) -> None:
    """Denied, unknown, then acknowledged: it was done once, at any time in between."""
    history.perform("one", "update", outcome="fail", key="one")
    history.perform("one", "update", outcome="info", key="one")
    history.perform("two", "update", seen(3, "two"))
    history.perform("one", "update", seen(2, "one"), key="one", replayed=True)
    history.idempotency_records["ada", "one"] = TASK
    assert history.kinds(seen(3, "two")) == set()


def test_what_was_denied_is_not_replayed(history: HistoryBuilder) -> None:
    history.perform("one", "update", outcome="fail", key="one")
    history.perform("one", "update", seen(2, "one"), key="one", replayed=True)
    history.idempotency_records["ada", "one"] = TASK
    assert history.kinds(seen(2, "one")) == {"applied"}


def test_an_acknowledged_key_has_an_idempotency_record(history: HistoryBuilder) -> None:
    """For the task that was answered, where it was done; none where it was not."""
    history.perform("one", "update", seen(2, "one"), key="one")
    assert history.kinds(seen(2, "one")) == {"receipt"}
    history.idempotency_records["ada", "one"] = OTHER
    assert history.kinds(seen(2, "one")) == {"receipt"}
    history.idempotency_records["ada", "one"] = TASK
    assert history.kinds(seen(2, "one")) == set()
    history.perform("two", "update", outcome="fail", key="two")
    history.idempotency_records["ada", "two"] = TASK
    assert history.kinds(seen(2, "one")) == {"applied"}


def test_a_deletion_has_an_idempotency_record_without_a_task(history: HistoryBuilder) -> None:
    history.perform("remove", "delete", status=204, key="remove")
    assert history.kinds(trashed()) == {"receipt"}
    history.idempotency_records["ada", "remove"] = None
    assert history.kinds(trashed()) == set()


def test_lists_and_get_agree_in_the_end(history: HistoryBuilder) -> None:
    assert history.kinds(seen(), listed=()) == {"disagreed"}
    assert history.kinds(seen(), got=(seen(completed=True),)) == {"disagreed"}


@pytest.mark.parametrize("status", [400, 401, 500, 502])
def test_an_outage_is_nothing_but_503(history: HistoryBuilder, status: int) -> None:
    history.perform("look", "get", outcome="fail", status=status)
    assert history.kinds(seen()) == {"unexpected"}
