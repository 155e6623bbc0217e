"""Status beside `completed`, and the filters by status and priority: the cases 21 and 22."""

from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.planning.questions import changed, found
from tests.problem_details import faults

STATUSES = ["needs-action", "in-process", "completed", "cancelled"]
CLOSED = ["completed", "cancelled"]


def state(task: dict[str, Any]) -> tuple[str, bool, bool]:
    """Return the status, whether the task is completed, and whether it has a time of that."""
    return task["status"], task["completed"], task["completed_at"] is not None


@pytest.mark.parametrize("status", STATUSES)
def test_a_task_is_completed_if_its_status_is_closed(ada: ApiClient, status: str) -> None:
    """From its creation, and after a change."""
    is_closed = status in CLOSED
    assert state(ada.create(status=status)) == (status, is_closed, is_closed)
    after = changed(ada, ada.create(), status=status).json
    assert state(after) == (status, is_closed, is_closed)


def test_case_21_a_cancelled_task_is_not_among_the_open_ones(ada: ApiClient) -> None:
    """`completed: true` keeps its status, `completed: false` opens it."""
    task = ada.create(title="x", status="cancelled")
    assert found(ada, completed="false") == set()
    assert found(ada, completed="true") == {"x"}
    assert changed(ada, task, completed=True).json == task
    assert ada("PATCH", f"/{task['id']}/complete").json == task
    assert state(changed(ada, task, completed=False).json) == ("needs-action", False, False)


def test_case_22_a_contradiction_is_refused(ada: ApiClient) -> None:
    """By its own values, whatever the status is."""
    task = ada.create(status="cancelled")
    for fields in (
        {"completed": True, "status": "in-process"},
        {"completed": False, "status": "completed"},
    ):
        expected = {"/completed": "does not agree with status"}
        assert faults(changed(ada, task, **fields)) == expected
        assert faults(ada("POST", json={"title": "x", **fields})) == expected
    assert ada("GET", f"/{task['id']}").json == task


def test_case_22_an_open_task_keeps_its_status(ada: ApiClient) -> None:
    """`completed: false` of a task in process is no change."""
    task = ada.create(status="in-process")
    assert changed(ada, task, completed=False).json == task
    assert ada("PATCH", f"/{task['id']}/complete", json={"completed": False}).json == task


def test_completed_and_cancelled_keep_the_time_of_closing(ada: ApiClient) -> None:
    """A status that is closed as well does not close it again."""
    task = ada.create(completed=True)
    assert task["status"] == "completed"
    after = changed(ada, task, status="cancelled").json
    assert (after["completed_at"], after["version"]) == (task["completed_at"], 2)


def test_a_completion_sets_the_status(ada: ApiClient) -> None:
    """And a reopening sets it back."""
    path = f"/{ada.create(status='in-process')['id']}/complete"
    assert state(ada("PATCH", path).json) == ("completed", True, True)
    reopened = ada("PATCH", path, json={"completed": False}).json
    assert state(reopened) == ("needs-action", False, False)


@pytest.mark.parametrize("name", ["status", "labels"])
def test_null_is_refused_where_there_is_always_a_value(ada: ApiClient, name: str) -> None:
    """A status is one of four, labels are a list."""
    assert faults(changed(ada, ada.create(), **{name: None})) == {f"/{name}": "must not be null"}


def test_a_list_is_of_one_or_more_statuses(ada: ApiClient) -> None:
    """By comma, with other filters."""
    for status in STATUSES:
        ada.create(title=status, status=status)
    assert found(ada, status="in-process") == {"in-process"}
    assert found(ada, status="in-process,cancelled") == {"in-process", "cancelled"}
    assert found(ada, status="in-process,cancelled", completed="true") == {"cancelled"}
    assert found(ada, status="needs-action,in-process", completed="true") == set()
    assert found(ada, status=",".join(STATUSES)) == set(STATUSES)


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        ("1", {"1"}),
        ("high", {"1", "2", "3", "4"}),
        ("medium", {"5"}),
        ("low", {"6", "7", "8", "9"}),
        ("none", {"none"}),
        ("high,5,none,5", {"1", "2", "3", "4", "5", "none"}),
    ],
)
def test_a_list_is_of_one_or_more_priorities(
    ada: ApiClient, priority: str, expected: set[str]
) -> None:
    """Numbers, levels of RFC 5545, and none."""
    for value in (*range(1, 10), None):
        ada.create(title="none" if value is None else f"{value}", priority=value)
    assert found(ada, priority=priority) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("status", value) for value in ("", "done", "completed,", "completed;cancelled")),
        *(("priority", value) for value in ("", "0", "10", "01", "highest", "1, 2", "null")),
    ],
)
def test_other_words_are_refused(ada: ApiClient, name: str, value: str) -> None:
    """The message has all words."""
    ((place, message),) = faults(ada("GET", query_string={name: value})).items()
    assert place == f"?{name}"
    assert message.startswith("must be one or more of ")


def test_a_repeated_list_is_refused(ada: ApiClient) -> None:
    """The message says how to send several items."""
    expected = {"?status": "must be given only once, with commas between the items"}
    assert faults(ada("GET", "?status=completed&status=cancelled")) == expected


def test_a_priority_out_of_range_is_refused(ada: ApiClient) -> None:
    """0 is none in RFC 5545; here none is null."""
    expected = {"/priority": "must be from 1 (highest) to 9 (lowest), or null for none"}
    for priority in (0, 10, 1.5, "high"):
        assert faults(ada("POST", json={"title": "x", "priority": priority})) == expected
