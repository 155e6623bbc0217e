"""Running the migrations, with Alembic; serving needs neither this module nor its import."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine

from taskservice.adapters.sql.sessions import transaction

MIGRATIONS = Path(__file__).with_name("migrations")
LOCK_SECONDS = 5
ADVISORY_LOCK = 0x7461736B  # "task"


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest version, in one transaction. Raises `Unavailable`."""
    with transaction(engine) as connection:
        command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration: our scripts, on `connection`."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def take_turns(connection: Connection) -> None:
    """Let one migration run at a time, and give up where a lock is not had in time."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
