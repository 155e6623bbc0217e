"""Connections to work on: in the name of one owner, or in nobody's (migrations, checks).

PostgreSQL is told the owner for one transaction and no longer: a pooler hands
the connection to somebody else right after. So is how long a statement may
take, unless the connection is a session of ours alone.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from sqlite3 import Connection as SQLiteConnection
from time import monotonic
from typing import Any, NamedTuple

from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.pool import ConnectionPoolEntry

from taskservice.adapters.sql.connection.commit_outcome import CURRENT_ID, resolve_commit_outcome
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.retries import answered
from taskservice.adapters.sql.connection.statements import (
    OWNER_SETTING,
    Session,
    SettingsStatement,
    execute,
)
from taskservice.core.errors import Unavailable

INTRANS = TransactionStatus.INTRANS
TIMEOUTS = "taskservice_timeouts"
IDLE_TIMEOUT = "idle_in_transaction_session_timeout"
PROGRESS_STEPS = 1_000
"""After so many steps SQLite looks at the time; a search takes six for each row that it passes."""

_IS_DIRECT = "taskservice_session"

Open = Callable[[], AbstractContextManager[Session]]

# Every list has an index in its order. A plan is made once, before it is known whose list it is:
# it must not suppose that there is little to sort. No statement lasts long enough to be compiled.
_PLANNED_ONCE = {
    "plan_cache_mode": "force_generic_plan",
    "enable_sort": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
}

PREPARED_AFTER = 5
"""A statement is prepared on the server when it was executed so often on a connection."""

# Moments that come in UTC need not be converted, which takes longer than to read them.
_IN_UTC = {"timezone": "UTC"}

# The isolation that a change relies on, whatever the database's default is.
_BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED"}


class Timeouts(NamedTuple):
    """Seconds that a statement may take, and that a lock may be waited for."""

    statement: float
    lock: float

    @property
    def settings(self) -> dict[str, str]:
        """PostgreSQL's settings, in milliseconds."""
        return {
            "statement_timeout": f"{self.statement * 1000:.0f}",
            "lock_timeout": f"{self.lock * 1000:.0f}",
        }


@contextmanager
def alone(engine: Engine, owner: str) -> Iterator[Session]:
    """Yield a session in which each statement is a transaction in the name of `owner`."""
    with engine.connect() as connection:
        if engine.dialect.name != "postgresql":
            yield Session(connection, owner)
        elif connection.info.get(_IS_DIRECT):
            yield Session(connection, owner, _told({OWNER_SETTING: owner}), is_direct=True)
        else:
            yield Session(connection, owner, _told(_settings(engine, owner)))


@contextmanager
def transaction(
    engine: Engine, owner: str = "", is_committed: Callable[[], bool] = lambda: True
) -> Iterator[Connection]:
    """Yield a connection inside one transaction: committed on a normal exit, else rolled back.

    It is in the name of `owner`, or of nobody, who owns no task. On SQLite it
    holds the write lock from the first moment, so that what it reads cannot
    change before it writes. `is_committed` tells, where the answer to COMMIT was
    lost, whether what was written is there. Raises `Unavailable`, also where a
    statement has failed and the block ends all the same.
    """
    connection, transaction_id = answered(partial(_begun, engine, owner))
    with translate_errors(), connection:
        yield connection
        require_transaction(connection)
        with (
            resolve_commit_outcome(connection, transaction_id, is_committed),
            translate_errors(on_disconnect="unknown"),
        ):
            connection.exec_driver_sql("COMMIT")


@contextmanager
def within(session: Session) -> Iterator[Session]:
    """Yield a session whose transaction has begun. Raises `Unavailable` where it has ended."""
    require_transaction(session.connection)
    yield session


def require_transaction(connection: Connection) -> None:
    """Raise `Unavailable` where no transaction is under way any more.

    A statement that fails may end it (SQLite) or have it dropped at its COMMIT
    (PostgreSQL), and a connection that broke is replaced without a word: what
    comes after would be a transaction of its own.
    """
    if connection.invalidated or not _is_in_transaction(connection.connection.driver_connection):
        raise Unavailable("an earlier statement of the transaction has failed")


def _is_in_transaction(driver: Any) -> bool:
    if isinstance(driver, SQLiteConnection):
        return driver.in_transaction
    return bool(driver.pgconn.transaction_status == INTRANS)


def with_deadline(opened: Open, engine: Engine) -> Open:
    """Return `opened`, in whose sessions SQLite too stops a reading that takes long."""
    if engine.dialect.name == "postgresql":
        return opened
    return partial(_with_deadline, opened, _timeouts(engine).statement)


@contextmanager
def _with_deadline(opened: Open, seconds: float) -> Iterator[Session]:
    with opened() as session:
        driver: Any = session.connection.connection.driver_connection
        deadline = monotonic() + seconds
        driver.set_progress_handler(lambda: monotonic() > deadline, PROGRESS_STEPS)
        try:
            yield session
        finally:
            driver.set_progress_handler(None, 0)


def configure_session(timeouts: Timeouts, connection: Any, entry: ConnectionPoolEntry) -> None:
    """Set what holds for each statement once, where the session with PostgreSQL is ours alone.

    That is: the time limits, to plan a statement once, and to show moments in
    UTC. Statements are prepared there, whatever was asked for. A pooler gives
    its clients a process id of its own.
    """
    sql, values = _told(timeouts.settings | _PLANNED_ONCE | _IN_UTC, is_local=False)
    mine = connection.info.backend_pid
    found = connection.execute(f"{sql} WHERE pg_backend_pid() = %s", (*values, mine))
    if found.fetchone() is not None:
        entry.info[_IS_DIRECT] = True
        connection.prepare_threshold = PREPARED_AFTER


def _begun(engine: Engine, owner: str) -> tuple[Connection, str | None]:
    """Return a connection on which a transaction has begun, and its id where it can be known."""
    with translate_errors(), ExitStack() as opened:
        connection = opened.enter_context(engine.connect())
        transaction_id = _begin(connection, owner)
        opened.pop_all()
        return connection, transaction_id


def _begin(connection: Connection, owner: str) -> str | None:
    """Begin a transaction, and return its id where the database can tell its outcome later."""
    begin = _BEGIN[connection.dialect.name]
    if connection.dialect.name == "postgresql":
        settings = _settings(connection.engine, owner)
        if "statement_timeout" in settings:
            settings[IDLE_TIMEOUT] = settings["statement_timeout"]
        told, values = _told(settings)
        cursor = execute(connection, f"{told}, {CURRENT_ID}", values, ahead=(begin, ()))
        return str(cursor.fetchone()[-1])
    connection.exec_driver_sql(begin)
    return None


def _settings(engine: Engine, owner: str) -> dict[str, str]:
    timeouts = engine.get_execution_options().get(TIMEOUTS)
    return {OWNER_SETTING: owner, **(timeouts.settings if timeouts else {})}


def _told(settings: dict[str, str], *, is_local: bool = True) -> SettingsStatement:
    """Return the statement that sets `settings`, for one transaction where it `is_local`."""
    calls = ", ".join(f"set_config('{name}', %s, {is_local})" for name in settings)
    return f"SELECT {calls}", tuple(settings.values())


def _timeouts(engine: Engine) -> Timeouts:
    timeouts = engine.get_execution_options()[TIMEOUTS]
    assert isinstance(timeouts, Timeouts)
    return timeouts
