"""The schema's versions: where a database stands, how to bring it up, who may use it."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from taskservice.adapters.sql.engine import transaction
from taskservice.adapters.sql.failures import translated
from taskservice.core.errors import SchemaBehind, Unavailable

_MIGRATIONS = Path(__file__).with_name("migrations")
_ROLE = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
_SCHEMA = text("SELECT quote_ident(current_schema())")


def head() -> str:
    """Return the newest version that this package knows."""
    return _scripts().get_current_head() or ""


def require_reachable(engine: Engine) -> None:
    """Raise `Unavailable` where the database does not answer."""
    with translated(), engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def current(engine: Engine) -> str | None:
    """Return the version that the database is at, None without one. Raises `Unavailable`."""
    with translated(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest version, in one transaction. Raises `Unavailable`."""
    with transaction(engine) as connection:
        command.upgrade(_config(connection), "head")


def require_current(engine: Engine) -> None:
    """Raise `SchemaBehind` where the schema is older than this package needs, or `Unavailable`.

    A version that this package does not know is newer, and served: that is
    what lets a database be migrated before the last old process is gone.
    """
    stands_at = current(engine)
    older = {script.revision for script in _scripts().walk_revisions()} - {head()}
    if stands_at is None or stands_at in older:
        raise SchemaBehind(
            f"the database's schema is at {stands_at or 'nothing'}, this version needs {head()}: "
            "run `taskservice db upgrade`"
        )


def grant(engine: Engine, role: str) -> None:
    """Give `role` what serving needs, and no more (PostgreSQL). Raises `Unavailable`."""
    require_current(engine)
    quoted = engine.dialect.identifier_preparer.quote_identifier(role)
    with transaction(engine) as connection:
        if not connection.execute(_ROLE, {"role": role}).first():
            raise Unavailable(f"there is no role {role}: make it with CREATE ROLE")
        schema = connection.execute(_SCHEMA).scalar_one()
        for statement in (
            f"GRANT USAGE ON SCHEMA {schema} TO {quoted}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {schema}.tasks TO {quoted}",
            f"GRANT SELECT ON {schema}.alembic_version TO {quoted}",
        ):
            connection.exec_driver_sql(statement)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config
