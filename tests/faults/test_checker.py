"""The checker finds what breaks a promise, and nothing in what only looks odd."""

import itertools
import json
from typing import Any

import pytest
from tests.faults.checker import check
from tests.faults.history import Seen, operations
from tests.faults.timelines import End

TASK, OTHER = "the task", "the other task"


class Story:
    """Tells a history event by event; what is not answered has an unknown outcome."""

    def __init__(self) -> None:
        self._time = itertools.count()
        self._lines: list[str] = []
        self.receipts: dict[tuple[str, str], str | None] = {}

    def ask(self, name: str, kind: str, **asked: Any) -> None:
        """Begin an operation on the task, unless it is a creation or a list."""
        usual: dict[str, Any] = {"kind": kind, "user": "ada"}
        if kind not in {"create", "list"}:
            usual["task"] = TASK
        if kind in {"create", "update"}:
            usual["title"] = name
        if kind == "create":
            usual["completed"] = False
        self._note("invoke", name, **usual | asked)

    def hear(self, name: str, *seen: Seen, outcome: str = "ok", **heard: Any) -> None:
        """End it."""
        status = {"ok": 200, "fail": 503, "info": 0}[outcome]
        self._note(outcome, name, **{"status": status, "seen": seen, **heard})

    def do(self, name: str, kind: str, *seen: Seen, outcome: str = "ok", **heard: Any) -> None:
        """Ask, and hear."""
        asked = {key: heard.pop(key) for key in ("key", "completed", "user") if key in heard}
        self.ask(name, kind, **asked)
        self.hear(name, *seen, outcome=outcome, **heard)

    def kinds(self, *rows: Seen, **views: tuple[Seen, ...]) -> set[str]:
        """Return the kinds of violation, where `rows` are left."""
        end = End(rows, views.get("listed", rows), views.get("got", rows), self.receipts)
        return {violation.kind for violation in check(operations(self._lines), end)}

    def _note(self, what: str, name: str, **event: Any) -> None:
        told = {"time": next(self._time), "type": what, "name": name, **event}
        self._lines.append(json.dumps(told))


def seen(version: int = 1, title: str = "make", **fields: Any) -> Seen:
    """Return the task as it was made by the operation `make`, but for what is given."""
    usual: dict[str, Any] = {"task": TASK, "user": "ada", "completed": False, "origin": "make"}
    return Seen(version=version, title=title, **{**usual, **fields})


@pytest.fixture
def story() -> Story:
    """A story that begins with a task."""
    story = Story()
    story.do("make", "create", seen())
    return story


def test_a_plain_life_is_right(story: Story) -> None:
    story.do("one", "update", seen(2, "one"))
    story.do("look", "get", seen(2, "one"))
    story.do("done", "complete", seen(3, "one", completed=True), completed=True)
    story.do("all", "list", seen(3, "one", completed=True))
    assert story.kinds(seen(3, "one", completed=True)) == set()
    assert story.kinds() == {"lost"}


def test_what_was_acknowledged_and_is_not_there_is_lost(story: Story) -> None:
    """An update that is gone in the end; a list and a `get` that do not show the task."""
    story.do("one", "update", seen(2, "one"))
    assert story.kinds(seen()) == {"lost"}
    story.do("all", "list")
    assert story.kinds(seen(2, "one")) == {"lost", "resurrected"}


def test_a_404_without_a_deletion_is_lost(story: Story) -> None:
    story.do("look", "get", outcome="fail", status=404)
    assert story.kinds() == {"lost"}


def test_a_deletion_of_unknown_outcome_explains_an_absence(story: Story) -> None:
    """It may have happened at any time since, or never; but not both."""
    story.ask("remove", "delete")
    assert story.kinds(seen()) == story.kinds() == set()
    story.do("look", "get", outcome="fail", status=404)
    assert story.kinds() == set()
    assert story.kinds(seen()) == {"resurrected"}


def test_a_deletion_that_was_denied_explains_none(story: Story) -> None:
    story.do("remove", "delete", outcome="fail")
    assert story.kinds() == {"lost"}


def test_a_deletion_is_for_good(story: Story) -> None:
    story.do("remove", "delete", status=204)
    assert story.kinds() == set()
    assert story.kinds(seen()) == {"resurrected"}


@pytest.mark.parametrize("outcome", ["fail", "info"])
def test_what_was_denied_must_not_be_there(story: Story, outcome: str) -> None:
    """What is unknown may."""
    story.do("one", "update", outcome=outcome)
    story.do("more", "create", outcome=outcome)
    made = seen(task=OTHER, title="more", origin="more")
    assert story.kinds(seen()) == set()
    wrong = set() if outcome == "info" else {"applied", "doubled"}
    assert story.kinds(seen(2, "one"), made) == wrong


def test_an_unknown_write_may_come_late(story: Story) -> None:
    """After an acknowledged one, or not at all; it counts as one version."""
    story.do("late", "update", outcome="info")
    story.do("one", "update", seen(2, "one"))
    assert story.kinds(seen(2, "one")) == story.kinds(seen(3, "late")) == set()
    assert story.kinds(seen(4, "late")) == {"doubled"}


def test_writes_that_overlap_may_come_in_either_order(story: Story) -> None:
    story.ask("one", "update")
    story.ask("two", "update")
    story.hear("two", seen(2, "two"))
    story.hear("one", seen(3, "one"))
    assert story.kinds(seen(3, "one")) == set()
    assert story.kinds(seen(3, "two")) == {"torn"}


def test_an_older_value_is_stale(story: Story) -> None:
    """A reading after an update shows it; one that overlaps it need not."""
    story.ask("early", "get")
    story.do("one", "update", seen(2, "one"))
    story.hear("early", seen())
    assert story.kinds(seen(2, "one")) == set()
    story.do("look", "get", seen(2))
    assert story.kinds(seen(2, "one")) == {"stale", "torn"}


def test_an_overwritten_value_is_lost(story: Story) -> None:
    """A later change that brings an older title back is no excuse."""
    story.do("one", "update", seen(2, "one"))
    story.ask("done", "complete", completed=True)
    assert story.kinds(seen(3, completed=True)) == {"lost"}
    assert story.kinds(seen(3, "one", completed=True)) == set()


def test_versions_do_not_go_back(story: Story) -> None:
    story.ask("late", "update")
    story.do("look", "get", seen(2, "late"))
    story.do("again", "get", seen(1))
    assert story.kinds(seen(2, "late")) == {"torn"}


def test_a_value_that_nobody_wrote_is_noticed(story: Story) -> None:
    story.do("look", "get", seen(1, "invented"))
    assert story.kinds(seen(1, "invented")) == {"stale", "torn"}


def test_completion_is_a_value_too(story: Story) -> None:
    """It is set: to complete what is completed changes nothing."""
    story.do("done", "complete", seen(2, completed=True), completed=True)
    story.do("again", "complete", seen(2, completed=True), completed=True)
    assert story.kinds(seen(2, completed=True)) == set()
    assert story.kinds(seen(2)) == {"lost", "torn"}


def test_an_answer_is_what_was_asked_for(story: Story) -> None:
    story.do("done", "complete", seen(1), completed=True)
    assert story.kinds(seen(1)) == {"lost", "misanswered"}


def test_one_creation_makes_one_task(story: Story) -> None:
    assert story.kinds(seen(), seen(task=OTHER)) == {"doubled"}


def test_a_list_shows_a_task_once(story: Story) -> None:
    story.do("all", "list", seen(), seen())
    assert story.kinds(seen()) == {"doubled"}


def test_a_list_need_not_show_what_came_while_it_was_read(story: Story) -> None:
    """Nor another user's task; one that was refused shows nothing."""
    other = seen(task=OTHER, title="more", origin="more")
    story.ask("all", "list")
    story.do("more", "create", other)
    story.hear("all", seen())
    story.do("his", "list", user="bob")
    story.do("none", "list", outcome="fail")
    assert story.kinds(seen(), other) == set()
    story.do("again", "list", other)
    assert story.kinds(other) == {"lost"}


def test_nobody_is_shown_anothers_task(story: Story) -> None:
    story.do("all", "list", seen(), seen(task=OTHER, user="bob", origin="his"))
    assert "leaked" in story.kinds(seen())


def test_attempts_under_a_key_are_one_operation(story: Story) -> None:
    """Denied, unknown, then acknowledged: it was done once, at any time in between."""
    story.do("one", "update", outcome="fail", key="one")
    story.do("one", "update", outcome="info", key="one")
    story.do("two", "update", seen(3, "two"))
    story.do("one", "update", seen(2, "one"), key="one", replayed=True)
    story.receipts["ada", "one"] = TASK
    assert story.kinds(seen(3, "two")) == set()


def test_what_was_denied_is_not_replayed(story: Story) -> None:
    story.do("one", "update", outcome="fail", key="one")
    story.do("one", "update", seen(2, "one"), key="one", replayed=True)
    story.receipts["ada", "one"] = TASK
    assert story.kinds(seen(2, "one")) == {"applied"}


def test_a_key_has_its_receipt(story: Story) -> None:
    """For the task that was answered, where it was done; none where it was not."""
    story.do("one", "update", seen(2, "one"), key="one")
    assert story.kinds(seen(2, "one")) == {"receipt"}
    story.receipts["ada", "one"] = OTHER
    assert story.kinds(seen(2, "one")) == {"receipt"}
    story.receipts["ada", "one"] = TASK
    assert story.kinds(seen(2, "one")) == set()
    story.do("two", "update", outcome="fail", key="two")
    story.receipts["ada", "two"] = TASK
    assert story.kinds(seen(2, "one")) == {"applied"}


def test_a_deletion_has_a_receipt_of_no_task(story: Story) -> None:
    story.do("remove", "delete", status=204, key="remove")
    assert story.kinds() == {"receipt"}
    story.receipts["ada", "remove"] = None
    assert story.kinds() == set()


def test_lists_and_get_agree_in_the_end(story: Story) -> None:
    assert story.kinds(seen(), listed=()) == {"disagreed"}
    assert story.kinds(seen(), got=(seen(completed=True),)) == {"disagreed"}


@pytest.mark.parametrize("status", [400, 401, 500, 502])
def test_an_outage_is_nothing_but_503(story: Story, status: int) -> None:
    story.do("look", "get", outcome="fail", status=status)
    assert story.kinds(seen()) == {"unexpected"}
