"""Which errors of a database are an outage, and of which kind. Any other is a defect of ours."""

import re
import sqlite3

import psycopg

from taskservice.core.errors import AccessDenied, ReadOnly, SchemaOutdated, StorageFull, Unavailable

# By SQLSTATE, or its class (PostgreSQL, appendix A).
_STATES: dict[str, type[Unavailable]] = {
    "53100": StorageFull,
    "25006": ReadOnly,
    "42501": AccessDenied,
    "28": AccessDenied,
    "3D": AccessDenied,
    "08": Unavailable,  # The connection broke, or was never there.
    "25P": Unavailable,  # The transaction has failed, or took too long.
    "40": Unavailable,  # Undone for the sake of another transaction.
    "53": Unavailable,  # No memory, no connection left.
    "55": Unavailable,  # Locked, or in use.
    "57": Unavailable,  # Cancelled, shut down, starting.
    "58": Unavailable,  # The server's disk or system.
    "XX": Unavailable,  # The server's own defect, or corrupted data.
    # A schema, table, column, type or function that is not there: the database is not as it was.
    **dict.fromkeys(("3F000", "42P01", "42703", "42704", "42883"), SchemaOutdated),
}

# By result code (sqlite.org/rescode.html): what an extended one adds counts where it is named.
_CODES: dict[int, type[Unavailable]] = {
    sqlite3.SQLITE_FULL: StorageFull,
    sqlite3.SQLITE_IOERR_WRITE: StorageFull,
    sqlite3.SQLITE_IOERR_SHMOPEN: StorageFull,
    sqlite3.SQLITE_IOERR_SHMSIZE: StorageFull,
    sqlite3.SQLITE_READONLY: ReadOnly,
    sqlite3.SQLITE_NOMEM: Unavailable,
    sqlite3.SQLITE_PERM: Unavailable,
    sqlite3.SQLITE_BUSY: Unavailable,
    sqlite3.SQLITE_LOCKED: Unavailable,
    sqlite3.SQLITE_INTERRUPT: Unavailable,
    sqlite3.SQLITE_IOERR: Unavailable,
    sqlite3.SQLITE_CORRUPT: Unavailable,
    sqlite3.SQLITE_CANTOPEN: Unavailable,
    sqlite3.SQLITE_PROTOCOL: Unavailable,
    sqlite3.SQLITE_SCHEMA: Unavailable,
    sqlite3.SQLITE_NOTADB: Unavailable,
}

# SQLite has one code for this and for a syntax error.
_is_missing = re.compile(r"no such (table|column):|has no column named").search


def outage(error: object) -> type[Unavailable] | None:
    """Return the kind of outage that an error of a driver is, None where it is none."""
    return _of_postgresql(error) if isinstance(error, psycopg.Error) else _of_sqlite(error)


def is_in_doubt(error: object) -> bool:
    """Tell whether a write that ended with `error` may have been done: SQLite could not sync it."""
    return _code(error) & 0xFF == sqlite3.SQLITE_IOERR and outage(error) is not StorageFull


def _of_postgresql(error: psycopg.Error) -> type[Unavailable] | None:
    if error.sqlstate is None:
        # libpq tells no SQLSTATE of a connection that was refused, or broke.
        return Unavailable if isinstance(error, psycopg.OperationalError) else None
    lengths = (5, 3, 2)
    return next((_STATES[key] for n in lengths if (key := error.sqlstate[:n]) in _STATES), None)


def _of_sqlite(error: object) -> type[Unavailable] | None:
    code = _code(error)
    if code == sqlite3.SQLITE_ERROR and _is_missing(str(error)):
        return SchemaOutdated
    return _CODES.get(code, _CODES.get(code & 0xFF))


def _code(error: object) -> int:
    """Return SQLite's extended result code; what Python's module itself raises has none."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
