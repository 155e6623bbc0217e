"""Sessions and transactions: connections on behalf of one owner, or of none (migrations, checks).

The owner is set for one transaction at a time, as a pooler hands the connection to
another client afterwards. So are the timeouts, unless the session is direct: not
shared through a pooler.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from sqlite3 import Connection as SQLiteConnection
from time import monotonic
from typing import Any

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from taskservice.adapters.sql.connection.commit_outcome import (
    resolve_commit_outcome,
)
from taskservice.adapters.sql.connection.compiled_statements import (
    OWNER_SETTING,
    Session,
    SettingsStatement,
    execute,
)
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.retries import retry_on_disconnect
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.core.errors import Unavailable

INTRANS = TransactionStatus.INTRANS
TIMEOUTS_OPTION = "taskservice_timeouts"
"""The engine's execution option that holds its `Timeouts`."""
IDLE_TIMEOUT_SETTING = "idle_in_transaction_session_timeout"
PROGRESS_HANDLER_INSTRUCTIONS = 1_000
"""SQLite checks the deadline after this many instructions; a search takes six for each row."""

_IS_DIRECT = "taskservice_is_direct"

OpenSession = Callable[[], AbstractContextManager[Session]]

IsTransactionCommitted = Callable[[OpenSession], bool]
"""Waits for the end of a transaction in other sessions; returns whether it was committed."""

# A generic plan is made before the owner is known, so it must not assume short lists: each list has
# an index in its order. No statement runs long enough for JIT compilation to pay.
_PLANNER_SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_sort": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
}

PREPARE_THRESHOLD = 5
"""The driver prepares a statement after this many executions on a connection."""

# Timestamps in UTC need no conversion, which takes longer than parsing them. All writes of an
# owner change one row, so at a stricter isolation concurrent ones would fail.
_VALUE_SETTINGS = {"timezone": "UTC", "default_transaction_isolation": "read committed"}

# Changes rely on this isolation, whatever the database's default is.
_BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED"}
_BEGIN_SNAPSHOT = {
    "sqlite": "BEGIN",
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}


_SAVEPOINT = "SAVEPOINT statement", "RELEASE statement", "ROLLBACK TO statement"


@contextmanager
def autocommit_session(engine: Engine, owner: str) -> Iterator[Session]:
    """Yield a session of `owner` in which each statement is a transaction."""
    with engine.connect() as connection:
        if engine.dialect.name != "postgresql":
            yield Session(connection, owner)
        elif connection.info.get(_IS_DIRECT):
            yield Session(connection, owner, (_SET_OWNER, (owner,)), is_direct=True)
        else:
            yield Session(connection, owner, _settings_statement(_settings(engine, owner)))


@contextmanager
def transaction(
    engine: Engine, owner: str = "", is_committed: IsTransactionCommitted | None = None
) -> Iterator[Connection]:
    """Yield a connection in one transaction: committed on a normal exit, else rolled back.

    Without an `owner` it sees no task. On SQLite it holds the write lock from the
    start, so that its reads stay valid until it writes. If COMMIT gets no response,
    `is_committed` waits for the end of the transaction and looks for what it wrote, in
    other sessions of the owner. Raise `Unavailable`, also if the block ignored a failed
    statement.
    """
    connection = retry_on_disconnect(partial(_open_transaction, engine, owner))
    open_session = partial(autocommit_session, engine, owner)
    resolve = is_committed and partial(is_committed, open_session)
    with translate_errors(), connection:
        yield connection
        require_transaction(connection)
        with (
            resolve_commit_outcome(connection, resolve),
            translate_errors(on_disconnect="unknown"),
        ):
            connection.exec_driver_sql("COMMIT")


@contextmanager
def snapshot(engine: Engine, owner: str) -> Iterator[Connection]:
    """Yield a connection whose queries all see the same state. Others write meanwhile."""
    connection = retry_on_disconnect(partial(_open_transaction, engine, owner, _BEGIN_SNAPSHOT))
    with translate_errors(), connection:
        yield connection


@contextmanager
def join_transaction(session: Session) -> Iterator[Session]:
    """Yield a session that is in a transaction. Raise `Unavailable` if the transaction ended."""
    require_transaction(session.connection)
    yield session


@contextmanager
def savepoint(session: Session) -> Iterator[Session]:
    """Yield a session for one statement. If it fails, the transaction goes on without it.

    On SQLite, and outside a transaction, that is so anyway. The savepoint takes no round trip.
    """
    is_postgresql = session.connection.dialect.name == "postgresql"
    if not is_postgresql or not _is_in_transaction(session.connection.connection.driver_connection):
        yield session
        return
    try:
        yield session._replace(preamble=("SAVEPOINT statement", ()))
    except DBAPIError as error:
        if not error.connection_invalidated:
            session.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT statement")
        raise


@contextmanager
def session_transaction(session: Session) -> Iterator[Session]:
    """Yield a session for one transaction on the connection of an autocommit session."""
    _begin(session.connection, session.owner)
    yield Session(session.connection, session.owner)
    execute(session.connection, "COMMIT", {})


@contextmanager
def local_transaction(session: Session) -> Iterator[None]:
    """Make several statements on SQLite all or nothing: a transaction, or part of one."""
    driver: Any = session.connection.connection.driver_connection
    if driver.in_transaction:
        begin, commit, roll_back = _SAVEPOINT
    else:
        begin, commit, roll_back = _BEGIN["sqlite"], "COMMIT", "ROLLBACK"
    execute(session.connection, begin, {})
    try:
        yield
        execute(session.connection, commit, {})
    except BaseException:
        if driver.in_transaction:
            execute(session.connection, roll_back, {})
        raise


def set_savepoint(session: Session) -> None:
    """Begin a part of a transaction."""
    execute(session.connection, "SAVEPOINT part", {})


def release_savepoint(session: Session) -> None:
    """End the part, and keep what it wrote."""
    execute(session.connection, "RELEASE SAVEPOINT part", {})


def roll_back_to_savepoint(session: Session) -> None:
    """End the part, and undo what it wrote, unless the transaction is gone."""
    if _is_open(session.connection):
        execute(session.connection, "ROLLBACK TO SAVEPOINT part", {})
        release_savepoint(session)


def require_transaction(connection: Connection) -> None:
    """Raise `Unavailable` if no transaction is in progress any more.

    A failed statement may end the transaction (SQLite) or let COMMIT roll it back
    (PostgreSQL), and SQLAlchemy silently replaces a lost connection. Later
    statements would run outside the transaction.
    """
    if connection.invalidated or not _is_in_transaction(connection.connection.driver_connection):
        raise Unavailable("an earlier statement of the transaction has failed")


def _is_in_transaction(connection: Any) -> bool:
    if isinstance(connection, SQLiteConnection):
        return connection.in_transaction
    return bool(connection.pgconn.transaction_status == INTRANS)


def _is_open(connection: Connection) -> bool:
    """Return whether a transaction is in progress, also if a statement of it has failed."""
    if connection.invalidated:
        return False
    driver: Any = connection.connection.driver_connection
    if isinstance(driver, SQLiteConnection):
        return driver.in_transaction
    return driver.pgconn.transaction_status in {INTRANS, TransactionStatus.INERROR}


def with_deadline(open_session: OpenSession, engine: Engine) -> OpenSession:
    """Return `open_session` with the statement timeout, if there is one, enforced on SQLite too."""
    timeouts = _timeouts(engine)
    if timeouts is None or engine.dialect.name == "postgresql":
        return open_session
    return partial(_with_deadline, open_session, timeouts.statement)


@contextmanager
def _with_deadline(open_session: OpenSession, seconds: float) -> Iterator[Session]:
    with open_session() as session:
        connection: Any = session.connection.connection.driver_connection
        deadline = monotonic() + seconds
        connection.set_progress_handler(
            lambda: monotonic() > deadline, PROGRESS_HANDLER_INSTRUCTIONS
        )
        try:
            yield session
        finally:
            connection.set_progress_handler(None, 0)


def configure_session(timeouts: Timeouts, connection: Any, entry: ConnectionPoolEntry) -> None:
    """Configure a direct PostgreSQL session once, and mark its pool entry as direct.

    The settings are timeouts, generic plans and the time zone UTC; statements are
    prepared. Do nothing behind a pooler, which reports a process id of its own.
    """
    settings = timeouts.settings | _PLANNER_SETTINGS | _VALUE_SETTINGS
    sql, values = _settings_statement(settings, is_local=False)
    backend_pid = connection.info.backend_pid
    cursor = connection.execute(f"{sql} WHERE pg_backend_pid() = %s", (*values, backend_pid))
    if cursor.fetchone() is not None:
        entry.info[_IS_DIRECT] = True
        connection.prepare_threshold = PREPARE_THRESHOLD


def _open_transaction(engine: Engine, owner: str, begin: Mapping[str, str] = _BEGIN) -> Connection:
    """Return a connection in a new transaction."""
    with translate_errors(), ExitStack() as stack:
        connection = stack.enter_context(engine.connect())
        _begin(connection, owner, begin)
        stack.pop_all()
        return connection


def _begin(connection: Connection, owner: str, statements: Mapping[str, str] = _BEGIN) -> None:
    begin = statements[connection.dialect.name]
    if connection.dialect.name == "postgresql":
        settings = _settings(connection.engine, owner)
        if "statement_timeout" in settings:
            settings[IDLE_TIMEOUT_SETTING] = settings["statement_timeout"]
        execute(connection, *_settings_statement(settings), (begin, ()))
    else:
        connection.exec_driver_sql(begin)


def _settings(engine: Engine, owner: str) -> dict[str, str]:
    timeouts = _timeouts(engine)
    return {OWNER_SETTING: owner, **(timeouts.settings if timeouts else {})}


def _settings_statement(settings: dict[str, str], *, is_local: bool = True) -> SettingsStatement:
    """Return the statement that sets `settings`, for one transaction if `is_local`."""
    calls = ", ".join(f"set_config('{name}', %s, {is_local})" for name in settings)
    return f"SELECT {calls}", tuple(settings.values())


_SET_OWNER, _ = _settings_statement({OWNER_SETTING: ""})


def _timeouts(engine: Engine) -> Timeouts | None:
    """Return the timeouts of an engine; one for commands may have none."""
    timeouts: Timeouts | None = engine.get_execution_options().get(TIMEOUTS_OPTION)
    return timeouts
