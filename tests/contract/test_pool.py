"""The connection pool: its metrics, and the connections that it hands out."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool
from sqlalchemy.pool import base as pools
from tests.databases import Database, service_engine, sqlite_database
from tests.tcp_proxy import tcp_proxy

from taskservice.adapters.sql import engine as engines
from taskservice.adapters.sql.connection import sqlite as sqlite_files
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.sessions import PREPARE_THRESHOLD
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.adapters.sql.engine import pooled_engine, require_wal, unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import Unavailable, UnusableDatabase
from taskservice.core.operations.metrics import Metrics
from taskservice.core.task_query import TaskQuery
from taskservice.testing import ADA, tasks_of


class Recorder(Metrics):
    """Records the reports of a pool."""

    def __init__(self) -> None:
        self.reports: list[object] = []

    def pool_created(self, size: int) -> None:
        self.reports.append(("size", size))

    def connections_in_use(self, count: int) -> None:
        self.reports.append(("in use", count))

    def pool_waiting(self, change: int) -> None:
        self.reports.append(("waiting", change))

    def pool_timed_out(self) -> None:
        self.reports.append("gave up")


def test_the_pool_reports_to_metrics(tmp_path: Path) -> None:
    """Each checkout and checkin, and each timeout."""
    metrics = Recorder()
    engine = pooled_engine(
        database_url(sqlite_database(tmp_path)),
        pool_size=1,
        pool_timeout=0.01,
        prepared_statements=False,
        timeouts=Timeouts(statement=3, lock=1),
        allow_privileged_role=False,
        metrics=metrics,
    )
    with engine.connect(), pytest.raises(PoolTimeoutError):
        engine.connect()
    with engine.connect() as connection:
        connection.invalidate()
    engine.dispose()
    with engine.connect():
        pass
    engine.dispose()
    taken = [("waiting", 1), ("in use", 1), ("waiting", -1)]
    assert metrics.reports == [
        ("size", 1),
        *taken,
        *[("waiting", 1), "gave up", ("waiting", -1)],
        ("in use", 0),
        *[*taken, ("in use", 0)] * 2,
    ]


def test_a_pool_with_metrics_logs_no_connections(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even at the level `debug`: SQLAlchemy's messages show the database's address."""
    address = sqlite_database(tmp_path)
    caplog.clear()
    with caplog.at_level("DEBUG"):
        engine = service_engine(address, metrics=Recorder())
        engine.connect().close()
        engine.dispose()
    assert caplog.messages == []


def test_without_metrics_the_pool_has_no_overhead(tmp_path: Path) -> None:
    """It is SQLAlchemy's own class, without listeners."""
    engine = service_engine(sqlite_database(tmp_path))
    assert type(engine.pool) is QueuePool
    assert list(engine.pool.dispatch.checkin) == []


def backend_of(connection: Connection) -> int:
    """Return the process of PostgreSQL that serves `connection`."""
    driver: Any = connection.connection.driver_connection
    return int(driver.info.backend_pid)


def test_an_idle_connection_that_was_closed_is_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ping detects it, if it was idle for over a second."""
    engine = service_engine(database.service, pool_size=1)
    with engine.connect() as connection:
        cut = backend_of(connection)
    with database.superuser_engine.connect() as superuser:
        superuser.exec_driver_sql(f"SELECT pg_terminate_backend({cut}, 5000)")
    monkeypatch.setattr(engines, "PING_AFTER_IDLE_SECONDS", 60.0)
    with engine.connect() as connection:
        assert backend_of(connection) == cut
    monkeypatch.setattr(engines, "PING_AFTER_IDLE_SECONDS", 0.0)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT pg_backend_pid()").scalar() != cut
    engine.dispose()


def test_a_network_that_drops_packets_is_an_outage_within_five_seconds(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At most: a ping of the idle connection, and then a new connection."""
    monkeypatch.setattr(engines, "PING_AFTER_IDLE_SECONDS", 0.0)
    with tcp_proxy(database.service) as (proxy, address):
        engine = service_engine(address, pool_size=1)
        with engine.connect():
            pass
        proxy.is_silent = True
        began = monotonic()
        with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks, pytest.raises(Unavailable):
            tasks.list(TaskQuery())
        assert monotonic() - began < 5
        proxy.cut()
        engine.dispose()


def test_the_pool_is_last_in_first_out(database: Database) -> None:
    """So the others stay idle, and a serverless host or a pooler can close them."""
    engine = service_engine(database.service, pool_size=2)
    with engine.connect() as one, engine.connect() as other:
        backends = backend_of(one), backend_of(other)
    for _ in range(3):
        with engine.connect() as connection:
            assert backend_of(connection) == backends[0]
    engine.dispose()


def test_an_old_connection_is_replaced(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """After four minutes, before hosts close it silently."""
    clock = SimpleNamespace(time=lambda: 0.0)
    monkeypatch.setattr(pools, "time", clock)
    engine = service_engine(database.service, pool_size=1)
    with engine.connect() as connection:
        old = backend_of(connection)
    for age, is_replaced in ((240.0, False), (240.5, True)):
        monkeypatch.setattr(clock, "time", partial(float, age))
        with engine.connect() as connection:
            assert (backend_of(connection) != old) is is_replaced
    engine.dispose()


def prepare_threshold(engine: Engine) -> int | None:
    """Return after how many executions a new connection of `engine` is asked to prepare."""
    asked: list[int | None] = []

    def note(connection: Any, _: object) -> None:
        asked.append(connection.prepare_threshold)

    event.listen(engine, "connect", note, insert=True)
    with engine.connect():
        pass
    engine.dispose()
    return asked[0]


def test_prepared_statements_are_optional(database: Database) -> None:
    """Migrations and checks never prepare statements."""
    create_engine = partial(service_engine, database.service)
    assert prepare_threshold(create_engine(prepared_statements=True)) == PREPARE_THRESHOLD
    assert prepare_threshold(create_engine(prepared_statements=False)) is None
    assert prepare_threshold(database.owner_engine) is None


def test_an_sqlite_file_stays_open(tmp_path: Path) -> None:
    """With its WAL index, for which a full disk has no space; the WAL can be truncated.

    Any thread may close it.
    """
    engine = service_engine(sqlite_database(tmp_path))
    with closing(sqlite3.connect(tmp_path / "tasks.db")) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone() == (0, 0, 0)
    assert (tmp_path / "tasks.db-shm").exists()
    with ThreadPoolExecutor(1) as thread:
        thread.submit(engine.dispose).result()
    assert not (tmp_path / "tasks.db-shm").exists()


def test_an_engine_can_be_created_before_its_file(tmp_path: Path) -> None:
    """It works as soon as the file can be opened."""
    engine = service_engine(f"sqlite:///{tmp_path / 'later' / 'tasks.db'}")
    with pytest.raises(DBAPIError, match="unable to open"):
        engine.connect()
    (tmp_path / "later").mkdir()
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT 1").scalar() == 1
    engine.dispose()


def test_a_file_without_a_write_ahead_log_is_refused(tmp_path: Path) -> None:
    """For example on a network drive, where SQLite silently ignores the pragma."""
    address = sqlite_database(tmp_path).replace("///", "///file:") + "?vfs=unix-dotfile&uri=true"
    with closing(sqlite3.connect(tmp_path / "tasks.db")) as other:
        other.execute("PRAGMA journal_mode = DELETE")
    engine = service_engine(address)
    with pytest.raises(UnusableDatabase, match="journal_mode is delete, and must be wal") as caught:
        engine.connect()
    assert "local disk" in caught.value.advice


def test_enabling_the_write_ahead_log_waits_for_other_connections(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite itself does not; after the timeout the file is unavailable."""
    with closing(sqlite3.connect(tmp_path / "tasks.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        engine = unpooled_engine(database_url(f"sqlite:///{tmp_path}/tasks.db"))
        monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_SECONDS", 0)
        with pytest.raises(Unavailable, match="database is locked"):
            require_wal(engine)
        monkeypatch.undo()
        monkeypatch.setattr(sqlite_files, "sleep", lambda _: other.execute("ROLLBACK"))
        require_wal(engine)
        assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_the_write_ahead_log_is_enabled_by_an_upgrade(tmp_path: Path) -> None:
    """The file remembers it. An error that is not a lock is raised at once."""
    path = sqlite_database(tmp_path).removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.execute("PRAGMA journal_mode = DELETE")
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        sqlite_files.enable_wal(connection)


def test_an_engine_can_be_created_while_its_file_is_locked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection that is held open is not needed for that."""
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_SECONDS", 0)
    with closing(sqlite3.connect(tmp_path / "tasks.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        service_engine(f"sqlite:///{tmp_path}/tasks.db").dispose()


def test_an_sqlite_connection_is_configured(sqlite: Engine) -> None:
    """Busy timeout, and a sync of each commit."""
    with sqlite.connect() as connection:
        ask = connection.exec_driver_sql
        found = {name: ask(f"PRAGMA {name}").scalar() for name in ("busy_timeout", "synchronous")}
    assert found == {"busy_timeout": 5000, "synchronous": 2}


@pytest.mark.parametrize("kind", ["sqlite", "superuser_engine", "role_engine"])
def test_no_error_contains_parameters(request: pytest.FixtureRequest, kind: str) -> None:
    """They may be titles, and errors are logged."""
    engine: Engine = request.getfixturevalue(kind)
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text("SELECT :title FROM nowhere"), {"title": "Buy milk"})
    assert "nowhere" in str(caught.value)
    assert "Buy milk" not in str(caught.value)
