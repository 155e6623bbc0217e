"""Readiness check: whether a request can use the database.

It does not write, as reads continue when the database is read-only.
"""

import os
import sqlite3

from sqlalchemy import Engine, select

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.database_info import missing_privileges
from taskservice.adapters.sql.checks.row_security import require_row_security
from taskservice.adapters.sql.connection.address import database_file, is_sqlite
from taskservice.adapters.sql.connection.compiled_statements import OWNER, Statement
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import autocommit_session
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.core.errors import AccessDenied, UnusableDatabase

MINIMUM_SQLITE = (3, 35)
"""The first version of SQLite with RETURNING."""

MINIMUM_POSTGRESQL = 15
"""The oldest major version of PostgreSQL that was tested."""

NO_FILE_ADVICE = "Correct its name in DATABASE_URL, or create it with `taskservice db upgrade`"
GRANT_ADVICE = "run `taskservice db grant {}` as the tables' owner"

_NO_OWNER = ""
"""No row belongs to this owner."""

_READ_ONE_ROW = [
    Statement(select(table).where(table.c.user_id == OWNER).limit(1)) for table in OWNED_TABLES
]


def require_supported_database(engine: Engine) -> None:
    """Raise `UnusableDatabase` if SQLite or PostgreSQL is too old, or the file is not writable."""
    if engine.dialect.name == "sqlite":
        _require_minimum("SQLite", sqlite3.sqlite_version_info[:2], MINIMUM_SQLITE)
        require_writable_file(engine)
        return
    with translate_errors(), engine.connect() as connection:
        number = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    _require_minimum("PostgreSQL", (int(number) // 10_000,), (MINIMUM_POSTGRESQL,))


def require_ready(engine: Engine, *, allow_privileged_role: bool) -> None:
    """Raise `Unavailable`, or a subclass of it, if requests would fail.

    Check the schema version, and read a row of each table. On PostgreSQL also
    check the privileges and, unless `allow_privileged_role`, row-level security.
    """
    schema.require_current(engine)
    require_readable_tables(engine)
    if engine.dialect.name == "postgresql":
        if missing := missing_privileges(engine):
            advice = GRANT_ADVICE.format("ROLE")
            raise AccessDenied(f"the role has no {', '.join(missing)}: {advice}")
        if not allow_privileged_role:
            require_row_security(engine)


def require_readable_tables(engine: Engine) -> None:
    """Read a row of each table on behalf of an owner. Raise `Unavailable`."""
    with translate_errors(), autocommit_session(engine, _NO_OWNER) as session:
        for statement in _READ_ONE_ROW:
            statement.rows(session)


def require_writable_file(engine: Engine) -> None:
    """Raise `UnusableDatabase` if SQLite's file is missing or read-only: SQLite would create it."""
    if not is_sqlite(engine.url):
        return
    file = database_file(engine.url)
    if not file.exists():
        raise UnusableDatabase(f"there is no file {file}", NO_FILE_ADVICE)
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        raise UnusableDatabase(
            f"the file {file} or its folder is read-only",
            "Give the service write permission on both",
        )


def _require_minimum(product: str, actual: tuple[int, ...], minimum: tuple[int, ...]) -> None:
    if actual < minimum:
        found, least = (".".join(map(str, version)) for version in (actual, minimum))
        raise UnusableDatabase(
            f"{product} {found} is not supported", f"Upgrade to {product} {least} or newer"
        )
