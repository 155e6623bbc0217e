"""How PostgreSQL keeps text and writes moments: so that each comes back as it went in."""

from typing import Any

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.errors import translated
from taskservice.core.errors import Unfit

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
    """Raise `Unfit` where the database does not keep every text, or writes no ISO 8601.

    That is one whose encoding is not UTF8, or whose DateStyle does not begin
    with ISO (PostgreSQL). Raises `Unavailable` where none can be asked.
    """
    if engine.dialect.name == "postgresql":
        with translated(), engine.connect() as connection:
            refuse_unreadable(connection.connection.driver_connection)


def refuse_unreadable(connection: Any) -> None:
    """Raise `Unfit` for a connection of the driver on which rows could not be read."""
    for name, (wanted, advice) in _WANTED.items():
        found = str(connection.info.parameter_status(name))
        if not found.startswith(wanted):
            raise Unfit(f"the database's {name} is {found}, and must be {wanted}", advice)
