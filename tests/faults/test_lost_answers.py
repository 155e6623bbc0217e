"""Writes whose COMMIT gets no response: what is told of them, and done by a retry."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.databases import migrated_database, service_engine
from tests.faults.postgres_crashes import FragileServer
from tests.http_callers import ApiClient, application
from tests.tcp_proxy import TcpProxy, tcp_proxy

from taskservice.adapters.sql.storage.repository import SqlStorage

KEY = {"Idempotency-Key": "key"}


@pytest.fixture
def ada(postgres_server: FragileServer) -> Iterator[tuple[ApiClient, TcpProxy]]:
    """A user, and the wire to the database."""
    with (
        migrated_database(postgres_server) as database,
        tcp_proxy(database.service) as (proxy, through),
    ):
        engine = service_engine(through, pool_size=1)
        app = application(SqlStorage(engine).open_workspace)
        yield ApiClient(app.test_client(), "ada"), proxy
        engine.dispose()


def test_a_key_that_is_stored_is_not_denied(ada: tuple[ApiClient, TcpProxy]) -> None:
    """Its change is in no log, but its response is replayed later: so it was applied."""
    send, proxy = ada
    path = f"/{send.create(title='A')['id']}/complete"
    send("PATCH", path)
    proxy.lose_answer_to = b"COMMIT\0"
    first = send("PATCH", path, headers=KEY)
    again = send("PATCH", path, headers=KEY)
    assert proxy.lost == 1
    assert "Idempotency-Replayed" in again.headers
    assert first.status_code == 200
    assert first.json == again.json


CREATE = {"op": "create", "task": {"title": "Straße"}}
GONE = {"op": "delete", "id": "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a99"}


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"mode": "atomic", "commands": [CREATE, CREATE]}, KEY),
        ({"mode": "each", "commands": [CREATE, GONE]}, {}),
        ({"mode": "each", "commands": [GONE]}, KEY),
    ],
    ids=["atomic with a key", "in part refused", "refused, with a key"],
)
def test_a_batch_that_was_committed_is_not_denied(
    ada: tuple[ApiClient, TcpProxy], body: dict[str, Any], headers: dict[str, str]
) -> None:
    """Its last change tells, or its key where nothing was changed; a retry does nothing."""
    send, proxy = ada
    before = len(send("GET", "").json)
    proxy.lose_answer_to = b"COMMIT\0"
    first = send("POST", "/api/tasks/ada/batch", json=body, headers=headers)
    assert proxy.lost == 1
    assert first.status_code == 200
    if headers:
        again = send("POST", "/api/tasks/ada/batch", json=body, headers=headers)
        assert "Idempotency-Replayed" in again.headers
        assert again.json == first.json
    made = sum(result["status"] == 201 for result in first.json["results"])
    assert len(send("GET", "").json) == before + made
