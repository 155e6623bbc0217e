"""What the database could not do, in the words of the core."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy import ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from taskservice.adapters.sql.connection.outages import is_in_doubt, outage
from taskservice.adapters.sql.connection.read_timeout import ReadTimeout
from taskservice.core.errors import (
    AccessDenied,
    IdempotencyKeyInUse,
    Outcome,
    Overloaded,
    Unavailable,
)

# SQLSTATE codes (PostgreSQL, appendix A).
DUPLICATE = "23505"
STALE = {"0A000", "26000", "42P05"}
"""The driver's prepared statements are not those of the server; the statement was not done.

The table has become another, or a failure came before the server had prepared
what the driver then takes for prepared, or a pooler has changed the server.
"""
LOCK_NOT_AVAILABLE = "55P03"
CONFLICTS = {"40001", "40P01"}
CONNECTION_LOST = ("08", "57P", "25P03", "25P04")

# libpq tells no SQLSTATE of a connection that was refused.
_no_access = re.compile(
    r'password authentication failed|role ".*" (does not exist|is not permitted to log in)'
    r'|database ".*" does not exist|permission denied for database|no pg_hba.conf entry'
).search

# What PgBouncer says of a statement that it has sent to nobody.
_never_sent = re.compile(r"server login |cannot connect to server|query_wait_timeout").search

# How libpq and the server name a host.
_host = re.compile(r'((?:certificate for|host(?: name)?) )"[^"]*"')


class ConnectionLost(Unavailable):
    """The connection broke while an answer was waited for; a new one may tell more."""


@contextmanager
def translate_errors(on_disconnect: Outcome = "not_applied") -> Iterator[None]:
    """Raise `Unavailable`, or a kind of it, for what the database or the pool could not do.

    `on_disconnect` is what is known of a write whose connection broke before the
    answer came, or that could not be synced; a defect of ours passes as it is.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise Overloaded("no database connection became free in time") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise _broken(error, on_disconnect) from error
        if (kind := _kind(error)) is None:
            raise
        outcome = on_disconnect if is_in_doubt(error.orig) else "not_applied"
        raise kind(f"the database refuses: {reason(error)}", outcome) from error


def mark_disconnect(context: ExceptionContext) -> None:
    """Count an error as the end of its connection where it is; listens to `handle_error`."""
    if context.connection is not None and is_disconnect(context.original_exception):
        context.is_disconnect = True


def is_disconnect(error: BaseException) -> bool:
    """Tell whether a PostgreSQL connection has ended, and no server has refused the statement.

    The driver sees that end late where a pooler tells of it, or where it comes
    within a pipeline. A connection whose prepared statements are stale is as
    good as lost: on a new one they are prepared again.
    """
    if not isinstance(error, psycopg.Error) or _never_sent(str(error)):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in STALE or error.sqlstate.startswith(CONNECTION_LOST)


def _broken(error: DBAPIError, outcome: Outcome) -> Unavailable:
    if isinstance(error.orig, ReadTimeout):
        return Unavailable("the database did not answer in time", outcome)
    return ConnectionLost("the database connection broke", outcome)


def _kind(error: DBAPIError) -> type[Unavailable] | None:
    """Return what an error of the database is in the words of the core, None for a defect."""
    return AccessDenied if is_access_refused(error) else outage(error.orig)


def is_access_refused(error: DBAPIError) -> bool:
    """Tell whether the database does not let us in, by what a server or a pooler says."""
    return bool(_no_access(str(error.orig)))


@contextmanager
def key_in_use() -> Iterator[None]:
    """Raise `IdempotencyKeyInUse` where a key is locked by another transaction for too long."""
    try:
        yield
    except DBAPIError as error:
        if _sqlstate(error) == LOCK_NOT_AVAILABLE:
            raise IdempotencyKeyInUse from error
        raise


def is_conflict(error: DBAPIError) -> bool:
    """Tell whether PostgreSQL undid a statement for the sake of another (SQLSTATE class 40)."""
    return _sqlstate(error) in CONFLICTS


def is_duplicate(error: DBAPIError) -> bool:
    """Tell whether a row with the same key is there already."""
    return _sqlstate(error) == DUPLICATE


def _sqlstate(error: DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None)


def reason(error: DBAPIError) -> str:
    """Return what the driver said, without the address that it said it of."""
    text = str(error.orig)
    if "resolve host" in text:
        return "its host name cannot be resolved"
    said = text.rpartition("failed: ")[2].partition("\n")[0]
    return _host.sub(r'\1"..."', said)
