"""Runs the migrations on the connection, and in the transaction, that `schema.upgrade` gives."""

from alembic import context
from sqlalchemy import Connection

from taskservice.adapters.sql.tables import metadata

LOCK_SECONDS = 5
ADVISORY_LOCK = 0x7461736B  # "task"


def take_turns(connection: Connection) -> None:
    """Let one migration run at a time, and give up where a lock is not had in time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")


connection: Connection = context.config.attributes["connection"]
take_turns(connection)
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
