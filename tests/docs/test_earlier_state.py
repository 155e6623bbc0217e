"""The function of the page about the trash computes what the API returned at each version."""

from random import Random
from typing import Any

import pytest
from tests.markdown_code import DOCS, files

from taskservice.testing import ADA, ApiClient, ready_application

EDITS = 40
PATCHES: list[dict[str, Any]] = [
    {"title": "Buy bread"},
    {"title": "Buy milk", "labels": ["food", "home"]},
    {"labels": [], "priority": 1},
    {"due": "2030-03-25", "recurrence": "FREQ=WEEKLY"},
    {"due": "2030-03-25T09:00:00", "time_zone": "Europe/Berlin"},
    {"due": None, "recurrence": None},
    {"description": "Two liters"},
    {"status": "in-process"},
    {"status": "cancelled"},
]


@pytest.fixture(scope="module")
def earlier_state() -> Any:
    """The function, as a reader takes it from the page."""
    namespace: dict[str, Any] = {}
    exec(files((DOCS / "trash.md").read_text())["earlier_state.py"], namespace)  # noqa: S102
    return namespace["earlier_state"]


@pytest.fixture
def ada() -> ApiClient:
    """A user without tasks."""
    return ApiClient(ready_application().test_client(), ADA)


def states(ada: ApiClient, task_id: str) -> dict[int, dict[str, Any]]:
    """Change a task at random, delete and restore it too; return each state by its version."""
    random, trash = Random(0), f"/api/tasks/{ADA}/trash/{task_id}"  # noqa: S311
    found = {}
    for number in range(EDITS):
        ada("PATCH", f"/{task_id}", json=random.choice(PATCHES))
        if number % 5 == 0:
            ada("PATCH", f"/{task_id}/complete", json={"completed": random.random() < 0.5})
        if number % 9 == 0:
            ada("DELETE", f"/{task_id}")
            ada("POST", f"{trash}/restore")
        task = ada("GET", f"/{task_id}").json
        found[task["version"]] = task
    return found


def test_each_earlier_state_is_as_it_was(ada: ApiClient, earlier_state: Any) -> None:
    """Also after a deletion, from what is in the trash."""
    task_id = ada.create()["id"]
    known = states(ada, task_id)
    ada("DELETE", f"/{task_id}")
    trashed = ada("GET", f"/api/tasks/{ADA}/trash/{task_id}").json
    history = ada("GET", f"/{task_id}/history", query_string={"limit": 200}).json
    assert len(known) > EDITS / 2
    assert {one: earlier_state(trashed, history, one) for one in known} == known


def test_a_version_before_the_history_is_an_error(ada: ApiClient, earlier_state: Any) -> None:
    """If old changes were pruned, their versions cannot be computed."""
    task = ada.create()
    ada("PATCH", f"/{task['id']}", json={"title": "Buy bread"})
    newest, *_ = ada("GET", f"/{task['id']}/history").json
    with pytest.raises(LookupError, match="does not have version 1"):
        earlier_state(task, [newest], 1)
