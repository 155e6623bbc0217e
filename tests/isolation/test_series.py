"""Series: nobody closes, reopens, finds or removes a task of another user's series."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from tests.http_callers import ApiClient

from taskservice.core.task import Task
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA

MISSING = str(UUID(int=7 << 76 | 0b10 << 62))
DAILY = {"due": "2026-03-29", "recurrence": "FREQ=DAILY"}
WRITES: list[tuple[str, dict[str, Any]]] = [
    ("/complete", {"completed": True, "time_zone": "Europe/Berlin"}),
    ("/complete", {"completed": False}),
    ("", {"status": "cancelled"}),
    ("", {"status": "needs-action"}),
    ("", {"recurrence": None}),
    ("", DAILY),
]
"""Closing, skipping, undoing, ending and setting a recurrence."""


def closed(user: ApiClient) -> Any:
    """Return a task that recurs and was closed, of a series of its own."""
    return user("PATCH", f"/{user.create(**DAILY)['id']}/complete").json


def imported(open_workspace: OpenWorkspace, task: Any, **ids: Any) -> None:
    """Store a task of Ada's with other ids than the service sets, as an import may have them."""
    with open_workspace(ADA, atomic=True) as workspace:
        workspace.tasks.remove(UUID(task["id"]))
        workspace.tasks.insert(replace(Task.load(task), **ids))


def whole(response: Any, task_id: str) -> tuple[int, list[tuple[str, str]], str]:
    """Return all that a caller gets, without the id of the task."""
    headers = [one for one in response.headers if one[0] != "X-Request-Id"]
    return response.status_code, headers, response.text.replace(task_id, "{id}")


def test_a_series_of_another_user_looks_like_a_missing_one(ada: ApiClient, bob: ApiClient) -> None:
    """By the id of a closed task and of its successor; nothing of either user changes."""
    theirs, _ = closed(bob), closed(ada)
    same_request = {"X-Request-Id": "same"}
    before = [user("GET").data for user in (ada, bob)]
    for suffix, body in WRITES:
        missing, *foreign = (
            whole(ada("PATCH", f"/{task_id}{suffix}", json=body, headers=same_request), task_id)
            for task_id in (MISSING, theirs["id"], theirs["next_id"])
        )
        assert missing[0] == 404
        assert foreign == [missing, missing]
    assert [user("GET").data for user in (ada, bob)] == before


@pytest.mark.parametrize("parameters", ["", "&completed=false", "&sort=-created_at&limit=1"])
def test_the_history_has_tasks_of_its_owner_only(
    ada: ApiClient, bob: ApiClient, open_workspace: OpenWorkspace, parameters: str
) -> None:
    """Also if the same id is that of a series of another user, as an import can make it."""
    mine, theirs = closed(ada), closed(bob)
    imported(open_workspace, mine, series_id=UUID(theirs["series_id"]))
    counted = {"Prefer": "count=exact"}
    query = f"?series_id={theirs['series_id']}{parameters}"
    found = ada("GET", query, headers=counted)
    assert {task["user_id"] for task in found.json} <= {ADA}
    assert int(found.headers["X-Total-Count"]) == ("completed" not in parameters)


def test_undo_removes_no_task_of_another_user(
    ada: ApiClient, bob: ApiClient, open_workspace: OpenWorkspace
) -> None:
    """Although it is the successor by its id: to its owner there is none."""
    theirs, mine = bob.create(**DAILY), closed(ada)
    assert ada("DELETE", f"/{mine['next_id']}").status_code == 204
    imported(open_workspace, mine, next_id=UUID(theirs["id"]))
    undone = ada("PATCH", f"/{mine['id']}/complete", json={"completed": False})
    assert (undone.status_code, undone.json["recurrence"]) == (200, DAILY["recurrence"])
    assert bob("GET").json == [theirs]
