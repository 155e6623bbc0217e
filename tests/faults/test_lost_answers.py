"""A keyed write that changes nothing, and whose COMMIT gets no response."""

from collections.abc import Iterator

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
