"""Engines for SQLite and PostgreSQL, and what differs between the two."""

from collections.abc import Callable, Sequence
from functools import partial
from sqlite3 import Connection as SQLiteConnection
from time import monotonic
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool, PoolResetState, QueuePool

from taskservice.adapters.sql.checks.encoding import check_encoding
from taskservice.adapters.sql.checks.roles import check_role
from taskservice.adapters.sql.checks.row_security import check_row_security
from taskservice.adapters.sql.connection.address import CONNECT_TIMEOUT_SECONDS, is_sqlite
from taskservice.adapters.sql.connection.errors import mark_disconnect, translate_errors
from taskservice.adapters.sql.connection.pool_metrics import meter_connections, metered_pool
from taskservice.adapters.sql.connection.read_timeout import TimeoutConnection
from taskservice.adapters.sql.connection.sessions import (
    PREPARE_THRESHOLD,
    TIMEOUTS_OPTION,
    Timeouts,
    configure_session,
)
from taskservice.adapters.sql.connection.sqlite import (
    configure_connection,
    enable_wal,
    hold_connection_open,
    refuse_replaced_file,
)
from taskservice.core.operations.metrics import NO_METRICS, Metrics

IDLE = TransactionStatus.IDLE
RECYCLE_SECONDS = 240
PING_AFTER_IDLE_SECONDS = 1.0
KEEPALIVE_SECONDS = 30
UNACKNOWLEDGED_SECONDS = 4
PING_SECONDS = 1.0

ANSWER_SECONDS = 1.0
"""How long an answer may take beyond the statement timeout, in seconds."""


def pooled_engine(
    url: URL,
    *,
    pool_size: int,
    pool_timeout: float,
    prepared_statements: bool,
    timeouts: Timeouts,
    allow_privileged_role: bool,
    spare: int = 0,
    metrics: Metrics = NO_METRICS,
) -> Engine:
    """Return the engine that serves: a small pool, connections that are pinged after a rest.

    `spare` are connections beyond it, closed after use; `pool_timeout` is in
    seconds. Without `prepared_statements` none are left with a pooler, which
    may forget them; a server that is connected directly keeps them anyway. A
    connection of a role that no row-level security holds is refused with
    `PrivilegedRole`, and one to tables that it does not hold with `UnusableDatabase`,
    unless that is allowed; so is one on which rows could not be read. `metrics`
    hears of the pool.
    """
    engine = _engine(
        url,
        prepared_statements,
        poolclass=QueuePool if metrics is NO_METRICS else metered_pool(metrics),
        pool_size=pool_size,
        max_overflow=spare,
        pool_timeout=pool_timeout,
        pool_recycle=RECYCLE_SECONDS,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        execution_options={TIMEOUTS_OPTION: timeouts},
    )
    if is_sqlite(url):
        event.listen(engine, "connect", enable_wal)
        refuse_replaced_file(engine)
        hold_connection_open(engine)
    else:
        _ping_after_rest(engine.pool)
        event.listen(engine, "do_connect", partial(_connect, timeouts.statement + ANSWER_SECONDS))
        locks = [] if allow_privileged_role else [check_role, check_row_security]
        event.listen(engine, "connect", partial(_make_fit, timeouts, [check_encoding, *locks]))
    if metrics is not NO_METRICS:
        metrics.pool_created(pool_size)
        meter_connections(engine.pool, metrics)
    return engine


def unpooled_engine(url: URL) -> Engine:
    """Return an engine that keeps no connection: for migrations and checks."""
    return _engine(url, prepared_statements=False, poolclass=NullPool)


def require_wal(engine: Engine) -> None:
    """Enable SQLite's write-ahead log for the file. Raises `UnusableDatabase`, `Unavailable`."""
    if is_sqlite(engine.url):
        with translate_errors(), engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            enable_wal(driver)


def _engine(url: URL, prepared_statements: bool, **pool: Any) -> Engine:
    # In autocommit a statement is a transaction; `sessions.transaction` begins its own.
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={} if is_sqlite(url) else _postgresql_arguments(url, prepared_statements),
        paramstyle="named" if is_sqlite(url) else "pyformat",
        **pool,
    )
    event.listen(engine, "reset", _end_transaction)
    if is_sqlite(url):
        event.listen(engine, "connect", configure_connection)
    else:
        event.listen(engine, "handle_error", mark_disconnect)
    return engine


def _postgresql_arguments(url: URL, prepared_statements: bool) -> dict[str, object]:
    defaults = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "taskservice",
        "tcp_user_timeout": UNACKNOWLEDGED_SECONDS * 1000,
        "keepalives_idle": KEEPALIVE_SECONDS,
    }
    chosen = {name: value for name, value in defaults.items() if name not in url.query}
    return {
        **chosen,
        "client_encoding": "UTF8",
        "prepare_threshold": PREPARE_THRESHOLD if prepared_statements else None,
    }


def _connect(
    read_timeout: float, _: object, __: object, ___: Any, arguments: Any
) -> TimeoutConnection:
    """Open a connection with a `read_timeout` in seconds."""
    connection = TimeoutConnection.connect(**arguments)
    connection.read_timeout = read_timeout
    return connection


def _make_fit(
    timeouts: Timeouts,
    looks: Sequence[Callable[[Any], None]],
    connection: Any,
    entry: ConnectionPoolEntry,
) -> None:
    """Set up a connection that was made, and look at it: the pool closes one that is refused."""
    configure_session(timeouts, connection, entry)
    for look in looks:
        look(connection)


def _end_transaction(connection: Any, _: ConnectionPoolEntry, __: PoolResetState) -> None:
    """Undo what was begun on a connection that comes back; to ask each for it takes longer."""
    embedded = isinstance(connection, SQLiteConnection)
    if connection.in_transaction if embedded else connection.pgconn.transaction_status != IDLE:
        connection.rollback()


def _ping_after_rest(pool: Pool) -> None:
    """Ping a connection that was idle for over a second: hosts cut such, and say nothing."""

    def rest(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info["rests_since"] = monotonic()

    def ping(connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        if monotonic() - entry.info.get("rests_since", monotonic()) > PING_AFTER_IDLE_SECONDS:
            try:
                with connection.with_read_timeout(PING_SECONDS):
                    connection.execute("SELECT 1")
            except Exception as error:
                raise DisconnectionError from error

    event.listen(pool, "checkin", rest)
    event.listen(pool, "checkout", ping)
