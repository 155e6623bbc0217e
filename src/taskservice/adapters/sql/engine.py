"""Engines: connection pools for SQLite and PostgreSQL, and the setup of their connections."""

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
from taskservice.adapters.sql.connection.commit_outcome import METRICS_OPTION
from taskservice.adapters.sql.connection.errors import mark_disconnect, translate_errors
from taskservice.adapters.sql.connection.pool_metrics import meter_connections, metered_pool
from taskservice.adapters.sql.connection.sessions import (
    PREPARE_THRESHOLD,
    TIMEOUTS_OPTION,
    configure_session,
)
from taskservice.adapters.sql.connection.sqlite import (
    configure_connection,
    enable_wal,
    hold_connection_open,
    refuse_replaced_file,
)
from taskservice.adapters.sql.connection.timeouts import TimeoutConnection, Timeouts
from taskservice.core.operations.metrics import NO_METRICS, Metrics

IDLE = TransactionStatus.IDLE
POOL_RECYCLE_SECONDS = 240
PING_AFTER_IDLE_SECONDS = 1.0
PING_TIMEOUT_SECONDS = 1.0
KEEPALIVES_IDLE_SECONDS = 30
TCP_USER_TIMEOUT_SECONDS = 4

READ_TIMEOUT_MARGIN_SECONDS = 1.0
"""How much longer the read timeout is than the statement timeout, in seconds."""


def pooled_engine(
    url: URL,
    *,
    pool_size: int,
    pool_timeout: float,
    prepared_statements: bool,
    timeouts: Timeouts,
    allow_privileged_role: bool,
    max_overflow: int = 0,
    metrics: Metrics = NO_METRICS,
) -> Engine:
    """Return the engine that serves requests: a small pool that pings idle connections.

    `max_overflow` connections beyond the pool are closed after use; `pool_timeout`
    is in seconds. Set `prepared_statements` to False for a pooler that does not
    support them; direct sessions use them anyway. `metrics` counts what the pool
    does, and the outcomes of COMMITs without a response.

    A new connection raises `PrivilegedRole` if its role bypasses row-level security,
    and `UnusableDatabase` if a table is not protected by it, unless
    `allow_privileged_role`; and `UnusableDatabase` for a wrong encoding.
    """
    engine = _engine(
        url,
        prepared_statements,
        poolclass=QueuePool if metrics is NO_METRICS else metered_pool(metrics),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=pool_timeout,
        pool_recycle=POOL_RECYCLE_SECONDS,
        pool_use_lifo=True,
        pool_reset_on_return=None,
        execution_options={TIMEOUTS_OPTION: timeouts, METRICS_OPTION: metrics},
    )
    if is_sqlite(url):
        event.listen(engine, "connect", enable_wal)
        refuse_replaced_file(engine)
        hold_connection_open(engine)
    else:
        _ping_idle_connections(engine.pool)
        read_timeout = timeouts.statement + READ_TIMEOUT_MARGIN_SECONDS
        event.listen(engine, "do_connect", partial(_connect, read_timeout))
        role_checks = [] if allow_privileged_role else [check_role, check_row_security]
        checks = [check_encoding, *role_checks]
        event.listen(engine, "connect", partial(_prepare_connection, timeouts, checks))
    if metrics is not NO_METRICS:
        metrics.pool_created(pool_size)
        meter_connections(engine.pool, metrics)
    return engine


def unpooled_engine(url: URL) -> Engine:
    """Return an engine without a pool, for migrations and checks."""
    return _engine(url, prepared_statements=False, poolclass=NullPool)


def require_wal(engine: Engine) -> None:
    """Enable the write-ahead log of an SQLite file. Raise `UnusableDatabase`, `Unavailable`."""
    if is_sqlite(engine.url):
        with translate_errors(), engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            enable_wal(driver)


def _engine(url: URL, prepared_statements: bool, **pool: Any) -> Engine:
    # With autocommit each statement is a transaction; `sessions.transaction` begins its own.
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        connect_args={} if is_sqlite(url) else _postgresql_arguments(url, prepared_statements),
        paramstyle="named" if is_sqlite(url) else "pyformat",
        **pool,
    )
    event.listen(engine, "reset", _roll_back)
    if is_sqlite(url):
        event.listen(engine, "connect", configure_connection)
    else:
        event.listen(engine, "handle_error", mark_disconnect)
    return engine


def _postgresql_arguments(url: URL, prepared_statements: bool) -> dict[str, object]:
    defaults = {
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "application_name": "taskservice",
        "tcp_user_timeout": TCP_USER_TIMEOUT_SECONDS * 1000,
        "keepalives_idle": KEEPALIVES_IDLE_SECONDS,
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


def _prepare_connection(
    timeouts: Timeouts,
    checks: Sequence[Callable[[Any], None]],
    connection: Any,
    entry: ConnectionPoolEntry,
) -> None:
    """Configure and check a new connection; the pool closes one that fails a check."""
    configure_session(timeouts, connection, entry)
    for check in checks:
        check(connection)


def _roll_back(connection: Any, _: ConnectionPoolEntry, __: PoolResetState) -> None:
    """Roll back a returned connection, only if it is in a transaction: that saves a round trip."""
    if isinstance(connection, SQLiteConnection):
        in_transaction = connection.in_transaction
    else:
        in_transaction = connection.pgconn.transaction_status != IDLE
    if in_transaction:
        connection.rollback()


def _ping_idle_connections(pool: Pool) -> None:
    """Ping a connection at checkout if it was idle: hosts drop idle connections silently."""

    def on_checkin(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = monotonic()

    def on_checkout(connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        if monotonic() - entry.info.get("idle_since", monotonic()) > PING_AFTER_IDLE_SECONDS:
            try:
                with connection.with_read_timeout(PING_TIMEOUT_SECONDS):
                    connection.execute("SELECT 1")
            except Exception as error:
                raise DisconnectionError from error

    event.listen(pool, "checkin", on_checkin)
    event.listen(pool, "checkout", on_checkout)
