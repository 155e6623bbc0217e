"""History and undo over HTTP: the changes of a task are listed, and one is taken back."""

from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.problem_details import faults, problem

from taskservice.adapters.http.protocol.request import BODY_LIMIT

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
SAME = {"X-Request-Id": "same"}
UNUSED = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
UNKNOWN = "is not the number of a change of this task, or no longer known"


@pytest.fixture
def path(ada: ApiClient) -> str:
    """The path of a task of Ada's whose title was changed: its changes are 1 and 2."""
    path = f"/{ada.create()['id']}"
    ada("PATCH", path, json={"title": "Buy oat milk"})
    return path


def undo(ada: ApiClient, path: str, sequence: Any, **request: Any) -> Any:
    """Undo a change of the task at a path."""
    return ada("POST", f"{path}/undo", json={"sequence": sequence}, **request)


def sequences(ada: ApiClient, path: str) -> list[int]:
    """Return the numbers of the changes of the task at a path, the newest first."""
    return [one["sequence"] for one in ada("GET", f"{path}/history").json]


def test_a_history_has_each_change_newest_first(ada: ApiClient) -> None:
    """With its number, its time, who asked for it, and the fields that changed as they were."""
    ada.create()
    path = f"/{ada.create()['id']}"
    ada("PATCH", f"{path}/complete", headers=SAME)
    newest, creation = ada("GET", f"{path}/history").json
    task = ada("GET", path).json
    assert newest == {
        "sequence": 3,
        "id": newest["id"],
        "type": "task.completed",
        "at": task["updated_at"],
        "version": 2,
        "client": None,
        "request_id": "same",
        "previous": {"completed": False, "completed_at": None, "status": "needs-action"},
    }
    assert (creation["sequence"], creation["type"], creation["previous"]) == (
        2,
        "task.created",
        None,
    )
    assert creation["id"] != newest["id"]


def test_a_history_goes_on_in_the_trash(ada: ApiClient, path: str) -> None:
    """The removal is a change of the task, and has no earlier state of its own."""
    ada("DELETE", path)
    (removal, *_) = ada("GET", f"{path}/history").json
    assert (removal["sequence"], removal["type"], removal["version"]) == (3, "task.removed", 2)
    assert removal["previous"] is None


def test_the_pages_of_a_history_follow_one_another(ada: ApiClient, path: str) -> None:
    """`Link` leads on by number, so that a change meanwhile moves nothing."""
    first = ada("GET", f"{path}/history?limit=1")
    ada("PATCH", path, json={"title": "Buy soy milk"})
    link = first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    second = ada("GET", f"{path}/history{link}")
    assert [one["sequence"] for one in first.json + second.json] == [2, 1]
    assert "limit=1&cursor=" in link
    assert "Link" not in second.headers
    assert sequences(ada, path) == [3, 2, 1]


def test_a_cursor_of_another_history_is_400(ada: ApiClient, bob: ApiClient, path: str) -> None:
    """That of another task, of the tasks, of another user, and an altered one."""
    other, theirs = f"/{ada.create()['id']}", f"/{bob.create()['id']}"
    for caller, one in ((ada, other), (bob, theirs)):
        caller("PATCH", one, json={"title": "x"})
    own, *others = (
        next_cursor(caller, f"{caller.path}{one}")
        for caller, one in (
            (ada, f"{path}/history"),
            (ada, f"{other}/history"),
            (bob, f"{theirs}/history"),
            (ada, ""),
        )
    )
    assert ada("GET", f"{path}/history?cursor={own}").status_code == 200
    for cursor in (*others, own[:-1], f"B{own[1:]}", own * 2, "%C3%A4"):
        answer = ada("GET", f"{path}/history?cursor={cursor}")
        body = problem(answer, 400, "malformed-request")
        assert body["detail"] == "the cursor does not belong to this list"


def next_cursor(caller: ApiClient, path: str) -> str:
    """Return the cursor in the `Link` of a page with one item."""
    link = caller("GET", f"{path}?limit=1").headers["Link"]
    return str(link.partition("cursor=")[2].partition(">")[0])


@pytest.mark.parametrize("query", ["sort=sequence", "since=1", "completed=true"])
def test_a_history_has_no_filter(ada: ApiClient, path: str, query: str) -> None:
    """Only a limit and a cursor."""
    name = query.partition("=")[0]
    refused = ada("GET", f"{path}/history?{query}")
    assert faults(refused) == {f"?{name}": "is not a parameter of this operation"}


def test_conditions_of_a_history_are_those_of_a_list(ada: ApiClient, path: str) -> None:
    """It has no tag: 412 and 304. An id of nobody's is 404 before that."""
    problem(ada("GET", f"{path}/history", headers={"If-Match": '"2"'}), 412, "precondition-failed")
    held = ada("GET", f"{path}/history?limit=1", headers={"If-None-Match": "*"})
    assert (held.status_code, held.data, "Link" in held.headers) == (304, b"", False)
    missing = ada("GET", f"/{UNUSED}/history", headers={"If-None-Match": "*"})
    problem(missing, 404, "task-not-found")


@pytest.mark.parametrize(("method", "operation"), [("GET", "history"), ("POST", "undo")])
def test_a_task_of_nobodys_is_404(
    ada: ApiClient, bob: ApiClient, path: str, method: str, operation: str
) -> None:
    """Another user's, a purged one and none: the same bytes."""
    body = {"sequence": 1} if method == "POST" else None
    theirs = bob.create()["id"]
    ada("DELETE", path)
    ada("DELETE", f"/api/tasks/ada/trash{path}")
    bodies = set()
    for task_id in (path[1:], theirs, UNUSED):
        answer = ada(method, f"/{task_id}/{operation}", json=body, headers=SAME)
        problem(answer, 404, "task-not-found")
        bodies.add(answer.text.replace(task_id, UNUSED))
    assert len(bodies) == 1


def test_an_undone_edit_is_a_change(ada: ApiClient, path: str) -> None:
    """200 with the task and its tag; a retry without a key changes nothing."""
    undone = undo(ada, path, 2)
    assert (undone.status_code, undone.headers["ETag"]) == (200, '"3"')
    assert (undone.json["title"], undone.json["version"]) == ("Buy milk", 3)
    assert undone.json.keys() == ada("GET", path).json.keys()
    assert "Location" not in undone.headers
    again = undo(ada, path, 2)
    assert (again.status_code, again.json) == (200, undone.json)
    assert sequences(ada, path) == [3, 2, 1]


def test_a_repeated_undo_is_answered_as_the_first(ada: ApiClient, path: str) -> None:
    """With a key also at the old version, and after another edit; one change."""
    headers = KEY | {"If-Match": '"2"'}
    first = undo(ada, path, 2, headers=headers)
    ada("PATCH", path, json={"title": "Buy bread"})
    again = undo(ada, path, 2, headers=headers)
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert sequences(ada, path) == [4, 3, 2, 1]
    problem(undo(ada, path, 1, headers=headers), 422, "key-reused")


def test_a_conflict_names_each_field(ada: ApiClient) -> None:
    """409 with a pointer into the task for each, and nothing is set back."""
    path = f"/{ada.create(description='Two liters', priority=1)['id']}"
    first = {"title": "Buy oat milk", "description": "One liter", "priority": 5}
    ada("PATCH", path, json=first)
    after = ada("PATCH", path, json={"title": "Buy bread", "description": "Rye"}).json
    body = problem(undo(ada, path, 2), 409, "undo-conflict")
    assert body["detail"] == "the change cannot be undone: see `errors`"
    assert body["errors"] == [
        {"pointer": "/description", "detail": "was changed again"},
        {"pointer": "/title", "detail": "was changed again"},
    ]
    assert ada("GET", path).json == after
    assert sequences(ada, path) == [3, 2, 1]


def test_what_can_no_longer_be_set_is_a_conflict(ada: ApiClient) -> None:
    """The list of a task is gone, to which the undo would move it back."""
    kept = ada.create_list()
    path = f"/{ada.create(list_id=kept['id'])['id']}"
    ada("PATCH", path, json={"list_id": None})
    ada("DELETE", f"{ada.lists}/{kept['id']}")
    body = problem(undo(ada, path, 3), 409, "undo-conflict")
    assert body["errors"] == [{"pointer": "/list_id", "detail": "is not one of your lists"}]


def test_an_edit_of_a_task_in_the_trash_is_a_conflict(ada: ApiClient, path: str) -> None:
    """It names what is in the way: the task is to be restored first."""
    ada("DELETE", path)
    body = problem(undo(ada, path, 2), 409, "undo-conflict")
    assert body["errors"] == [
        {"pointer": "/trashed_at", "detail": "is set: restore the task first"}
    ]


def test_an_undone_removal_is_a_restoration(ada: ApiClient, path: str) -> None:
    """The task is back, at the next version, and has nothing of the trash."""
    ada("DELETE", path)
    undone = undo(ada, path, 3)
    assert (undone.status_code, undone.headers["ETag"]) == (200, '"3"')
    assert undone.json == ada("GET", path).json
    assert ada("GET", "/api/tasks/ada/trash").json == []


@pytest.mark.parametrize("sequence", [1, 4])
def test_an_undone_creation_is_a_removal(ada: ApiClient, path: str, sequence: int) -> None:
    """So is an undone restoration: the response is the task as it is in the trash."""
    ada("DELETE", path)
    ada("POST", f"/api/tasks/ada/trash{path}/restore")
    undone = undo(ada, path, sequence)
    assert (undone.status_code, undone.headers["ETag"]) == (200, '"3"')
    assert ada("GET", "/api/tasks/ada/trash").json == [undone.json]
    problem(ada("GET", path), 404, "task-not-found")
    assert undo(ada, path, sequence).json == undone.json


@pytest.mark.parametrize(
    ("sequence", "detail"),
    [
        (3, UNKNOWN),
        (4, UNKNOWN),
        (2**53 - 1, UNKNOWN),
        (0, "must be from 1 to 9007199254740991"),
        (-1, "must be from 1 to 9007199254740991"),
        (2**53, "must be from 1 to 9007199254740991"),
        (2**63, "must be from 1 to 9007199254740991"),
        ("2", "must be a whole number"),
        (2.5, "must be a whole number"),
        (True, "must be a whole number"),
        ([2], "must be a whole number"),
        (None, "must not be null"),
    ],
)
def test_what_is_no_change_of_the_task_is_422(
    ada: ApiClient, path: str, sequence: Any, detail: str
) -> None:
    """The number of another task's change, of none, and what is no number."""
    ada.create()
    assert faults(undo(ada, path, sequence)) == {"/sequence": detail}
    assert sequences(ada, path) == [2, 1]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"/sequence": "is required"}),
        ({"sequence": 2, "title": "x"}, {"/title": "is not a field that can be set"}),
        ({"id": UNUSED}, {"/id": "is not a field that can be set", "/sequence": "is required"}),
    ],
)
def test_an_undo_has_exactly_one_member(
    ada: ApiClient, path: str, body: Any, expected: dict[str, str]
) -> None:
    """Each fault is named."""
    assert faults(ada("POST", f"{path}/undo", json=body)) == expected


@pytest.mark.parametrize(
    "headers", [{"If-Match": '"1"'}, {"If-None-Match": '"2"'}, {"If-None-Match": "*"}]
)
def test_an_undo_heeds_its_conditions(ada: ApiClient, path: str, headers: dict[str, str]) -> None:
    """412 before the number is looked at, also of a task in the trash."""
    problem(undo(ada, path, 99, headers=headers), 412, "precondition-failed")
    ada("DELETE", path)
    problem(undo(ada, path, 3, headers=headers), 412, "precondition-failed")
    assert undo(ada, path, 3, headers={"If-Match": '"2"'}).status_code == 200


@pytest.mark.parametrize(
    ("request_body", "status"),
    [
        ({"data": b'{"sequence":2}' + b" " * BODY_LIMIT, "content_type": "application/json"}, 413),
        ({"data": b"", "content_type": "application/json"}, 400),
        ({"data": b'{"sequence": 2', "content_type": "application/json"}, 400),
        ({"data": b'{"sequence": 2, "sequence": 1}', "content_type": "application/json"}, 400),
        ({"data": b"2", "content_type": "application/json"}, 422),
        ({"data": b'{"sequence": 2}', "content_type": "text/plain"}, 415),
        ({"data": b'{"sequence": 2}', "content_type": "application/merge-patch+json"}, 415),
        ({}, 415),
    ],
)
def test_a_bad_body_is_answered_the_same_with_a_key(
    ada: ApiClient, path: str, request_body: dict[str, Any], status: int
) -> None:
    """413, 400, 422 or 415, and the key stays free."""
    plain, keyed = (
        ada("POST", f"{path}/undo", headers=SAME | key, **request_body) for key in ({}, KEY)
    )
    assert (plain.status_code, keyed.status_code, keyed.data) == (status, status, plain.data)
    assert undo(ada, path, 2, headers=KEY).status_code == 200
