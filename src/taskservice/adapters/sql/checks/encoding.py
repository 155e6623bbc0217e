"""How PostgreSQL keeps text and writes moments: so that each comes back as it went in."""

from typing import Any

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.core.errors import UnusableDatabase

# What must be, by the parameter that the server reports (PostgreSQL, section 54.2.7), and how.
_WANTED = {
    "server_encoding": (
        "UTF8",
        "Make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and bring over "
        "what there is with pg_dump and pg_restore",
    ),
    "DateStyle": ("ISO", "Set it with ALTER ROLE … SET DateStyle = 'ISO'"),
}


def require_readable(engine: Engine) -> None:
    """Raise `UnusableDatabase` where the database does not keep every text, or writes no ISO 8601.

    That is one whose encoding is not UTF8, or whose DateStyle does not begin
    with ISO (PostgreSQL). Raises `Unavailable` where none can be asked.
    """
    if engine.dialect.name == "postgresql":
        with translate_errors(), engine.connect() as connection:
            check_encoding(connection.connection.driver_connection)


def check_encoding(connection: Any) -> None:
    """Raise `UnusableDatabase` for a connection of the driver on which rows could not be read."""
    for name, (wanted, advice) in _WANTED.items():
        found = str(connection.info.parameter_status(name))
        if not found.startswith(wanted):
            raise UnusableDatabase(
                f"the database's {name} is {found}, and must be {wanted}", advice
            )
