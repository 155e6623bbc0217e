"""Data that earlier versions stored: `form_1.json` was written by the last version of form 1.

It has requests with their responses, the idempotency records and the tasks that they left,
and a cursor.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import JSON, Column, Engine, LargeBinary, MetaData, String, Table, insert
from tests.compatibility.conftest import Upgrade, partition
from tests.databases import service_engine, sqlite_database
from tests.http_callers import ApiClient, application
from tests.problem_details import problem

from taskservice.adapters.http.openapi.examples import TASK_ID
from taskservice.adapters.http.protocol import idempotency
from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.column_types import UtcDateTime
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import tasks
from taskservice.core.entity import FORM
from taskservice.core.task import Task
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA

SAMPLE = json.loads((Path(__file__).parent / "form_1.json").read_text())
REQUESTS = SAMPLE["requests"]

receipts = Table(
    "receipts",
    MetaData(),
    Column("user_id", String),
    Column("key", String),
    Column("digest", LargeBinary),
    Column("task", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime),
)


def values(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the sample as Python values."""
    times = {
        name: value and datetime.fromisoformat(value)
        for name, value in row.items()
        if name.endswith("_at")
    }
    ids = {"id": UUID(row["id"])} if "id" in row else {"digest": bytes.fromhex(row["digest"])}
    return {**row, **times, **ids}


def store_sample(engine: Engine, partitions: int) -> None:
    """Store the sample at the last schema version of form 1, and upgrade."""
    upgrade(engine, "0004")
    with transaction(engine) as connection:
        partition(connection, ("receipts", "tasks"), partitions)
        connection.execute(insert(tasks), [values(row) for row in SAMPLE["tasks"]])
        connection.execute(insert(receipts), [values(row) for row in SAMPLE["receipts"]])
    upgrade(engine)


@pytest.fixture(scope="module")
def open_workspace(upgraded: Upgrade) -> Iterator[OpenWorkspace]:
    """The port over a database of form 1, upgraded to the newest schema."""
    with upgraded(store_sample) as engine:
        yield SqlStorage(engine).open_workspace


@pytest.fixture
def ada(open_workspace: OpenWorkspace) -> ApiClient:
    return ApiClient(application(open_workspace).test_client(), ADA)


def send(ada: ApiClient, request: dict[str, Any]) -> Any:
    """Send a request of the sample again."""
    headers = {"Idempotency-Key": request["key"]}
    return ada(
        request["method"],
        request["path"],
        data=request["body"],
        content_type=request["body"] and "application/json",
        headers=headers,
    )


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["key"])
def test_a_retry_of_an_older_request_gets_its_response(
    ada: ApiClient, request_: dict[str, Any]
) -> None:
    """The response is the first one, although the task has changed or is gone."""
    response = send(ada, request_)
    assert response.headers["Idempotency-Replayed"] == "true"
    headers = {name: response.headers[name] for name in request_["headers"]}
    first = request_["answer"] and Task.load(request_["answer"]).dump()
    assert (response.status_code, headers) == (request_["status"], request_["headers"])
    assert (response.json if response.data else None) == first


def test_the_tasks_are_those_that_were_stored(ada: ApiClient) -> None:
    """The upgrade changes no task."""
    stored = [Task.load(row).dump() for row in SAMPLE["tasks"]]
    assert ada("GET", "?sort=created_at").json == stored


def test_a_different_request_with_an_older_key_is_refused(ada: ApiClient) -> None:
    """The fingerprints of older records are compared."""
    first = REQUESTS[0]
    response = send(ada, {**first, "body": '{"title": "Buy bread"}'})
    assert problem(response, 422, "key-reused")


def test_a_cursor_of_an_older_version_is_refused(ada: ApiClient) -> None:
    """The client starts again, as with a cursor of another list."""
    response = ada("GET", f"?limit=1&sort=title&completed=true&cursor={SAMPLE['cursor']}")
    assert problem(response, 400, "malformed-request")


UNREADABLE = {
    "a newer form": b'{"form": %d, "status": 200}\n{}' % (FORM + 1),
    "a newer form with other members": b'{"form": %d, "response": {}}' % (FORM + 1),
    "no form": b'{"status": 200}\n{}',
    "a form that is no number": b'{"form": "2"}\n{}',
    "no JSON": b"form 3\n",
    "nothing": b"",
    "no task": b'{"form": 1}\n{"title": "Buy milk"}',
}


@pytest.mark.parametrize("result", UNREADABLE.values(), ids=UNREADABLE)
def test_a_response_that_cannot_be_read_is_a_conflict(result: bytes) -> None:
    """409 with `Retry-After`: the version that stored it can replay it. Nothing is done."""
    storage = InMemoryStorage()
    ada = ApiClient(application(storage.open_workspace).test_client(), ADA)
    request = {"method": "POST", "path": "", "key": "key", "body": '{"title": "Buy milk"}'}
    assert send(ada, request).status_code == 201
    (record,) = storage._owners[ADA].records.values()
    storage._owners[ADA].records["key"] = replace(record, result=result)
    response = send(ada, request)
    assert problem(response, 409, "key-in-use")
    assert response.headers["Retry-After"] == "1"
    assert len(ada("GET").json) == 1


@pytest.mark.parametrize("stored", ["memory", "sqlite"])
def test_an_undo_and_a_restoration_are_replayed(stored: str, tmp_path: Path) -> None:
    """With the same bytes, although the task has changed since. One is of a task in the trash."""
    storage = InMemoryStorage()
    if stored == "sqlite":
        storage = SqlStorage(service_engine(sqlite_database(tmp_path)))  # type: ignore[assignment]
    ada = ApiClient(application(storage.open_workspace).test_client(), ADA)
    task = ada.create()
    trash = f"/api/tasks/{ADA}/trash/{task['id']}"
    requests: list[dict[str, Any]] = [
        {"method": "POST", "path": f"/{task['id']}/undo", "key": "1", "body": '{"sequence": 1}'},
        {"method": "POST", "path": f"{trash}/restore", "key": "2", "body": None},
        {"method": "DELETE", "path": f"/{task['id']}", "key": "3", "body": None},
        {"method": "DELETE", "path": trash, "key": "4", "body": None},
        {"method": "DELETE", "path": f"/api/tasks/{ADA}/trash", "key": "5", "body": None},
    ]
    first = [send(ada, one) for one in requests]
    again = [send(ada, one) for one in requests]
    assert [answer.status_code for answer in first] == [200, 200, 204, 204, 200]
    assert first[0].json["trashed_at"] < first[0].json["purged_after"]
    assert [(one.status_code, one.data) for one in again] == [
        (one.status_code, one.data) for one in first
    ]
    for one, replayed in zip(first, again, strict=True):
        assert replayed.headers["Idempotency-Replayed"] == "true"
        for name in ("ETag", "Location"):
            assert replayed.headers.get(name) == one.headers.get(name)


def test_the_path_of_a_restored_task_is_replayed_in_a_later_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The response is written anew then, with the members that a task has now."""
    ada = ApiClient(application(InMemoryStorage().open_workspace).test_client(), ADA)
    task = ada.create()
    ada("DELETE", f"/{task['id']}")
    path = f"/api/tasks/{ADA}/trash/{task['id']}/restore"
    request = {"method": "POST", "path": path, "key": "key", "body": None}
    with monkeypatch.context() as earlier:
        earlier.setattr(idempotency, "FORM", FORM - 1)
        first = send(ada, request)
    again = send(ada, request)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json == first.json


BATCH = {"commands": [{"op": "create", "ref": "a", "task": {"title": "Straße", "labels": ["a"]}}]}
EACH = {"mode": "each", "commands": [{"op": "delete", "id": TASK_ID}, *BATCH["commands"]]}


@pytest.mark.parametrize("form", [FORM - 1, FORM])
@pytest.mark.parametrize("stored", ["memory", "sqlite"])
def test_a_batch_and_its_like_are_replayed(
    stored: str, form: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same bytes, in a later form too: they are no tasks, whatever they contain."""
    storage = InMemoryStorage()
    if stored == "sqlite":
        storage = SqlStorage(service_engine(sqlite_database(tmp_path)))  # type: ignore[assignment]
    ada = ApiClient(application(storage.open_workspace).test_client(), ADA)
    path, a_list = f"/api/tasks/{ADA}", ada.create_list()["id"]
    ada.create(list_id=a_list)
    sent: list[tuple[str, str, Any]] = [
        ("POST", f"{path}/batch", BATCH),
        ("POST", f"{path}/batch", EACH),
        ("PATCH", f"{path}/labels", {"label": "A", "new": "b"}),
        ("DELETE", f"{path}/lists/{a_list}?tasks=inbox&limit=1", None),
    ]
    requests = [
        {"method": method, "path": target, "key": f"{n}", "body": body and json.dumps(body)}
        for n, (method, target, body) in enumerate(sent)
    ]
    with monkeypatch.context() as earlier:
        earlier.setattr(idempotency, "FORM", form)
        first = [send(ada, one) for one in requests]
    again = [send(ada, one) for one in requests]
    assert [answer.status_code for answer in first] == [200] * 4
    assert [one["status"] for one in first[1].json["results"]] == [404, 201]
    assert first[2].json == {"label": "b", "open": 2, "all": 2, "more": False}
    assert first[3].json == {"done": 1, "more": False}
    assert [(one.status_code, one.data) for one in again] == [
        (one.status_code, one.data) for one in first
    ]
    assert {one.headers["Idempotency-Replayed"] for one in again} == {"true"}
