"""Commit outcome: what `resolve_commit_outcome` finds out about a lost response to COMMIT.

After a crash PostgreSQL may assign the id of an unrecorded transaction to another one.
"""

from contextlib import nullcontext
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine
from tests.databases import Database, service_engine

from taskservice.adapters.sql.connection import commit_outcome
from taskservice.adapters.sql.connection.commit_outcome import (
    CURRENT_TRANSACTION_ID,
    resolve_commit_outcome,
)
from taskservice.adapters.sql.connection.errors import ConnectionLost
from taskservice.adapters.sql.connection.sessions import autocommit_session
from taskservice.adapters.sql.storage.idempotency import SqlIdempotencyStore
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.clock import system_clock
from taskservice.core.errors import Unavailable
from taskservice.testing import ADA


def begun(connection: Connection) -> str:
    """Begin a transaction, and return its id."""
    connection.exec_driver_sql("BEGIN")
    return str(connection.exec_driver_sql(f"SELECT {CURRENT_TRANSACTION_ID}").scalar_one())


def lose(engine: Engine, transaction_id: str | None, *, is_committed: bool) -> None:
    """Lose the response to the COMMIT of a transaction."""
    with (
        engine.connect() as connection,
        resolve_commit_outcome(connection, transaction_id, lambda: is_committed),
    ):
        raise ConnectionLost("lost", "unknown")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record pauses instead of pausing."""
    found: list[float] = []
    monkeypatch.setattr(commit_outcome, "sleep", found.append)
    return found


@pytest.mark.parametrize("kind", ["role_engine", "superuser_engine"])
def test_a_committed_transaction_with_its_rows_was_applied(
    request: pytest.FixtureRequest, pauses: list[float], kind: str
) -> None:
    """The block ends normally as soon as the status is known, with and without a pool."""
    engine = request.getfixturevalue(kind)
    with engine.connect() as connection:
        transaction_id = begun(connection)
        connection.exec_driver_sql("COMMIT")
    lose(engine, transaction_id, is_committed=True)
    assert pauses == [commit_outcome.POLL_INTERVAL]


def test_without_a_transaction_id_the_outcome_stays_unknown(role_engine: Engine) -> None:
    """The error keeps the outcome that it had."""
    with pytest.raises(ConnectionLost) as caught:
        lose(role_engine, None, is_committed=True)
    assert caught.value.outcome == "unknown"


def test_a_reused_transaction_id_is_detected(role_engine: Engine) -> None:
    """It is committed, and the rows are missing: it was another transaction's."""
    with role_engine.connect() as connection:
        transaction_id = begun(connection)
        connection.exec_driver_sql("COMMIT")
    with pytest.raises(Unavailable) as caught:
        lose(role_engine, transaction_id, is_committed=False)
    assert caught.value.outcome == "not_applied"


def test_a_standby_cannot_resolve_the_outcome(
    role_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id from the future is `not_applied` on a primary, and `unknown` on a standby."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    with role_engine.connect() as connection:
        future_id = str(int(begun(connection)) + 1_000_000)
        connection.exec_driver_sql("ROLLBACK")
    with pytest.raises(Unavailable) as caught:
        lose(role_engine, future_id, is_committed=False)
    assert caught.value.outcome == "not_applied"
    on_a_standby = commit_outcome._STATUS_QUERY.replace("pg_is_in_recovery()", "true")
    monkeypatch.setattr(commit_outcome, "_STATUS_QUERY", on_a_standby)
    with pytest.raises(Unavailable) as caught:
        lose(role_engine, future_id, is_committed=False)
    assert caught.value.outcome == "unknown"


def test_resolving_needs_no_second_connection(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lost connection returns to the pool first."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    engine = service_engine(database.service, pool_size=1, pool_timeout=0.1)
    with engine.connect() as connection:
        transaction_id = begun(connection)
        connection.exec_driver_sql("COMMIT")
    lose(engine, transaction_id, is_committed=True)
    engine.dispose()


def test_a_transaction_in_progress_is_unknown_after_the_timeout(
    role_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still be committed."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    with role_engine.connect() as connection:
        transaction_id = begun(connection)
        with pytest.raises(Unavailable) as caught:
            lose(role_engine, transaction_id, is_committed=False)
        connection.exec_driver_sql("ROLLBACK")
    assert caught.value.outcome == "unknown"


def test_a_result_is_committed_if_its_key_has_it(role_engine: Engine) -> None:
    """Another result, or none, does not count."""
    key = str(uuid4())
    opened = SqlStorage(role_engine).open_workspace(ADA)
    with opened, autocommit_session(role_engine, ADA) as session:
        mine, others = (
            SqlIdempotencyStore(lambda: nullcontext(session), system_clock) for _ in range(2)
        )
        mine.begin(key, b"digest")
        mine.complete(key, b"a response")
        assert mine.is_committed(session)
        others.complete(key, b"another")
        assert not mine.is_committed(session)
        assert others.is_committed(session)
        with pytest.raises(Unavailable, match="wrote no row"):
            others.complete(f"{key}: never claimed", b"another")
        assert not others.is_committed(session)
