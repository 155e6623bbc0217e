"""Readiness: whether a request would find what it needs of the database.

A write is not tried: where the database takes none at the moment, reads go on.
"""

import os
import sqlite3

from sqlalchemy import Engine, select

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.checks.inspection import missing_grants
from taskservice.adapters.sql.checks.row_security import require_row_security
from taskservice.adapters.sql.connection.address import database_file, is_sqlite
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import autocommit_session
from taskservice.adapters.sql.connection.statements import OWNER, Statement
from taskservice.adapters.sql.tables import OWNED
from taskservice.core.errors import AccessDenied, UnusableDatabase

MINIMUM_SQLITE = (3, 35)
"""The first version of SQLite that knows RETURNING."""

MINIMUM_POSTGRESQL = 15
"""The oldest major version of PostgreSQL that the tests ran on."""

NO_FILE = "Correct its name in DATABASE_URL, or make it with `taskservice db upgrade`"
GRANT = "run `taskservice db grant {}` as the tables' owner"

_NOBODY = ""
"""The owner of no row, as `transaction` has it."""

_A_ROW = [Statement(select(table).where(table.c.user_id == OWNER).limit(1)) for table in OWNED]


def require_fit(engine: Engine) -> None:
    """Raise `UnusableDatabase` if SQLite or PostgreSQL is too old, or there is no writable file."""
    if engine.dialect.name == "sqlite":
        _require_minimum("SQLite", sqlite3.sqlite_version_info[:2], MINIMUM_SQLITE)
        require_file(engine)
        return
    with translate_errors(), engine.connect() as connection:
        number = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    _require_minimum("PostgreSQL", (int(number) // 10_000,), (MINIMUM_POSTGRESQL,))


def require_usable(engine: Engine, *, allow_privileged_role: bool) -> None:
    """Raise an `Unavailable` of the fitting kind where a request would fail.

    It looks at the schema's version, reads a row of each table as a request
    does, and on PostgreSQL at the privileges and, unless a privileged role is
    allowed, the policies.
    """
    schema.require_current(engine)
    require_rows(engine)
    if engine.dialect.name == "postgresql":
        if missing := missing_grants(engine):
            raise AccessDenied(f"the role has no {', '.join(missing)}: {GRANT.format('ROLE')}")
        if not allow_privileged_role:
            require_row_security(engine)


def require_rows(engine: Engine) -> None:
    """Read a row of each table in the name of an owner. Raises `Unavailable`."""
    with translate_errors(), autocommit_session(engine, _NOBODY) as session:
        for statement in _A_ROW:
            statement.rows(session)


def require_file(engine: Engine) -> None:
    """Raise `UnusableDatabase` if SQLite's file is missing or read-only: SQLite would create it."""
    if not is_sqlite(engine.url):
        return
    file = database_file(engine.url)
    if not file.exists():
        raise UnusableDatabase(f"there is no file {file}", NO_FILE)
    if not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)):
        raise UnusableDatabase(
            f"the file {file} or its folder is read-only", "Let the service write to both"
        )


def _require_minimum(product: str, found: tuple[int, ...], minimum: tuple[int, ...]) -> None:
    if found < minimum:
        is_, least = (".".join(map(str, version)) for version in (found, minimum))
        raise UnusableDatabase(
            f"it is {product} {is_}", f"taskservice needs {product} {least} or newer"
        )
