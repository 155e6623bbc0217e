"""The checker finds batches that are done in part, apart, twice, or though they were a trial."""

from typing import Any

import pytest
from tests.faults.builder import OTHER, TASK, HistoryBuilder, seen
from tests.faults.seen import Seen

CREATED, OTHER_CREATED = ("task.created", TASK, 1, "both"), ("task.created", OTHER, 1, "both")
FIRST = seen(title="both.0", origin="both.0")
SECOND = seen(task=OTHER, title="both.1", origin="both.1")


@pytest.fixture
def history() -> HistoryBuilder:
    """A story that begins with nothing."""
    return HistoryBuilder()


def command(number: int, kind: str, **asked: Any) -> dict[str, Any]:
    """Return a command of the batch `both`."""
    named = {"name": f"both.{number}", "kind": kind, "user": "ada"}
    titled = {"title": f"both.{number}"} if kind in {"create", "update"} else {}
    return {**named, **titled, **({"completed": False} if kind == "create" else {}), **asked}


CREATIONS = [command(0, "create"), command(1, "create")]


def ask(history: HistoryBuilder, *commands: dict[str, Any], **asked: Any) -> None:
    """Ask for a batch."""
    history.invoke("both", "batch", **{"mode": "atomic", "commands": commands, **asked})


def answer(history: HistoryBuilder, *results: tuple[int, list[Seen]], applied: bool = True) -> None:
    """Answer it with a result for each command."""
    history.answer("both", applied=applied, results=results)


def test_an_atomic_batch_that_is_done_is_right(history: HistoryBuilder) -> None:
    ask(history, *CREATIONS)
    answer(history, (201, [FIRST]), (201, [SECOND]))
    history.log(CREATED, OTHER_CREATED)
    assert history.kinds(FIRST, SECOND) == set()


def test_what_a_batch_has_acknowledged_is_not_lost(history: HistoryBuilder) -> None:
    ask(history, *CREATIONS)
    answer(history, (201, [FIRST]), (201, [SECOND]))
    history.log(CREATED)
    assert history.kinds(FIRST) == {"lost", "partial", "unlogged"}


def test_a_batch_of_unknown_outcome_is_done_whole_or_not_at_all(history: HistoryBuilder) -> None:
    """In the rows, and in the log by itself: the second task may be gone since."""
    ask(history, *CREATIONS)
    history.log()
    assert history.kinds() == set()
    history.log(CREATED, OTHER_CREATED)
    assert history.kinds(FIRST, SECOND) == set()
    history.log(CREATED)
    assert history.kinds(FIRST) == {"partial"}


def test_a_snapshot_has_all_of_a_batch_or_nothing(history: HistoryBuilder) -> None:
    ask(history, *CREATIONS)
    history.perform("rows", "snapshot", FIRST)
    answer(history, (201, [FIRST]), (201, [SECOND]))
    assert history.kinds(FIRST, SECOND) == {"partial"}


def test_a_snapshot_need_not_have_what_was_deleted(history: HistoryBuilder) -> None:
    """A copy of what a client has is without the trash."""
    ask(history, *CREATIONS)
    answer(history, (201, [FIRST]), (201, [SECOND]))
    history.perform("remove", "delete", task=OTHER, status=204)
    history.perform("the last page", "sync", FIRST)
    assert history.kinds(FIRST, SECOND._replace(type="trashed-task")) == set()


@pytest.mark.parametrize("kind", ["update", "delete", "restore"])
def test_the_log_has_the_change_of_each_command(history: HistoryBuilder, kind: str) -> None:
    """Of a batch in mode each only what nothing can refuse is certain."""
    history.perform("make", "create", seen())
    made = seen(task=OTHER, title="both.1", origin="both.1")
    for mode, found in (("atomic", {"partial"}), ("each", set())):
        ask(history, command(0, kind, task=TASK), command(1, "create"), mode=mode)
        history.log(("task.created", TASK, 1, "make"), OTHER_CREATED)
        assert history.kinds(seen(), made) == found
        history = HistoryBuilder()
        history.perform("make", "create", seen())


def test_changes_of_a_batch_stand_next_to_one_another(history: HistoryBuilder) -> None:
    more = seen(task="more", title="more", origin="more")
    ask(history, *CREATIONS)
    history.perform("more", "create", more)
    answer(history, (201, [FIRST]), (201, [SECOND]))
    history.log(CREATED, OTHER_CREATED, ("task.created", "more", 1, "more"))
    assert history.kinds(FIRST, SECOND, more) == set()
    history.log(CREATED, ("task.created", "more", 1, "more"), OTHER_CREATED)
    assert history.kinds(FIRST, SECOND, more) == {"scattered"}


def test_a_command_that_failed_changes_nothing(history: HistoryBuilder) -> None:
    history.perform("make", "create", seen())
    ask(history, command(0, "update", task=TASK, version=7), command(1, "create"), mode="each")
    answer(history, (412, []), (201, [SECOND]))
    history.log(("task.created", TASK, 1, "make"), OTHER_CREATED)
    assert history.kinds(seen(), SECOND) == set()
    assert history.kinds(seen(2, "both.0"), SECOND) >= {"applied"}
    history.log(("task.created", TASK, 1, "make"), ("task.changed", TASK, 2, "both"), OTHER_CREATED)
    assert history.kinds(seen(), SECOND) >= {"applied"}


def test_a_change_of_a_task_that_no_command_is_for_is_detected(history: HistoryBuilder) -> None:
    """Though another command of the batch changes a task."""
    other = seen(task=OTHER, title="other", origin="other")
    history.perform("make", "create", seen())
    history.perform("other", "create", other)
    ask(history, command(0, "update", task=TASK))
    answer(history, (200, [seen(2, "both.0")]))
    created = ("task.created", TASK, 1, "make"), ("task.created", OTHER, 1, "other")
    history.log(*created, ("task.changed", TASK, 2, "both"))
    assert history.kinds(seen(2, "both.0"), other) == set()
    history.log(*created, ("task.changed", TASK, 2, "both"), ("task.changed", OTHER, 2, "both"))
    changed = other._replace(version=2)
    assert history.kinds(seen(2, "both.0"), changed) == {"applied", "doubled"}


def test_a_batch_that_was_denied_is_not_done(history: HistoryBuilder) -> None:
    ask(history, *CREATIONS)
    history.answer("both", outcome="fail", status=412)
    assert history.kinds() == set()
    assert history.kinds(FIRST, SECOND) == {"applied"}


def test_of_a_denied_batch_no_command_says_that_a_task_is_gone(history: HistoryBuilder) -> None:
    """It may have deleted the task itself, until that was rolled back."""
    history.perform("make", "create", seen())
    ask(history, command(0, "delete", task=TASK), command(1, "update", task=TASK))
    history.answer("both", outcome="fail", status=404)
    assert history.kinds(seen()) == set()


def test_in_mode_each_a_404_says_that_a_task_is_gone(history: HistoryBuilder) -> None:
    history.perform("make", "create", seen())
    ask(history, command(0, "update", task=TASK), mode="each")
    answer(history, (404, []))
    assert history.kinds(seen()) == {"lost", "resurrected"}


@pytest.mark.parametrize("outcome", ["ok", "info"])
def test_nothing_is_left_of_a_dry_run(history: HistoryBuilder, outcome: str) -> None:
    """Neither if its answer was lost; nor is its key remembered."""
    results = [(201, [FIRST]), (201, [SECOND])] if outcome == "ok" else []
    ask(history, *CREATIONS, dry_run=True, key="both")
    history.answer("both", outcome=outcome, applied=False, results=results)
    assert history.kinds() == set()
    assert history.kinds(FIRST, SECOND) == {"applied"}
    history.idempotency_records["ada", "both"] = None
    assert history.kinds() == {"applied"}


def test_a_key_stands_for_the_whole_batch(history: HistoryBuilder) -> None:
    """Its answer was lost, and the retry tells what became of it; it is done once."""
    history.idempotency_records["ada", "both"] = None
    ask(history, *CREATIONS, key="both")
    ask(history, *CREATIONS, key="both")
    history.answer("both", replayed=True, applied=True, results=[(201, [FIRST]), (201, [SECOND])])
    assert history.kinds(FIRST, SECOND) == set()
    assert history.kinds() == {"lost"}
    again = FIRST._replace(task="again"), SECOND._replace(task="and again")
    assert history.kinds(FIRST, SECOND, *again) == {"doubled"}
    history.idempotency_records.clear()
    assert history.kinds(FIRST, SECOND) == {"receipt"}


def test_a_command_may_be_for_what_an_earlier_one_creates(history: HistoryBuilder) -> None:
    """Whatever shows that tells it, where the answer was lost."""
    below = SECOND._replace(parent_id=TASK)
    ask(
        history,
        command(0, "create"),
        command(1, "create", parent_id="$0"),
        command(2, "update", task="$0"),
    )
    done = FIRST._replace(version=2, title="both.2")
    assert history.kinds(done, below) == set()
    assert history.kinds(done._replace(title="both.1"), below) >= {"stale"}
    assert history.kinds(done, below._replace(parent_id=None)) == {"stale"}


def test_an_answer_that_does_not_match_a_batch_is_detected(history: HistoryBuilder) -> None:
    """Without a result for each, in part refused, of another title, or of a trial."""
    wrong: list[dict[str, Any]] = [
        {"results": [(201, [FIRST])]},
        {"results": [(201, [FIRST]), (422, [])]},
        {"results": [(201, [FIRST]), (201, [SECOND._replace(title="else")])]},
        {"results": [(201, [FIRST]), (201, [SECOND])], "applied": False},
    ]
    for one in wrong:
        history = HistoryBuilder()
        ask(history, *CREATIONS)
        history.answer("both", **{"applied": True, **one})
        assert "misanswered" in history.kinds(FIRST, SECOND)
