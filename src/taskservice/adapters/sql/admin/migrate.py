"""Schema migrations with Alembic. The service itself never imports this module."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect
from sqlalchemy.exc import NoSuchTableError

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.engine import require_wal
from taskservice.adapters.sql.schema import VERSION_TABLE, VERSIONS, current, is_newer
from taskservice.adapters.sql.tables import metadata
from taskservice.core.errors import UnusableDatabase

MIGRATIONS = Path(__file__).parents[1] / "migrations"
LOCK_TIMEOUT_SECONDS = 5
FORMER_NAMES = {"idempotency_keys": "receipts"}
"""Names of tables in a database of an earlier version."""
FIRST_VERSIONS = {"lists": "0008", "heads": "0010", "changes": "0010", "trash": "0011"}
"""The migrations that create further tables."""
FIRST_COLUMNS = {
    "tasks": {"id", "user_id", "title", "description", "completed", "created_at", "version"},
    "idempotency_keys": {"user_id", "key", "created_at"},
}
"""Columns that the tables have had in every version."""
ADVISORY_LOCK = 0x7461736B  # "task"
ALEMBIC_TABLE = "alembic_version"
OWN_DATABASE_ADVICE = "Give taskservice a database, or on PostgreSQL a schema, of its own"


def upgrade(engine: Engine, version: str = "head") -> None:
    """Migrate the database to `version`, by default the newest, in one transaction.

    Leave a newer schema unchanged. Raise `Unavailable`, or `UnusableDatabase` if
    another application owns a table with one of the service's names.
    """
    if is_newer(current(engine) or ""):
        return
    with transaction(engine) as connection:
        lock_migrations(connection)
        _adopt_version(connection)
        _require_own_tables(connection)
        command.upgrade(alembic_config(connection), version)
    require_wal(engine)


def _adopt_version(connection: Connection) -> None:
    """Rename Alembic's default version table, which earlier versions used, to `VERSION_TABLE`.

    A renamed table keeps its grants.
    """
    if not _columns(connection, VERSION_TABLE) and _has_alembic_version(connection):
        connection.exec_driver_sql(f"ALTER TABLE {ALEMBIC_TABLE} RENAME TO {VERSION_TABLE}")
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"ALTER TABLE {VERSION_TABLE} "
                f"RENAME CONSTRAINT {ALEMBIC_TABLE}_pkc TO {VERSION_TABLE}_pkc"
            )


def _has_alembic_version(connection: Connection) -> bool:
    """Return whether Alembic's default table holds the version of this service's tables."""
    has_own_tables = all(
        columns <= _columns(connection, name) | _columns(connection, FORMER_NAMES.get(name, name))
        for name, columns in FIRST_COLUMNS.items()
    )
    if not has_own_tables or not _columns(connection, ALEMBIC_TABLE):
        return False
    query = f"SELECT version_num FROM {ALEMBIC_TABLE}"  # noqa: S608
    versions = connection.exec_driver_sql(query).scalars().all()
    return len(versions) == 1 and versions[0] in VERSIONS


def _require_own_tables(connection: Connection) -> None:
    """Raise `UnusableDatabase` if tables exist that no migration has created yet."""
    for name in _tables_to_create(connection):
        if _columns(connection, name):
            raise UnusableDatabase(
                f"table {name} exists and was not created by taskservice", OWN_DATABASE_ADVICE
            )


def _tables_to_create(connection: Connection) -> list[str]:
    if not _columns(connection, VERSION_TABLE):
        return [*metadata.tables, *FORMER_NAMES.values()]
    query = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608
    version = connection.exec_driver_sql(query).scalar()
    return [name for name, first in FIRST_VERSIONS.items() if version and version < first]


def _columns(connection: Connection, table: str) -> set[str]:
    """Return the column names of a table in the default schema, none if it does not exist."""
    inspector = inspect(connection)
    try:
        columns = inspector.get_columns(table, inspector.default_schema_name)
    except NoSuchTableError:
        return set()
    return {column["name"] for column in columns}


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the migrations of this package."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def lock_migrations(connection: Connection) -> None:
    """Lock out other migrations (PostgreSQL), and set the lock timeout of this one."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
