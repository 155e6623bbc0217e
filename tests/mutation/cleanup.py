"""What a mutant leaves behind on a server of ours goes before the next one comes."""

from collections.abc import Sequence
from typing import LiteralString

import psycopg
from psycopg.rows import scalar_row
from psycopg.sql import SQL, Identifier

DATABASES: LiteralString = (
    "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> current_database()"
)
ROLES: LiteralString = (
    "SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> current_user"
)
OTHERS: LiteralString = """
    SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity
     WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
"""


def clean_up(server: str) -> None:
    """Drop all databases and roles of a server but those that it was made with.

    A test that fails may leave some, on which later tests would fail whatever they test:
    mutants that nobody notices would be taken for noticed.
    """
    with psycopg.connect(server, autocommit=True, row_factory=scalar_row) as connection:
        connection.execute(OTHERS)
        for name in _fetch(connection, DATABASES):
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        for name in _fetch(connection, ROLES):
            connection.execute(SQL("DROP OWNED BY {}").format(Identifier(name)))
            connection.execute(SQL("DROP ROLE {}").format(Identifier(name)))


def _fetch(connection: psycopg.Connection[str], question: LiteralString) -> Sequence[str]:
    return connection.execute(question).fetchall()
