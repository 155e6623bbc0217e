"""Data of form 2, before tasks could be planned: `form_2.json` was written by its last version.

It has requests with their responses, the idempotency records and the tasks that they left,
and the link of a page.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, insert, text
from tests.compatibility.conftest import Upgrade, partition
from tests.compatibility.test_records import send
from tests.http_callers import ApiClient, application

from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import idempotency_keys, tasks
from taskservice.testing import ADA

SAMPLE = json.loads((Path(__file__).parent / "form_2.json").read_text())
REQUESTS = SAMPLE["requests"]
DEFAULTS: dict[str, Any] = {
    "due": None,
    "start": None,
    "time_zone": None,
    "priority": None,
    "labels": [],
}


def planned(task: dict[str, Any]) -> dict[str, Any]:
    """Return a task of form 2 as responses show it now."""
    return {**task, "status": "completed" if task["completed"] else "needs-action", **DEFAULTS}


def row(task: dict[str, Any]) -> dict[str, Any]:
    """Return the row that the last version of form 2 stored."""
    times = {
        name: value and datetime.fromisoformat(value)
        for name, value in task.items()
        if name.endswith("_at")
    }
    search_text = f"{task['title']}\x1f{task['description'] or ''}".casefold()
    return {**task, **times, "id": UUID(task["id"]), "search_text": search_text}


def record(stored: dict[str, str], now: datetime) -> dict[str, Any]:
    """Return the row of an idempotency record."""
    octets = bytes.fromhex(stored["fingerprint"])
    return {**stored, "fingerprint": octets, "result": stored["result"].encode(), "created_at": now}


def store_sample(engine: Engine, partitions: int) -> None:
    """Store the sample at the last schema version of form 2, and upgrade."""
    upgrade(engine, "0005")
    rows = [row(task) for task in SAMPLE["tasks"]]
    with transaction(engine) as connection:
        partition(connection, ("idempotency_keys", "tasks"), partitions)
        connection.execute(insert(tasks), rows)
        records = [record(one, rows[0]["created_at"]) for one in SAMPLE["records"]]
        connection.execute(insert(idempotency_keys), records)
    upgrade(engine)


@pytest.fixture(scope="module")
def engine(upgraded: Upgrade) -> Iterator[Engine]:
    """A database of form 2, upgraded to the newest schema."""
    with upgraded(store_sample) as engine:
        yield engine


@pytest.fixture
def ada(engine: Engine) -> ApiClient:
    return ApiClient(application(SqlStorage(engine).open_workspace).test_client(), ADA)


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda request: request["key"])
def test_case_57_a_retry_gets_the_first_response_with_the_defaults(
    ada: ApiClient, request_: dict[str, Any]
) -> None:
    """The members of before are as they were, although the task has changed or is gone."""
    response = send(ada, request_)
    assert response.headers["Idempotency-Replayed"] == "true"
    headers = {name: response.headers[name] for name in request_["headers"]}
    assert (response.status_code, headers) == (request_["status"], request_["headers"])
    first = request_["answer"] and planned(request_["answer"])
    assert (response.json if response.data else None) == first


def test_the_tasks_have_their_status_and_the_defaults(ada: ApiClient, engine: Engine) -> None:
    """Over HTTP, and in the columns that filters read."""
    assert ada("GET", "?sort=created_at").json == [planned(task) for task in SAMPLE["tasks"]]
    derived = "SELECT DISTINCT due, start, due_utc, start_utc, label_search_text FROM tasks"
    with engine.connect() as connection:
        (values,) = connection.execute(text(derived)).all()
    assert tuple(values) == (99_999_999_999_999, 99_999_999_999_999, None, None, "")


def test_a_link_to_the_next_page_stays_valid(ada: ApiClient) -> None:
    """A client that was reading a list reads on."""
    response = ada("GET", SAMPLE["link"])
    assert [task["title"] for task in response.json] == [SAMPLE["tasks"][1]["title"]]
