"""Preconditions: `If-Match` and `If-None-Match` on every operation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from tests.http_callers import SETTINGS, ApiClient, application
from tests.problem_details import problem

from taskservice.core.workspace import OpenWorkspace

Write = tuple[str, str, Any]

UPDATES: list[Write] = [
    ("PUT", "", {"title": "Buy oat milk"}),
    ("PATCH", "", {"title": "Buy oat milk"}),
    ("DELETE", "", None),
]
SETTERS: list[Write] = [
    ("PATCH", "/complete", {"completed": True}),
    ("PATCH", "/position", {"place": "last"}),
]
"""Writes of what a retry sets again: `If-Match` is never required."""
UPDATES_OF_LISTS: list[Write] = [("PATCH", "", {"name": "Food"}), ("DELETE", "", None)]


@pytest.mark.parametrize(("method", "suffix", "body"), [*UPDATES, *SETTERS])
@pytest.mark.parametrize(
    "tags", ['"1"', "*", ' "1" ', '"7", "1"', '"x","1"', ', "1",,', 'W/"1", "1"', '"", "1"']
)
def test_a_write_is_done_where_the_tag_matches(
    ada: ApiClient, method: str, suffix: str, body: Any, tags: str
) -> None:
    """A tag of the present version, alone, in a list, or `*`, lets the write through."""
    task = ada.create()
    response = ada(method, f"/{task['id']}{suffix}", json=body, headers={"If-Match": tags})
    assert response.status_code == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize(("method", "suffix", "body"), [*UPDATES_OF_LISTS, SETTERS[1]])
def test_a_write_of_a_list_is_done_where_the_tag_matches(
    ada: ApiClient, method: str, suffix: str, body: Any
) -> None:
    """At another version it is 412, and the list is as before."""
    path = f"{ada.lists}/{(made := ada.create_list())['id']}"
    stale = ada(method, f"{path}{suffix}", json=body, headers={"If-Match": '"2"'})
    problem(stale, 412, "precondition-failed")
    assert ada("GET", path).json == made
    done = ada(method, f"{path}{suffix}", json=body, headers={"If-Match": '"1"'})
    assert done.status_code == (204 if method == "DELETE" else 200)


def test_a_tag_with_del_is_400(ada: ApiClient) -> None:
    """gunicorn refuses it itself, other servers may not."""
    for name in ("If-Match", "If-None-Match"):
        problem(ada("GET", headers={name: '"a\x7fb"'}), 400, "malformed-request")


@pytest.mark.parametrize("tags", ['"1"', "*", 'W/"1"', '"0", "1"'])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_the_caller_holds_is_304(ada: ApiClient, method: str, tags: str) -> None:
    """Weak comparison: 304 with the tag and without a body."""
    task = ada.create()
    response = ada(method, f"/{task['id']}", headers={"If-None-Match": tags})
    assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", '"1"')
    assert "Content-Type" not in response.headers
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Vary"] == "Authorization"


@pytest.mark.parametrize("tags", ['"2"', '"x"', '""'])
def test_what_the_caller_does_not_hold_is_sent(ada: ApiClient, tags: str) -> None:
    """Another tag is answered with the task."""
    task = ada.create()
    response = ada("GET", f"/{task['id']}", headers={"If-None-Match": tags})
    assert (response.status_code, response.json) == (200, task)


@pytest.fixture
def strict(open_workspace: OpenWorkspace) -> Flask:
    """An application that demands `If-Match`."""
    return application(open_workspace, replace(SETTINGS, require_if_match=True))


def test_if_match_may_be_demanded(strict: Flask) -> None:
    """428 for an update without it, after existence; a completion and a move never need it.

    `If-None-Match` does not stand in for it, and does not come before it (RFC 9110, 13.2.1).
    """
    ada = ApiClient(strict.test_client(), "ada")
    task = ada.create()
    address = f"/{task['id']}"
    for method, suffix, body in UPDATES:
        for headers in ({}, {"If-None-Match": '"9"'}, {"If-None-Match": "*"}):
            answer = ada(method, f"{address}{suffix}", json=body, headers=headers)
            problem(answer, 428, "precondition-required")
        problem(ada(method, f"/{uuid4()}{suffix}", json=body), 404, "task-not-found")
    assert ada("GET", address).json == task
    assert ada("PUT", address, json={"title": "x"}, headers={"If-Match": '"1"'}).status_code == 200
    for method, suffix, body in SETTERS:
        assert ada(method, f"{address}{suffix}", json=body).status_code == 200
        stale = ada(method, f"{address}{suffix}", json=body, headers={"If-Match": '"1"'})
        problem(stale, 412, "precondition-failed")


def test_if_match_may_be_demanded_of_lists(strict: Flask) -> None:
    """Before the tasks in the list are looked at; a move never needs it."""
    ada = ApiClient(strict.test_client(), "ada")
    path = f"{ada.lists}/{(made := ada.create_list())['id']}"
    ada.create(list_id=made["id"])
    for method, query, body in (*UPDATES_OF_LISTS, ("DELETE", "?tasks=delete", None)):
        answer = ada(method, f"{path}{query}", json=body)
        problem(answer, 428, "precondition-required")
    assert ada("PATCH", f"{path}/position", json={"place": "last"}).json == made


def test_steps_of_a_deletion_need_the_tag_too(strict: Flask) -> None:
    """A step does not change the list, so its tag holds for the next one."""
    ada = ApiClient(strict.test_client(), "ada")
    path = f"{ada.lists}/{(made := ada.create_list())['id']}"
    for _ in range(2):
        ada.create(list_id=made["id"])
    step = f"{path}?tasks=inbox&limit=1"
    problem(ada("DELETE", step), 428, "precondition-required")
    problem(ada("DELETE", step, headers={"If-Match": '"2"'}), 412, "precondition-failed")
    answers = [ada("DELETE", step, headers={"If-Match": '"1"'}) for _ in range(2)]
    assert [one.json for one in answers] == [{"done": 1, "more": True}, {"done": 1, "more": False}]


def test_a_rename_of_a_label_is_guarded_like_a_collection(strict: Flask) -> None:
    """A label has no tag and nothing is demanded: 412 for a tag, and for what must not exist."""
    ada = ApiClient(strict.test_client(), "ada")
    ada.create(labels=["home"])
    path, body = "/api/tasks/ada/labels", {"label": "home", "new": "house"}
    for headers in ({"If-Match": '"1"'}, {"If-None-Match": "*"}):
        problem(ada("PATCH", path, json=body, headers=headers), 412, "precondition-failed")
    assert [one["label"] for one in ada("GET", path).json] == ["home"]
    for headers in ({}, {"If-Match": "*"}, {"If-None-Match": '"1"'}):
        assert ada("PATCH", path, json=body, headers=headers).json["all"] == 1


def test_a_lost_update_is_refused(caller: Callable[[str], ApiClient]) -> None:
    """Of two updates that saw the same version the second is refused."""
    one, other = caller("ada"), caller("ada")
    address = f"/{one.create()['id']}"
    seen = {"If-Match": one("GET", address).headers["ETag"]}
    assert one("PUT", address, json={"title": "first"}, headers=seen).status_code == 200
    refused = other("PUT", address, json={"title": "second"}, headers=seen)
    problem(refused, 412, "precondition-failed")
    assert one("GET", address).json["title"] == "first"
