"""Whatever a request says, the service answers it, and with an answer that the document knows."""

import json
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fuzz.drawn import (
    batches,
    bodies,
    forged,
    forged_tokens,
    media_types,
    pieces,
    query_strings,
)
from tests.fuzz.schemathesis_run import World
from tests.http_callers import ApiClient
from tests.problem_details import problem

from taskservice.app import openapi_document
from taskservice.core.query import Sort, sort_fields
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.testing import ADA

on_one_world = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
above_the_engines = pytest.mark.parametrize("world", ["memory"], indirect=True)
"""For what is decided before any engine is asked."""

LIST = "/api/tasks/{user_id}/tasks"
TASK = f"{LIST}/{{task_id}}"
LISTS = "/api/tasks/{user_id}/lists"
BATCH = "/api/tasks/{user_id}/batch"
CHANGES = "/api/tasks/{user_id}/changes"
PAGES = ["/api/tasks/{user_id}/trash", f"{TASK}/history", "/api/tasks/{user_id}/summary"]
ONE_LIST = f"{LISTS}/{{list_id}}"
WRITES = [
    *(("POST", LIST), ("PUT", TASK), ("PATCH", TASK), ("PATCH", f"{TASK}/complete")),
    *(("PATCH", f"{TASK}/position"), ("POST", LISTS), ("PATCH", ONE_LIST)),
    *(("PATCH", f"{ONE_LIST}/position"), ("POST", f"{TASK}/undo")),
    *(("POST", BATCH), ("PATCH", "/api/tasks/{user_id}/labels")),
]


@cache
def document() -> Any:
    return json.loads(openapi_document())


def check(response: Any, method: str, path: str) -> None:
    """Assert that `response` is one that the document knows of this operation, and no 5xx."""
    declared = document()["paths"][path][method.lower()]["responses"]
    assert str(response.status_code) in declared.keys() - {"500", "503"}, response.text
    if response.status_code >= 400:
        kind = response.json["type"].removeprefix("/problems/")
        problem(response, response.status_code, kind)


@pytest.fixture
def ada(world: World) -> ApiClient:
    world.empty()
    caller = ApiClient(world.app.test_client(), ADA)
    caller.create_list()
    for title in ("Buy milk", "Buy bread"):
        caller.create(title=title)
    return caller


def raw(query: str) -> dict[str, Any]:
    return {"environ_overrides": {"QUERY_STRING": query}}


@on_one_world
@given(query_strings)
def test_any_query_is_a_list_or_refused(ada: ApiClient, query: str) -> None:
    """Whatever stands behind the question mark, each engine takes it, or none is asked."""
    check(ada("GET", **raw(query)), "GET", LIST)


@on_one_world
@given(
    st.sampled_from([f"{sign}{field}" for field in sort_fields(Task) for sign in ("", "-")]),
    st.data(),
)
def test_any_forged_cursor_is_a_page_or_refused(
    ada: ApiClient, sort: str, data: st.DataObject
) -> None:
    """No engine fails at a position that is made by hand, with a digest that is right."""
    order = Sort(field=sort.removeprefix("-"), descending=sort.startswith("-"))
    cursor = data.draw(forged(TaskQuery(sort=order, list_id=(None,))))
    check(ada("GET", **raw(f"sort={sort}&list_id=inbox&cursor={cursor}")), "GET", LIST)


@on_one_world
@given(query_strings)
def test_any_query_is_a_page_of_changes_or_refused(ada: ApiClient, query: str) -> None:
    """As for a list."""
    check(ada("GET", CHANGES.format(user_id=ADA), **raw(query)), "GET", CHANGES)


@on_one_world
@given(st.sampled_from(PAGES), query_strings)
def test_any_query_is_a_page_of_the_trash_or_refused(ada: ApiClient, path: str, query: str) -> None:
    """As for a list; so for a history and a summary."""
    check(ada("GET", address(ada, path), **raw(query)), "GET", path)


@on_one_world
@given(forged_tokens)
def test_any_forged_sync_token_is_a_page_or_refused(ada: ApiClient, token: str) -> None:
    """No engine fails at numbers that are made by hand, with a digest that is right."""
    check(ada("GET", CHANGES.format(user_id=ADA), **raw(f"since={token}")), "GET", CHANGES)


@on_one_world
@given(st.sampled_from(WRITES), bodies.map(json.dumps).map(str.encode) | st.binary(), media_types)
def test_any_body_is_taken_or_refused(
    ada: ApiClient, write: tuple[str, str], body: bytes, media_type: str
) -> None:
    """Whatever is sent, as whatever it is sent, is stored or refused."""
    method, path = write
    for sent_as in (media_type, "application/json"):
        response = ada(method, address(ada, path), data=body, content_type=sent_as)
        check(response, method, path)


def address(ada: ApiClient, path: str) -> str:
    """Return the address of an operation on the first of the tasks, or of the lists."""
    (task, *_), (first, *_) = ada("GET").json, ada("GET", ada.lists).json
    return path.format(user_id=ADA, task_id=task["id"], list_id=first["id"])


@on_one_world
@given(batches)
def test_any_batch_is_run_or_refused(ada: ApiClient, body: Any) -> None:
    """Each command has a result, which is a success or a problem of the caller's making."""
    path, data = BATCH.format(user_id=ADA), json.dumps(body)
    response = ada("POST", path, data=data, content_type="application/json")
    check(response, "POST", BATCH)
    if response.status_code == 200:
        statuses = [one["status"] for one in response.json["results"]]
        assert len(statuses) == len(body["commands"])
        assert max(statuses) < 500


@above_the_engines
@on_one_world
@given(pieces('W/"1"', '"1"', '"', ",", " ", "W/", "*", "\t"))
def test_any_condition_is_heeded_or_refused(ada: ApiClient, value: str) -> None:
    """Whatever a conditional header holds, it is a condition, or 400."""
    task = address(ada, TASK)
    check(ada("GET", task, headers={"If-None-Match": value}), "GET", TASK)
    body = {"title": "Buy milk"}
    check(ada("PUT", task, json=body, headers={"If-Match": value}), "PUT", TASK)


@above_the_engines
@on_one_world
@given(pieces("a", " ", ",", "x" * 100, "\x7f"))
def test_a_key_is_printable_text_or_refused(ada: ApiClient, key: str) -> None:
    """1 to 255 printable characters without a comma are a key; anything else is 400."""
    response = ada("POST", json={"title": "Buy milk"}, headers={"Idempotency-Key": key})
    if re.fullmatch("[ -+\\--~]{1,255}", key):
        assert response.status_code == 201
    else:
        problem(response, 400, "malformed-request")


@above_the_engines
@on_one_world
@given(pieces("count", "=", "exact", " ", ",", ";", '"', "wait=1"))
def test_a_preference_is_heeded_or_passed_over(ada: ApiClient, prefer: str) -> None:
    """No preference is refused, and one that is applied is said to be."""
    response = ada("GET", headers={"Prefer": prefer})
    assert response.status_code == 200
    counted = "count=exact" in re.sub('[ "]', "", prefer.lower())
    applied = response.headers.get("Preference-Applied")
    assert response.headers.get("X-Total-Count") == (applied and "2")
    assert applied in ({"count=exact", None} if counted else {None})


@above_the_engines
@on_one_world
@given(st.data())
def test_only_one_header_lets_a_caller_in(ada: ApiClient, data: st.DataObject) -> None:
    """The scheme in any case, spaces, the token: whatever else stands in the header is 401."""
    scheme = data.draw(st.sampled_from(["Bearer", "bEARER", "Basic", ""]))
    between, behind = (data.draw(pieces(" ", "\t", ",", "=")) for _ in range(2))
    drawn = f"{scheme}{between}{ada.token}{behind}"
    response = ada("GET", headers={"Authorization": drawn})
    if re.fullmatch(f"bearer +{re.escape(ada.token)}", drawn, re.IGNORECASE):
        assert response.status_code == 200
    else:
        problem(response, 401, "unauthenticated")
