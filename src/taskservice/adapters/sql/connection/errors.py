"""Error translation: database and pool errors as the exceptions of `core.errors`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from taskservice.adapters.sql.connection.error_codes import error_class, is_in_doubt
from taskservice.adapters.sql.connection.timeouts import ReadTimeout
from taskservice.core.errors import (
    AccessDenied,
    IdempotencyKeyInUse,
    Outcome,
    Overloaded,
    Unavailable,
)

# SQLSTATE codes (PostgreSQL, appendix A).
STALE_PREPARED_STATEMENT = {"0A000", "26000", "42P05"}
"""The server has other prepared statements than the driver assumes; it executed nothing.

Causes: an altered table, an error while the server prepared the statement, or a
pooler that switched servers.
"""
LOCK_NOT_AVAILABLE = "55P03"
SERIALIZATION_FAILURE = {"40001", "40P01"}
CONNECTION_LOST = ("08", "57P", "25P03", "25P04")

# libpq gives no SQLSTATE if the server refuses the connection.
_is_access_denied = re.compile(
    r'password authentication failed|role ".*" (does not exist|is not permitted to log in)'
    r'|database ".*" does not exist|permission denied for database|no pg_hba.conf entry'
).search

# PgBouncer's errors for statements that it did not forward to a server.
_is_not_forwarded = re.compile(r"server login |cannot connect to server|query_wait_timeout").search

# Host names in the messages of libpq and the server.
_host_name = re.compile(r'((?:certificate for|host(?: name)?) )"[^"]*"')


class ConnectionLost(Unavailable):
    """The connection broke before a response came; a retry on a new one may succeed."""


@contextmanager
def translate_errors(on_disconnect: Outcome = "not_applied") -> Iterator[None]:
    """Raise `Unavailable`, or a subclass of it, for errors of the database and the pool.

    `on_disconnect` is the outcome of a write if the connection breaks before the
    response, or if the write cannot be synced. Other errors pass unchanged.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise Overloaded("no database connection became free in time") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _disconnect_error(error, on_disconnect) from error
        if (kind := _error_class(error)) is None:
            raise
        outcome = on_disconnect if is_in_doubt(error.orig) else "not_applied"
        raise kind(f"database error: {driver_message(error)}", outcome) from error


def mark_disconnect(context: ExceptionContext) -> None:
    """Mark errors that end a connection as disconnects; a listener of `handle_error`."""
    if context.connection is not None and is_disconnect(context.original_exception):
        context.is_disconnect = True


def is_disconnect(error: BaseException) -> bool:
    """Return whether `error` ends its PostgreSQL connection, and the statement may have run.

    The driver itself misses disconnects that a pooler reports, or that happen
    within a pipeline. A connection with stale prepared statements counts as lost:
    a new connection prepares them again.
    """
    if not isinstance(error, psycopg.Error) or _is_not_forwarded(str(error)):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in STALE_PREPARED_STATEMENT or error.sqlstate.startswith(CONNECTION_LOST)


def _disconnect_error(error: DBAPIError, outcome: Outcome) -> Unavailable:
    if isinstance(error.orig, ReadTimeout):
        return Unavailable("the database did not respond in time", outcome)
    return ConnectionLost("the database connection was lost", outcome)


def _error_class(error: DBAPIError) -> type[Unavailable] | None:
    return AccessDenied if is_access_denied(error) else error_class(error.orig)


def is_access_denied(error: DBAPIError) -> bool:
    """Return whether a server or pooler refused the login, judged by its message."""
    return bool(_is_access_denied(str(error.orig)))


@contextmanager
def translate_lock_timeout() -> Iterator[None]:
    """Raise `IdempotencyKeyInUse` if the block waits too long for a lock on an idempotency key."""
    try:
        yield
    except DBAPIError as error:
        if is_lock_timeout(error):
            raise IdempotencyKeyInUse from error
        raise


def is_lock_timeout(error: DBAPIError) -> bool:
    """Return whether PostgreSQL waited too long for a lock."""
    return _sqlstate(error) == LOCK_NOT_AVAILABLE


def is_serialization_failure(error: DBAPIError) -> bool:
    """Return whether PostgreSQL rolled back for a serialization failure or a deadlock."""
    return _sqlstate(error) in SERIALIZATION_FAILURE


def violated_constraint(error: DBAPIError) -> str:
    """Return the name of the violated constraint, empty on SQLite, which does not tell it."""
    return error.orig.diag.constraint_name or "" if isinstance(error.orig, psycopg.Error) else ""


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def driver_message(error: DBAPIError) -> str:
    """Return the driver's message without the database address."""
    text = str(error.orig)
    if "resolve host" in text:
        return "its host name cannot be resolved"
    message = text.rpartition("failed: ")[2].partition("\n")[0]
    return _host_name.sub(r'\1"..."', message)
