"""Idempotency keys: a repeated request is done once."""

from typing import Any
from uuid import uuid4

import pytest
from tests.http_callers import ApiClient
from tests.problem_details import problem

from taskservice.adapters.http.protocol.request import BODY_LIMIT

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


def replayed(response: Any) -> bool:
    """Tell whether an answer says that it repeats an earlier one."""
    return bool(response.headers.get("Idempotency-Replayed") == "true")


def test_a_repeated_creation_is_answered_as_the_first(ada: ApiClient) -> None:
    """The same status, body, tag and address, and `Idempotency-Replayed`; one task."""
    first = ada("POST", json={"title": "Buy milk"}, headers=KEY)
    ada("PATCH", f"/{first.json['id']}/complete")
    again = ada("POST", json={"title": "Buy milk"}, headers=KEY)
    assert (first.status_code, replayed(first)) == (201, False)
    assert (again.status_code, replayed(again)) == (201, True)
    assert again.data == first.data
    for header in ("ETag", "Location"):
        assert again.headers[header] == first.headers[header]
    assert len(ada("GET").json) == 1


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PUT", "", {"title": "Buy oat milk"}),
        ("PATCH", "", {"description": "Two liters"}),
        ("PATCH", "/complete", {"completed": True}),
        ("PATCH", "/complete", None),
        ("PATCH", "/position", {"place": "last"}),
        ("DELETE", "", None),
        ("DELETE", "?subtasks=delete", None),
    ],
)
def test_a_repeated_write_is_answered_as_the_first(
    ada: ApiClient, method: str, suffix: str, body: Any
) -> None:
    """A retry with the same `If-Match` replays the success, and is no 412 nor 404."""
    path = f"/{ada.create()['id']}{suffix}"
    headers = {**KEY, "If-Match": '"1"'}
    first = ada(method, path, json=body, headers=headers)
    again = ada(method, path, json=body, headers=headers)
    assert first.status_code == (204 if method == "DELETE" else 200)
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert (replayed(first), replayed(again)) == (False, True)


def test_a_repeated_completion_of_a_task_that_recurs_makes_no_other_successor(
    ada: ApiClient,
) -> None:
    """Not even after an undo: the answer is the first one, and the task stays open."""
    path = f"/{ada.create(due='2026-03-29', recurrence='FREQ=WEEKLY')['id']}/complete"
    first = ada("PATCH", path, headers=KEY)
    assert len(ada("GET").json) == 2
    undone = ada("PATCH", path, json={"completed": False})
    again = ada("PATCH", path, headers=KEY)
    assert (again.data, replayed(again)) == (first.data, True)
    assert ada("GET").json == [undone.json]


@pytest.mark.parametrize(
    ("method", "suffix", "body"),
    [
        ("PATCH", "", {"name": "Food"}),
        ("PATCH", "/position", {"place": "last"}),
        ("DELETE", "?tasks=delete", None),
    ],
)
def test_a_repeated_write_of_a_list_is_answered_as_the_first(
    ada: ApiClient, method: str, suffix: str, body: Any
) -> None:
    """The list has another one behind it, and a task, so that each of the writes does something."""
    made, _ = ada.create_list(), ada.create_list("Work")
    ada.create(list_id=made["id"])
    path = f"{ada.lists}/{made['id']}{suffix}"
    first, again = (ada(method, path, json=body, headers=KEY) for _ in range(2))
    assert first.status_code == (204 if method == "DELETE" else 200)
    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert again.headers.get("ETag") == first.headers.get("ETag")
    assert (replayed(first), replayed(again)) == (False, True)


def test_a_repeated_rename_of_a_label_is_answered_as_the_first(ada: ApiClient) -> None:
    """With the counts of then; a task that got the label since keeps it."""
    ada.create(labels=["home"])
    body = {"label": "home", "new": "house"}
    first = ada("PATCH", f"/api/tasks/{ada.user}/labels", json=body, headers=KEY)
    later = ada.create(labels=["home"])
    again = ada("PATCH", f"/api/tasks/{ada.user}/labels", json=body, headers=KEY)
    assert first.json == {"label": "house", "open": 1, "all": 1, "more": False}
    assert (again.status_code, again.data) == (200, first.data)
    assert (replayed(first), replayed(again)) == (False, True)
    assert ada("GET", f"/{later['id']}").json == later


def test_a_repeated_step_of_a_deletion_is_answered_as_the_first(ada: ApiClient) -> None:
    """200 with what was done then, and no step more: each step has a key of its own."""
    made = ada.create_list()
    for _ in range(3):
        ada.create(list_id=made["id"])
    path = f"{ada.lists}/{made['id']}?tasks=inbox&limit=2"
    first, again = (ada("DELETE", path, headers=KEY) for _ in range(2))
    assert (first.status_code, first.json) == (200, {"done": 2, "more": True})
    assert (again.status_code, again.data) == (200, first.data)
    assert (replayed(first), replayed(again)) == (False, True)
    assert len(ada("GET", f"?list_id={made['id']}").json) == 1
    problem(ada("DELETE", path.replace("limit=2", "limit=3"), headers=KEY), 422, "key-reused")
    last = [ada("DELETE", path, headers={"Idempotency-Key": "another"}) for _ in range(2)]
    assert [(one.status_code, one.json) for one in last] == [(200, {"done": 1, "more": False})] * 2
    assert [replayed(one) for one in last] == [False, True]
    problem(ada("GET", f"{ada.lists}/{made['id']}"), 404, "list-not-found")


def test_a_key_for_another_request_is_422(ada: ApiClient) -> None:
    """Another body, path or method under the same key is refused, and does nothing."""
    task = ada("POST", json={"title": "Buy milk"}, headers=KEY).json
    address = f"/{task['id']}"
    for method, path, body in (
        ("POST", "", {"title": "Buy bread"}),
        ("PUT", address, {"title": "Buy milk"}),
        ("PATCH", f"{address}/complete", None),
        ("DELETE", address, None),
    ):
        problem(ada(method, path, json=body, headers=KEY), 422, "key-reused")
    assert ada("GET").json == [task]


def test_a_key_for_a_deletion_with_other_options_is_422(ada: ApiClient) -> None:
    """The query is a part of the request: a retry that would delete more is refused."""
    path = f"{ada.lists}/{ada.create_list()['id']}"
    assert ada("DELETE", f"{path}?tasks=inbox", headers=KEY).status_code == 204
    for query in ("", "?tasks=delete"):
        problem(ada("DELETE", f"{path}{query}", headers=KEY), 422, "key-reused")
    assert replayed(ada("DELETE", f"{path}?tasks=inbox", headers=KEY))


@pytest.mark.parametrize("first", [b"", b'{"reason": "done"}'])
def test_a_key_for_a_deletion_with_another_body_is_422(ada: ApiClient, first: bytes) -> None:
    """A deletion does not heed its body, but the key stands for the bytes that were sent."""
    path = f"/{ada.create()['id']}"
    assert ada("DELETE", path, data=first, headers=KEY).status_code == 204
    problem(ada("DELETE", path, data=b"another", headers=KEY), 422, "key-reused")
    again = ada("DELETE", path, data=first, headers=KEY)
    assert (again.status_code, replayed(again)) == (204, True)


def test_a_keyed_deletion_with_a_body_over_the_limit_is_413(ada: ApiClient) -> None:
    """Before its parameters are looked at; without a key the body is nobody's concern."""
    path = f"/{ada.create()['id']}"
    large, largest = b"x" * (BODY_LIMIT + 1), b"x" * BODY_LIMIT
    refused = ada("DELETE", f"{path}?a=b", data=large, headers=KEY)
    problem(refused, 413, "body-too-large")
    assert ada("DELETE", path, data=largest, headers=KEY).status_code == 204
    assert ada("DELETE", f"/{ada.create()['id']}", data=large).status_code == 204


def test_what_was_refused_is_not_remembered(ada: ApiClient) -> None:
    """A key stays free until its request succeeds."""
    assert ada("POST", json={"title": " "}, headers=KEY).status_code == 422
    problem(ada("DELETE", f"/{uuid4()}", headers=KEY), 404, "task-not-found")
    assert ada("POST", json={"title": "Buy milk"}, headers=KEY).status_code == 201


def test_a_key_is_its_users_own(ada: ApiClient, bob: ApiClient) -> None:
    """The key of another user is as good as new."""
    ada("POST", json={"title": "Buy milk"}, headers=KEY)
    theirs = bob("POST", json={"title": "Buy milk"}, headers=KEY)
    assert (theirs.status_code, theirs.json["user_id"], replayed(theirs)) == (201, bob.user, False)


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "ä", "a,b", "\x7f"])
def test_a_bad_key_is_400(ada: ApiClient, key: str) -> None:
    """What is no key, or was sent twice, is malformed; nothing is done."""
    path = f"/{ada.create()['id']}"
    for method, suffix, body in (("POST", "", {"title": "x"}), ("DELETE", path, None)):
        response = ada(method, suffix, json=body, headers={"Idempotency-Key": key})
        problem(response, 400, "malformed-request")
    assert len(ada("GET").json) == 1


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b", "!#$%&'()*+-./:;<=>?@[]^_`{|}~\"\\"])
def test_a_key_is_printable_ascii(ada: ApiClient, key: str) -> None:
    """Any printable ASCII but the comma names a request."""
    headers = {"Idempotency-Key": key}
    assert ada("POST", json={"title": "x"}, headers=headers).status_code == 201
    assert replayed(ada("POST", json={"title": "x"}, headers=headers))


def test_reading_takes_no_key(ada: ApiClient) -> None:
    """A read with a key, even a bad one, is a read."""
    ada("POST", json={"title": "Buy milk"}, headers=KEY)
    response = ada("GET", headers={"Idempotency-Key": "a,b"})
    assert (response.status_code, replayed(response), len(response.json)) == (200, False, 1)


@pytest.mark.parametrize("header", [{"If-None-Match": "*"}, {"If-Match": '"1"'}])
def test_a_precondition_of_a_creation_comes_before_its_key(
    ada: ApiClient, header: dict[str, str]
) -> None:
    """A retry with a precondition that fails is 412, and no replay."""
    key = {"Idempotency-Key": "key"}
    assert ada("POST", json={"title": "Buy milk"}, headers=key).status_code == 201
    response = ada("POST", json={"title": "Buy milk"}, headers={**key, **header})
    problem(response, 412, "precondition-failed")
