"""The trash over HTTP: what is deleted is listed, read, restored and purged."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.http_callers import SETTINGS, ApiClient, application
from tests.problem_details import faults, problem

from taskservice.adapters.http.protocol.request import BODY_LIMIT
from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.trash import PURGE_LIMIT
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import TickingClock

TRASH = "/api/tasks/ada/trash"
KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
SAME = {"X-Request-Id": "same"}
UNUSED = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"


def delete(ada: ApiClient, **fields: Any) -> dict[str, Any]:
    """Create a task, delete it, and return it as it was."""
    task = ada.create(**fields)
    assert ada("DELETE", f"/{task['id']}").status_code == 204
    return task


def restoration(task: dict[str, Any]) -> str:
    """Return the address at which a task of Ada's is restored."""
    return f"{TRASH}/{task['id']}/restore"


def types(ada: ApiClient, task: dict[str, Any]) -> list[str]:
    """Return the types of all changes of a task, the newest first."""
    return [one["type"] for one in ada("GET", f"/{task['id']}/history").json]


def test_a_deleted_task_is_in_the_trash(ada: ApiClient) -> None:
    """As it was, with the time of its deletion and that after which it is purged, 30 days later."""
    task = delete(ada, description="Two liters")
    kept = {
        "trashed_at": "2026-02-09T10:00:00.125456Z",
        "trashed_with": None,
        "purged_after": "2026-03-11T10:00:00.125456Z",
    }
    listed, read = ada("GET", TRASH), ada("GET", f"{TRASH}/{task['id']}")
    assert (listed.status_code, listed.json) == (200, [task | kept])
    assert (read.status_code, read.json, read.headers["ETag"]) == (200, task | kept, '"1"')


def test_a_look_has_the_headers_of_the_read(ada: ApiClient) -> None:
    """HEAD of the trash, a task in it, a history and a summary."""
    task = delete(ada)
    delete(ada)
    for path in (f"{TRASH}?limit=1", f"{TRASH}/{task['id']}", f"/{task['id']}/history?limit=1"):
        read, look = (ada(method, path, headers=SAME) for method in ("GET", "HEAD"))
        assert (look.status_code, look.data, [*look.headers]) == (200, b"", [*read.headers])


@pytest.mark.parametrize("days", [1, 3650])
def test_the_setting_says_when_a_task_is_purged(open_workspace: OpenWorkspace, days: int) -> None:
    """Also what an undo puts into the trash."""
    settings = replace(SETTINGS, trash_days=days, changes_days=3650)
    ada = ApiClient(application(open_workspace, settings).test_client(), "ada")
    path = f"/{ada.create()['id']}"
    undone = ada("POST", f"{path}/undo", json={"sequence": 1}).json
    assert ada("GET", TRASH).json == [undone]
    after = datetime.fromisoformat(undone["purged_after"])
    assert after - datetime.fromisoformat(undone["trashed_at"]) == timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "purged_after"),
    [(30, "9999-01-30T23:59:59.999999Z"), (3650, "9999-12-31T23:59:59.999999Z")],
)
def test_a_task_deleted_at_the_end_of_time_is_purged_later(
    clock: TickingClock, days: int, purged_after: str
) -> None:
    """An imported task may have been deleted in 9998, and there is no year 10000."""
    storage = InMemoryStorage(clock)
    settings = replace(SETTINGS, trash_days=days, changes_days=3650)
    ada = ApiClient(application(storage.open_workspace, settings).test_client(), "ada")
    task = TrashedTask.load(ada("GET", f"{TRASH}/{delete(ada)['id']}").json | {"id": UNUSED})
    late = replace(task, trashed_at=datetime(9998, 12, 31, 23, 59, 59, 999999, UTC))
    assert storage.open_owner_data("ada").import_entities([late]) == []
    (shown, _) = ada("GET", TRASH).json
    assert (shown["id"], shown["purged_after"]) == (UNUSED, purged_after)


def test_the_trash_is_newest_first_in_pages(ada: ApiClient) -> None:
    """By deletion, not by creation; `Link` leads through it, and the count is that of the trash."""
    first, second, third = (ada.create() for _ in range(3))
    for task in (second, third, first):
        ada("DELETE", f"/{task['id']}")
    ada.create()
    address, found = f"{TRASH}?limit=2", []
    while address:
        page = ada("GET", address, headers={"Prefer": "count=exact"})
        assert (page.headers["X-Total-Count"], page.status_code) == ("3", 200)
        found.append([one["id"] for one in page.json])
        link = page.headers.get("Link", "").removeprefix("<").removesuffix('>; rel="next"')
        address = link and f"{TRASH}{link}"
    assert found == [[first["id"], third["id"]], [second["id"]]]


def test_a_cursor_of_another_list_is_400(ada: ApiClient, bob: ApiClient) -> None:
    """That of the tasks, of a history, of another user's trash, and an altered one."""
    for _ in range(2):
        ada.create()
        task = delete(ada)
        delete(bob)
    cursors = [
        next_cursor(caller, path)
        for caller, path in (
            (bob, f"/api/tasks/{bob.user}/trash"),
            (ada, ada.path),
            (ada, f"{ada.path}/{task['id']}/history"),
            (ada, TRASH),
        )
    ]
    own = cursors.pop()
    assert ada("GET", f"{TRASH}?cursor={own}").status_code == 200
    for cursor in (*cursors, own[:-1], f"B{own[1:]}"):
        body = problem(ada("GET", f"{TRASH}?cursor={cursor}"), 400, "malformed-request")
        assert body["detail"] == "the cursor does not belong to this list"


def next_cursor(caller: ApiClient, path: str) -> str:
    """Return the cursor in the `Link` of a page with one item."""
    link = caller("GET", f"{path}?limit=1").headers["Link"]
    return str(link.partition("cursor=")[2].partition(">")[0])


@pytest.mark.parametrize("name", ["sort", "q", "completed", "trashed_with", "trashed_before"])
def test_the_trash_has_no_filter(ada: ApiClient, name: str) -> None:
    """Only a limit and a cursor: what the core filters by is not offered."""
    refused = ada("GET", f"{TRASH}?{name}=2026-02-09T10:00:00Z")
    assert faults(refused) == {f"?{name}": "is not a parameter of this operation"}


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"title": "x"}),
        ("PATCH", "", {"title": "x"}),
        ("DELETE", "", None),
        ("DELETE", "?subtasks=delete", None),
        ("PATCH", "/complete", None),
        ("PATCH", "/position", {"place": "last"}),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"If-Match": '"1"'}, {"If-None-Match": "*"}, KEY])
def test_elsewhere_a_task_in_the_trash_is_as_one_that_never_was(
    ada: ApiClient, method: str, suffix: str, body: Any, headers: dict[str, str]
) -> None:
    """404, byte for byte that of an id never used, and nothing changes."""
    task = delete(ada)
    kept = ada("GET", TRASH).json
    trashed, unused = (
        ada(method, f"/{task_id}{suffix}", json=body, headers=SAME | headers)
        for task_id in (task["id"], UNUSED)
    )
    problem(trashed, 404, "task-not-found")
    assert trashed.data.replace(task["id"].encode(), UNUSED.encode()) == unused.data
    assert [*trashed.headers] == [*unused.headers]
    assert ada("GET", TRASH).json == kept


def test_lists_and_references_do_not_see_the_trash(ada: ApiClient) -> None:
    """A list, a search, a count, labels and a summary; and no sub-task can be under it."""
    task = delete(ada, labels=["home"], due="2026-02-09")
    for query in ("", "?q=milk", "?labels_any=home", "?due_after=2026-01-01"):
        found = ada("GET", query, headers={"Prefer": "count=exact"})
        assert (found.json, found.headers["X-Total-Count"]) == ([], "0")
    assert ada("GET", "/api/tasks/ada/labels").json == []
    refused = ada("POST", json={"title": "x", "parent_id": task["id"]})
    assert faults(refused) == {"/parent_id": "is not one of your tasks"}


@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("POST", "/restore"), ("DELETE", "")])
def test_what_is_not_in_the_trash_is_404(
    ada: ApiClient, bob: ApiClient, method: str, suffix: str
) -> None:
    """A task that is not deleted, one that is another user's, and none: the same bytes."""
    kept, theirs = ada.create()["id"], delete(bob)["id"]
    bodies = set()
    for task_id in (kept, theirs, UNUSED):
        answer = ada(method, f"{TRASH}/{task_id}{suffix}", headers=SAME)
        problem(answer, 404, "task-not-found")
        bodies.add(answer.text.replace(task_id, UNUSED))
    assert len(bodies) == 1


def test_a_restored_task_is_back(ada: ApiClient) -> None:
    """The same id and `created_at`, version + 1; 200 with the tag and the address of the task."""
    task = delete(ada, description="Two liters")
    restored = ada("POST", restoration(task))
    assert (restored.status_code, restored.headers["ETag"]) == (200, '"2"')
    assert restored.headers["Location"] == f"/api/tasks/ada/tasks/{task['id']}"
    updated = {"version": 2, "updated_at": "2026-02-09T10:00:00.126456Z"}
    assert restored.json == task | updated
    assert ada("GET", restored.headers["Location"]).json == restored.json
    assert ada("GET", TRASH).json == []
    problem(ada("POST", restoration(task)), 404, "task-not-found")


@pytest.mark.parametrize("user", ["trash", "auth0|bob", "restore"])
def test_the_location_leads_to_the_task_of_any_user(app: Any, user: str) -> None:
    """One whose name is a word of the path, and one whose name must be escaped."""
    caller = ApiClient(app.test_client(), user)
    task = delete(caller)
    path = f"/api/tasks/{user}/trash/{task['id'].upper()}/restore"
    restored = caller("POST", path, environ_overrides={"SCRIPT_NAME": "/todo"})
    address = restored.headers["Location"].removeprefix("/todo")
    assert address == f"/api/tasks/{user.replace('|', '%7C')}/tasks/{task['id']}"
    assert caller("GET", address).json == restored.json


def test_after_a_restoration_the_old_tag_is_412(ada: ApiClient) -> None:
    """An update that saw the task before its deletion is lost on nobody."""
    task = delete(ada)
    ada("POST", restoration(task))
    stale = ada("PATCH", f"/{task['id']}", json={"title": "x"}, headers={"If-Match": '"1"'})
    problem(stale, 412, "precondition-failed")


@pytest.mark.parametrize(
    "headers", [{"If-Match": '"2"'}, {"If-None-Match": '"1"'}, {"If-None-Match": "*"}]
)
@pytest.mark.parametrize(("method", "suffix"), [("POST", "/restore"), ("DELETE", "")])
def test_a_write_at_another_version_is_412(
    ada: ApiClient, method: str, suffix: str, headers: dict[str, str]
) -> None:
    """And the task stays in the trash; at its own it is done."""
    path = f"{TRASH}/{delete(ada)['id']}{suffix}"
    kept = ada("GET", TRASH).json
    problem(ada(method, path, headers=headers), 412, "precondition-failed")
    assert ada("GET", TRASH).json == kept
    done = ada(method, path, headers={"If-Match": '"1"'})
    assert done.status_code == {"POST": 200, "DELETE": 204}[method]


def test_reads_heed_their_conditions(ada: ApiClient) -> None:
    """304 for what the caller holds; a collection has no tag."""
    path = f"{TRASH}/{delete(ada)['id']}"
    held = ada("GET", path, headers={"If-None-Match": '"1"'})
    assert (held.status_code, held.data, held.headers["ETag"]) == (304, b"", '"1"')
    problem(ada("GET", path, headers={"If-Match": '"2"'}), 412, "precondition-failed")
    assert ada("GET", TRASH, headers={"If-None-Match": "*"}).status_code == 304
    for one in (TRASH, "/api/tasks/ada/summary"):
        problem(ada("GET", one, headers={"If-Match": '"1"'}), 412, "precondition-failed")


def test_if_match_is_never_demanded(open_workspace: OpenWorkspace) -> None:
    """A restoration, an undo and a purge need none, whatever the operator demands of updates."""
    settings = replace(SETTINGS, require_if_match=True)
    ada = ApiClient(application(open_workspace, settings).test_client(), "ada")
    path = f"/{ada.create()['id']}"
    assert ada("POST", f"{path}/undo", json={"sequence": 1}).status_code == 200
    assert ada("POST", f"{TRASH}{path}/restore").status_code == 200
    assert ada("DELETE", path, headers={"If-Match": '"2"'}).status_code == 204
    assert ada("DELETE", f"{TRASH}{path}").status_code == 204
    assert ada("DELETE", TRASH).status_code == 200


def test_a_repeated_restoration_is_answered_as_the_first(ada: ApiClient) -> None:
    """With its headers, also if the task is in the trash again; one change."""
    task = delete(ada)
    headers = KEY | {"If-Match": '"1"'}
    first = ada("POST", restoration(task), headers=headers)
    ada("DELETE", f"/{task['id']}")
    again = ada("POST", restoration(task), headers=headers)
    assert (first.status_code, again.status_code, again.data) == (200, 200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    for header in ("ETag", "Location"):
        assert again.headers[header] == first.headers[header]
    assert types(ada, task) == ["task.removed", "task.restored", "task.removed", "task.created"]


def test_a_key_stands_for_the_body_too(ada: ApiClient) -> None:
    """A restoration does not heed its body, but another one is another request."""
    task = delete(ada)
    assert ada("POST", restoration(task), data=b"{", headers=KEY).status_code == 200
    problem(ada("POST", restoration(task), headers=KEY), 422, "key-reused")
    assert ada("POST", restoration(task), data=b"{", headers=KEY).status_code == 200


def test_a_keyed_write_with_a_body_over_the_limit_is_413(ada: ApiClient) -> None:
    """Without a key the body is nobody's concern, as it has no meaning."""
    large = b"x" * (BODY_LIMIT + 1)
    task, other = delete(ada), delete(ada)
    writes = [("POST", restoration(task)), ("DELETE", f"{TRASH}/{other['id']}"), ("DELETE", TRASH)]
    for method, path in writes:
        problem(ada(method, path, data=large, headers=KEY), 413, "body-too-large")
    statuses = [ada(method, path, data=large).status_code for method, path in writes]
    assert statuses == [200, 204, 200]


def test_a_purged_task_is_gone(ada: ApiClient) -> None:
    """204 without a body; from then on it is as an id never used, also in its history."""
    task, other = delete(ada), delete(ada)
    purged = ada("DELETE", f"{TRASH}/{task['id']}", headers=KEY)
    assert (purged.status_code, purged.data) == (204, b"")
    assert "Content-Type" not in purged.headers
    for method, path in (
        ("GET", f"{TRASH}/{task['id']}"),
        ("DELETE", f"{TRASH}/{task['id']}"),
        ("POST", restoration(task)),
        ("GET", f"/{task['id']}/history"),
    ):
        problem(ada(method, path), 404, "task-not-found")
    again = ada("DELETE", f"{TRASH}/{task['id']}", headers=KEY)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (204, "true")
    assert [one["id"] for one in ada("GET", TRASH).json] == [other["id"]]


def test_all_of_the_trash_is_purged_in_portions(clock: TickingClock) -> None:
    """Up to 1,000 at once, the oldest first; a retry with the same key purges no more."""
    storage = InMemoryStorage(clock)
    ada = ApiClient(application(storage.open_workspace).test_client(), "ada")
    newest, kept = delete(ada), ada.create()
    task = TrashedTask.load(ada("GET", f"{TRASH}/{newest['id']}").json)
    older = [replace(task, id=UUID(int=n), trashed_at=task.created_at) for n in range(PURGE_LIMIT)]
    assert storage.open_owner_data("ada").import_entities(older) == []
    first, again = (ada("DELETE", TRASH, headers=KEY) for _ in range(2))
    assert (first.status_code, first.json) == (200, {"purged": 1000, "more": True})
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert [one["id"] for one in ada("GET", TRASH).json] == [newest["id"]]
    assert ada("DELETE", TRASH).json == {"purged": 1, "more": False}
    assert ada("DELETE", TRASH).json == {"purged": 0, "more": False}
    assert ada("GET").json == [kept]


@pytest.mark.parametrize("headers", [{"If-Match": '"1"'}, {"If-None-Match": "*"}])
def test_conditions_of_the_whole_trash_come_before_the_key(
    ada: ApiClient, headers: dict[str, str]
) -> None:
    """A collection has no tag, and exists: 412, and a retry is no replay."""
    delete(ada)
    problem(ada("DELETE", TRASH, headers=headers), 412, "precondition-failed")
    assert ada("DELETE", TRASH, headers=KEY).json["purged"] == 1
    problem(ada("DELETE", TRASH, headers=KEY | headers), 412, "precondition-failed")
