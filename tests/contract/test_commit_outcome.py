"""What a lost COMMIT came to, where its number alone does not tell: is what it wrote there?

After a crash PostgreSQL gives the number of a transaction that was not written down to another.
"""

from contextlib import nullcontext
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine
from tests.homes import Home, served_engine

from taskservice.adapters.sql.connection import commit_outcome
from taskservice.adapters.sql.connection.commit_outcome import (
    CURRENT_TRANSACTION_ID,
    resolve_commit_outcome,
)
from taskservice.adapters.sql.connection.errors import ConnectionLost
from taskservice.adapters.sql.connection.sessions import autocommit_session
from taskservice.adapters.sql.storage.idempotency import SqlIdempotencyStore
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.core.clock import system_clock
from taskservice.core.errors import Unavailable
from taskservice.testing import ADA


def begun(connection: Connection) -> str:
    """Begin a transaction, and return its number."""
    connection.exec_driver_sql("BEGIN")
    return str(connection.exec_driver_sql(f"SELECT {CURRENT_TRANSACTION_ID}").scalar_one())


def lose(engine: Engine, transaction_id: str | None, *, is_committed: bool) -> None:
    """Lose the answer to the COMMIT of a transaction."""
    with (
        engine.connect() as connection,
        resolve_commit_outcome(connection, transaction_id, lambda: is_committed),
    ):
        raise ConnectionLost("lost", "unknown")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was paused, instead of pausing."""
    found: list[float] = []
    monkeypatch.setattr(commit_outcome, "sleep", found.append)
    return found


def test_what_was_committed_and_is_there_was_applied(
    role_engine: Engine, pauses: list[float]
) -> None:
    """The block ends as if the answer had come, as soon as it is known."""
    with role_engine.connect() as connection:
        number = begun(connection)
        connection.exec_driver_sql("COMMIT")
    lose(role_engine, number, is_committed=True)
    assert pauses == [commit_outcome.POLL_INTERVAL]


def test_what_has_no_number_is_not_asked_for(role_engine: Engine) -> None:
    """What is known of it is what was known when it broke off."""
    with pytest.raises(ConnectionLost) as caught:
        lose(role_engine, None, is_committed=True)
    assert caught.value.outcome == "unknown"


def test_a_number_that_another_has_had_tells_nothing(role_engine: Engine) -> None:
    """Committed, and what was written is not there: that was another transaction."""
    with role_engine.connect() as connection:
        number = begun(connection)
        connection.exec_driver_sql("COMMIT")
    with pytest.raises(Unavailable) as caught:
        lose(role_engine, number, is_committed=False)
    assert caught.value.outcome == "not_applied"


def test_a_standby_does_not_know(role_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that was not given to anybody yet, there, is one that it has not heard of."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    with role_engine.connect() as connection:
        not_given = str(int(begun(connection)) + 1_000_000)
        connection.exec_driver_sql("ROLLBACK")
    with pytest.raises(Unavailable) as caught:
        lose(role_engine, not_given, is_committed=False)
    assert caught.value.outcome == "not_applied"
    on_a_standby = commit_outcome._STATUS_QUERY.replace("pg_is_in_recovery()", "true")
    monkeypatch.setattr(commit_outcome, "_STATUS_QUERY", on_a_standby)
    with pytest.raises(Unavailable) as caught:
        lose(role_engine, not_given, is_committed=False)
    assert caught.value.outcome == "unknown"


def test_who_asks_needs_no_second_connection(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was lost is given back before, though it does not look broken."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    engine = served_engine(home.service, pool_size=1, pool_timeout=0.1)
    with engine.connect() as connection:
        number = begun(connection)
        connection.exec_driver_sql("COMMIT")
    lose(engine, number, is_committed=True)
    engine.dispose()


def test_what_is_under_way_is_not_there_yet(
    role_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still be committed: where nobody waits any longer, that is unknown."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.1)
    with role_engine.connect() as connection:
        number = begun(connection)
        with pytest.raises(Unavailable) as caught:
            lose(role_engine, number, is_committed=False)
        connection.exec_driver_sql("ROLLBACK")
    assert caught.value.outcome == "unknown"


def test_a_result_is_kept_where_it_stands_beside_its_key(role_engine: Engine) -> None:
    """Another result, or none, is not the one that was written."""
    key = str(uuid4())
    with (
        SqlTasks(role_engine).open_tasks(ADA) as tasks,
        autocommit_session(role_engine, ADA) as session,
    ):
        task = tasks.add(title="Buy milk")
        mine, others = (
            SqlIdempotencyStore(lambda: nullcontext(session), system_clock) for _ in range(2)
        )
        mine.begin(key, b"digest")
        mine.complete(key, task)
        assert mine.is_committed(session)
        others.complete(key, None)
        assert not mine.is_committed(session)
        assert others.is_committed(session)
        with pytest.raises(Unavailable, match="wrote no row"):
            others.complete(f"{key}: never claimed", task)
        assert not others.is_committed(session)
