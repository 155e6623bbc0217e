"""Running the migrations, with Alembic; serving needs neither this module nor its import."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, inspect

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.engine import require_wal
from taskservice.adapters.sql.schema import VERSION_TABLE, VERSIONS, current, is_newer
from taskservice.adapters.sql.tables import metadata
from taskservice.core.errors import UnusableDatabase

MIGRATIONS = Path(__file__).parents[1] / "migrations"
LOCK_SECONDS = 5
ADVISORY_LOCK = 0x7461736B  # "task"
ALEMBIC_TABLE = "alembic_version"
OWN_DATABASE = "Give taskservice a database, or on PostgreSQL a schema, of its own"


def upgrade(engine: Engine, version: str = "head") -> None:
    """Bring the database to `version`, the newest unless given, in one transaction.

    One that is newer stays as it is. Raises `Unavailable`, and `UnusableDatabase` where
    a table of ours is another application's.
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
    """Take our number out of Alembic's own table, in which earlier versions kept it.

    Renamed, the table keeps what roles were granted.
    """
    if not _columns(connection, VERSION_TABLE) and _has_alembic_version(connection):
        connection.exec_driver_sql(f"ALTER TABLE {ALEMBIC_TABLE} RENAME TO {VERSION_TABLE}")
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(
                f"ALTER TABLE {VERSION_TABLE} "
                f"RENAME CONSTRAINT {ALEMBIC_TABLE}_pkc TO {VERSION_TABLE}_pkc"
            )


def _has_alembic_version(connection: Connection) -> bool:
    """Tell whether Alembic's own table holds our number: beside our tables, and no other's."""
    ours = all(
        set(table.columns.keys()) <= _columns(connection, name)
        for name, table in metadata.tables.items()
    )
    if not ours or not _columns(connection, ALEMBIC_TABLE):
        return False
    numbers = connection.exec_driver_sql(f"SELECT version_num FROM {ALEMBIC_TABLE}").scalars().all()  # noqa: S608
    return len(numbers) == 1 and numbers[0] in VERSIONS


def _require_own_tables(connection: Connection) -> None:
    """Raise `UnusableDatabase` if tables with our names exist, and no version table."""
    if _columns(connection, VERSION_TABLE):
        return
    for name in metadata.tables:
        if _columns(connection, name):
            raise UnusableDatabase(
                f"there is a table {name} that taskservice has not made", OWN_DATABASE
            )


def _columns(connection: Connection, table: str) -> set[str]:
    """Return the names of a table's columns in the schema that tables are made in."""
    inspector = inspect(connection)
    schema = inspector.default_schema_name
    if not inspector.has_table(table, schema):
        return set()
    return {column["name"] for column in inspector.get_columns(table, schema)}


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration: our scripts, on `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def lock_migrations(connection: Connection) -> None:
    """Let one migration run at a time, and give up where a lock is not had in time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
