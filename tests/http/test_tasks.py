"""The seven operations, as their owner uses them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests.http_callers import ApiClient
from tests.problem_details import faults, problem

from taskservice.core.task import NewTask, Task
from taskservice.testing import TickingClock


def test_a_created_task_is_answered_whole(ada: ApiClient) -> None:
    """201 with every field, the task's address and its tag."""
    response = ada("POST", json={"title": "Buy milk"})
    task = response.json
    assert response.status_code == 201
    assert response.content_type == "application/json"
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Location"] == f"/api/tasks/ada/tasks/{task['id']}"
    now = datetime(2026, 2, 9, 10, 0, 0, 124456, UTC)
    created = Task.create("ada", now, lambda _: UUID(task["id"]), NewTask(title="Buy milk"))
    assert task == created.dump()
    assert (task["title"], task["completed"], task["version"]) == ("Buy milk", False, 1)
    assert task["created_at"] == task["updated_at"] == "2026-02-09T10:00:00.124456Z"


def test_the_location_leads_to_the_task(bob: ApiClient) -> None:
    """`Location` is an address that answers, for a user whose name must be escaped too."""
    created = bob("POST", json={"title": "Buy milk"})
    assert created.headers["Location"].startswith("/api/tasks/auth0%7Cbob/tasks/")
    read = bob("GET", created.headers["Location"])
    assert (read.status_code, read.json) == (200, created.json)


def test_a_time_always_has_six_digits(ada: ApiClient, clock: TickingClock) -> None:
    """A task of a whole second is written with microseconds like any other."""
    clock.now = clock.now.replace(microsecond=0) - clock.step
    assert ada.create()["created_at"] == "2026-02-09T10:00:00.000001Z"


def test_a_task_is_read_with_its_tag(ada: ApiClient) -> None:
    """GET of one task answers it and its ETag; HEAD the same without the body."""
    task = ada.create(description="Two liters", completed=True)
    read = ada("GET", f"/{task['id']}")
    head = ada("HEAD", f"/{task['id']}")
    assert (read.status_code, read.json, read.headers["ETag"]) == (200, task, '"1"')
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", '"1"')
    assert head.headers["Content-Length"] == read.headers["Content-Length"]


def test_an_id_is_taken_in_either_case(ada: ApiClient) -> None:
    """Ids are shown in lower case and taken in either."""
    task = ada.create()
    assert ada("GET", f"/{task['id'].upper()}").json == task


def test_put_keeps_what_it_does_not_name(ada: ApiClient) -> None:
    """An optional field that a PUT leaves out keeps its value; null clears the description."""
    task = ada.create(description="Two liters", completed=True)
    address = f"/{task['id']}"
    updated = ada("PUT", address, json={"title": "Buy oat milk"})
    assert (updated.status_code, updated.headers["ETag"]) == (200, '"2"')
    assert updated.json == task | {
        "title": "Buy oat milk",
        "updated_at": updated.json["updated_at"],
        "version": 2,
    }
    cleared = ada("PUT", address, json={"title": "Buy oat milk", "description": None})
    assert (cleared.json["description"], cleared.json["completed"]) == (None, True)


@pytest.mark.parametrize("media_type", ["application/merge-patch+json", "application/json"])
def test_patch_merges(ada: ApiClient, media_type: str) -> None:
    """A merge patch in either media type: absent keeps, null clears."""
    task = ada.create(description="Two liters")
    patched = ada("PATCH", f"/{task['id']}", data='{"description": null}', content_type=media_type)
    assert (patched.status_code, patched.headers["ETag"]) == (200, '"2"')
    assert (patched.json["title"], patched.json["description"]) == ("Buy milk", None)


def test_patch_with_nothing_changes_nothing(ada: ApiClient) -> None:
    """An empty patch leaves version and times as they were."""
    task = ada.create()
    assert ada("PATCH", f"/{task['id']}", json={}).json == task


def test_completion_sets_and_does_not_toggle(ada: ApiClient) -> None:
    """A repeated completion is harmless; false reopens; no body at all completes."""
    address = f"/{ada.create()['id']}/complete"
    first = ada("PATCH", address)
    again = ada("PATCH", address, json={"completed": True})
    assert first.status_code == 200
    assert first.json["completed_at"] == first.json["updated_at"]
    assert again.json == first.json
    reopened = ada("PATCH", address, json={"completed": False}).json
    assert (reopened["completed"], reopened["completed_at"], reopened["version"]) == (
        False,
        None,
        3,
    )


def test_a_completion_may_say_where_the_caller_is(ada: ApiClient) -> None:
    """For a task that does not recur it makes no difference: one version, and no time zone."""
    path = f"/{ada.create()['id']}"
    done = ada("PATCH", f"{path}/complete", json={"completed": True, "time_zone": "Asia/Tokyo"})
    assert (done.status_code, done.json["version"]) == (200, 2)
    assert (done.json["time_zone"], done.json["next_id"]) == (None, None)
    assert ada("PATCH", f"{path}/complete").json == done.json


@pytest.mark.parametrize(
    ("time_zone", "detail"),
    [
        (None, "must not be null"),
        (
            "europe/berlin",
            "must be the name of an IANA time zone in its exact case, such as Europe/Berlin",
        ),
    ],
)
def test_a_completion_in_no_time_zone_is_refused(
    ada: ApiClient, time_zone: object, detail: str
) -> None:
    """422 at the time zone, and the task stays open."""
    task = ada.create(due="2026-03-29", recurrence="FREQ=WEEKLY")
    body = {"completed": True, "time_zone": time_zone}
    refused = ada("PATCH", f"/{task['id']}/complete", json=body)
    assert faults(refused) == {"/time_zone": detail}
    assert ada("GET").json == [task]


def test_a_deleted_task_is_gone(ada: ApiClient) -> None:
    """204 without a body or a type, and 404 from then on."""
    address = f"/{ada.create()['id']}"
    deleted = ada("DELETE", address)
    assert (deleted.status_code, deleted.data) == (204, b"")
    assert "Content-Type" not in deleted.headers
    problem(ada("DELETE", address), 404, "task-not-found")
    problem(ada("GET", address), 404, "task-not-found")


def test_lists_are_newest_first_in_pages(ada: ApiClient) -> None:
    """The list is a bare array; `Link` leads through it as it stands, keeping what was asked."""
    made = [ada.create(title=f"Task {n}", completed=n % 2 == 0) for n in range(7)]
    expected = [task for task in made[::-1] if not task["completed"]]
    pages, address = [], "?completed=false&limit=2"
    while address:
        response = ada("GET", address)
        assert response.status_code == 200
        pages.append(response.json)
        link = response.headers.get("Link", "")
        address = link.removeprefix("<").removesuffix('>; rel="next"')
        assert ("completed=false" in address) == bool(address)
    assert [len(page) for page in pages] == [2, 1]
    assert [task for page in pages for task in page] == expected


def test_an_empty_list_is_an_array(ada: ApiClient) -> None:
    """No tasks are an empty array."""
    response = ada("GET")
    assert (response.status_code, response.json) == (200, [])
    assert "Link" not in response.headers
