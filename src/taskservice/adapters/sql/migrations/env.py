"""Runs the migrations on the connection, and in the transaction, that `schema.upgrade` gives."""

from alembic import context
from sqlalchemy import Connection

from taskservice.adapters.sql.migrating import take_turns
from taskservice.adapters.sql.tables import metadata

connection: Connection = context.config.attributes["connection"]
take_turns(connection)
context.configure(connection=connection, target_metadata=metadata)
context.run_migrations()
