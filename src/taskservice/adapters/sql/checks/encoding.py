"""Encoding check: PostgreSQL must store text as UTF8 and write timestamps as ISO 8601."""

from typing import Any

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.core.errors import UnusableDatabase

# Required value, as a prefix, and advice, by reported parameter (PostgreSQL, section 54.2.7).
_REQUIRED = {
    "server_encoding": (
        "UTF8",
        "Create one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and copy the data "
        "with pg_dump and pg_restore",
    ),
    "DateStyle": ("ISO", "Set it with ALTER ROLE … SET DateStyle = 'ISO'"),
}


def require_encoding(engine: Engine) -> None:
    """Raise `UnusableDatabase` if PostgreSQL's encoding or DateStyle is wrong.

    Raise `Unavailable` if the database cannot be reached.
    """
    if engine.dialect.name == "postgresql":
        with translate_errors(), engine.connect() as connection:
            check_encoding(connection.connection.driver_connection)


def check_encoding(connection: Any) -> None:
    """Raise `UnusableDatabase` if a driver connection reports a wrong encoding or DateStyle."""
    for name, (required, advice) in _REQUIRED.items():
        actual = str(connection.info.parameter_status(name))
        if not actual.startswith(required):
            raise UnusableDatabase(
                f"the database's {name} is {actual}, and must be {required}", advice
            )
