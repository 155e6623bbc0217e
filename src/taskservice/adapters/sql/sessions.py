"""Connections to work on: in the name of one owner, or in nobody's (migrations, checks).

PostgreSQL is told the owner, and how long a statement may take, for one
transaction and no longer: a pooler hands the connection to somebody else
right after. What is told goes ahead of the work in the same round trip: the
statements of one pipeline are one transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from sqlite3 import Connection as SQLiteConnection
from time import monotonic
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine

from taskservice.adapters.sql.answers import answered
from taskservice.adapters.sql.failures import translated
from taskservice.adapters.sql.outcomes import CURRENT_ID, known_outcome

OWNER_SETTING = "taskservice.owner"
TIMEOUTS = "taskservice_timeouts"
AHEAD = "taskservice_ahead"
IDLE_TIMEOUT = "idle_in_transaction_session_timeout"
PROGRESS_STEPS = 10_000

# The isolation that a change relies on, whatever the database's default is.
_BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED"}


class Timeouts(NamedTuple):
    """Seconds that a statement may take, and that a lock may be waited for."""

    statement: float
    lock: float


@contextmanager
def alone(engine: Engine, owner: str) -> Iterator[Connection]:
    """Yield a connection on which each statement is a transaction in the name of `owner`."""
    with engine.connect() as connection:
        yield connection.execution_options(**{AHEAD: (_settings(engine, owner),)})


@contextmanager
def transaction(
    engine: Engine, owner: str = "", is_kept: Callable[[], bool] = lambda: True
) -> Iterator[Connection]:
    """Yield a connection inside one transaction: committed on a normal exit, else rolled back.

    It is in the name of `owner`, or of nobody, who owns no task. On SQLite it
    holds the write lock from the first moment, so that what it reads cannot
    change before it writes. `is_kept` tells, where the answer to COMMIT was
    lost, whether what was written is there. Raises `Unavailable`.
    """
    connection, transaction_id = answered(partial(_begun, engine, owner))
    with translated(), connection:
        yield connection
        with known_outcome(connection, transaction_id, is_kept), translated(if_cut="unknown"):
            connection.exec_driver_sql("COMMIT")


@contextmanager
def bounded(engine: Engine, owner: str) -> Iterator[Connection]:
    """Yield a connection as `alone` does, on which SQLite too stops a reading that takes long."""
    with alone(engine, owner) as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, SQLiteConnection):
            yield connection
            return
        deadline = monotonic() + _timeouts(engine).statement
        driver.set_progress_handler(lambda: monotonic() > deadline, PROGRESS_STEPS)
        try:
            yield connection
        finally:
            driver.set_progress_handler(None, 0)


def send_ahead(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Execute `statement`, and ahead of it, in the same round trip, what its connection asks for.

    Listens to SQLAlchemy's `do_execute` on PostgreSQL; returns False to leave all to the dialect.
    """
    ahead = context.execution_options.get(AHEAD)
    if not ahead:
        return False
    with cursor.connection.pipeline():
        for one in ahead:
            cursor.connection.execute(*one)
        cursor.execute(statement, parameters)
    return True


def _begun(engine: Engine, owner: str) -> tuple[Connection, str | None]:
    """Return a connection on which a transaction has begun, and its id where it can be known."""
    with translated(), ExitStack() as opened:
        connection = opened.enter_context(engine.connect())
        transaction_id = _begin(connection, owner)
        opened.pop_all()
        return connection, transaction_id


def _begin(connection: Connection, owner: str) -> str | None:
    """Begin a transaction, and return its id where the database can tell its outcome later."""
    begin = _BEGIN[connection.dialect.name]
    if connection.dialect.name == "postgresql":
        settings, values = _settings(connection.engine, owner, IDLE_TIMEOUT)
        told = connection.exec_driver_sql(
            f"{settings}, {CURRENT_ID}", values, execution_options={AHEAD: ((begin,),)}
        )
        return str(told.one()[-1])
    connection.exec_driver_sql(begin)
    return None


def _settings(engine: Engine, owner: str, *more: str) -> tuple[str, tuple[str, ...]]:
    """Return the statement that sets owner and timeouts for one transaction, and its values.

    What else may take as long as a statement is named by `more`.
    """
    found = {OWNER_SETTING: owner}
    if timeouts := engine.get_execution_options().get(TIMEOUTS):
        for name in ("statement_timeout", *more):
            found[name] = f"{timeouts.statement * 1000:.0f}"
        found["lock_timeout"] = f"{timeouts.lock * 1000:.0f}"
    calls = ", ".join(f"set_config('{name}', %s, true)" for name in found)
    return f"SELECT {calls}", tuple(found.values())


def _timeouts(engine: Engine) -> Timeouts:
    timeouts = engine.get_execution_options()[TIMEOUTS]
    assert isinstance(timeouts, Timeouts)
    return timeouts
