"""Alembic environment: runs the migrations in the transaction of `admin.migrate.upgrade`."""

from alembic import context
from sqlalchemy import Connection

from taskservice.adapters.sql.schema import VERSION_TABLE
from taskservice.adapters.sql.tables import metadata

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, version_table=VERSION_TABLE)
context.run_migrations()
