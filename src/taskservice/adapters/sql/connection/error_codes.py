"""Maps SQLSTATEs and SQLite result codes to exceptions; any other error is a defect."""

import re
import sqlite3

import psycopg

from taskservice.core.errors import AccessDenied, ReadOnly, SchemaOutdated, StorageFull, Unavailable

FOREIGN_KEY_VIOLATION = "23503"

# By SQLSTATE or its class (PostgreSQL, appendix A).
_BY_SQLSTATE: dict[str, type[Unavailable]] = {
    "53100": StorageFull,
    "25006": ReadOnly,
    "42501": AccessDenied,
    "28": AccessDenied,
    "3D": AccessDenied,
    "08": Unavailable,  # Connection exception.
    "25P": Unavailable,  # The transaction failed or timed out.
    "40": Unavailable,  # Transaction rollback: serialization failure or deadlock.
    "53": Unavailable,  # Insufficient resources: memory, connections.
    "55": Unavailable,  # Locked or in use.
    "57": Unavailable,  # Operator intervention: canceled, shutting down, starting.
    "58": Unavailable,  # System error.
    "XX": Unavailable,  # Internal error or corrupted data.
    # Undefined schema, table, column, type or function.
    **dict.fromkeys(("3F000", "42P01", "42703", "42704", "42883"), SchemaOutdated),
}

# By result code (sqlite.org/rescode.html), extended or primary.
_BY_RESULT_CODE: dict[int, type[Unavailable]] = {
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

# SQLite reports missing tables and columns with the code of a syntax error.
_is_undefined = re.compile(r"no such (table|column):|has no column named").search


def error_class(error: object) -> type[Unavailable] | None:
    """Return the exception class for a driver's error, None for a defect."""
    return _postgresql_class(error) if isinstance(error, psycopg.Error) else _sqlite_class(error)


def is_foreign_key_violation(error: object) -> bool:
    """Return whether a row refers to none, or would be removed while others refer to it."""
    if isinstance(error, psycopg.Error):
        return error.sqlstate == FOREIGN_KEY_VIOLATION
    return _result_code(error) == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY


def is_in_doubt(error: object) -> bool:
    """Return whether a failed write may have been applied, as SQLite could not sync it."""
    return (
        _result_code(error) & 0xFF == sqlite3.SQLITE_IOERR and error_class(error) is not StorageFull
    )


def _postgresql_class(error: psycopg.Error) -> type[Unavailable] | None:
    if error.sqlstate is None:
        # libpq gives no SQLSTATE for refused or broken connections.
        return Unavailable if isinstance(error, psycopg.OperationalError) else None
    lengths = (5, 3, 2)
    return next(
        (_BY_SQLSTATE[key] for n in lengths if (key := error.sqlstate[:n]) in _BY_SQLSTATE), None
    )


def _sqlite_class(error: object) -> type[Unavailable] | None:
    code = _result_code(error)
    if code == sqlite3.SQLITE_ERROR and _is_undefined(str(error)):
        return SchemaOutdated
    return _BY_RESULT_CODE.get(code, _BY_RESULT_CODE.get(code & 0xFF))


def _result_code(error: object) -> int:
    """Return SQLite's extended result code, `SQLITE_OK` for errors of Python's module itself."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
