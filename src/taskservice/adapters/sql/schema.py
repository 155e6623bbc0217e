"""The schema's versions: where a database stands, whether it can be served, who may use it."""

import re
from functools import partial

from sqlalchemy import Engine, inspect, text

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.retries import retry_on_disconnect
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.core.errors import SchemaOutdated, Unavailable, UnusableDatabase

VERSIONS = ("0001", "0002", "0003", "0004")
"""Every version that this package knows, oldest first; a test holds them to the migrations."""

VERSION_TABLE = "taskservice_schema_version"
"""A table of our own name: another application in the same database may use Alembic too."""

SERVING = {
    "tasks": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "receipts": ("SELECT", "INSERT", "UPDATE"),
    VERSION_TABLE: ("SELECT",),
}
"""What a role needs to serve, and no more."""

_is_version = re.compile(r"[0-9]{4}").fullmatch
_VERSION = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
_ROLE = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
_SCHEMA = text("SELECT quote_ident(current_schema())")


def require_reachable(engine: Engine) -> None:
    """Raise `Unavailable` where the database does not answer, asked again where it broke off."""
    retry_on_disconnect(partial(_reach, engine))


def current(engine: Engine) -> str | None:
    """Return the version that the database is at, None without one. Raises `Unavailable`."""
    return retry_on_disconnect(partial(_current, engine))


def _reach(engine: Engine) -> None:
    with translate_errors(), engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def _current(engine: Engine) -> str | None:
    with translate_errors(), engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        version: str | None = connection.execute(_VERSION).scalar()
        return version


def is_newer(version: str) -> bool:
    """Tell whether a version is one of ours that this package does not know yet."""
    return _is_version(version) is not None and version > VERSIONS[-1]


def require_current(engine: Engine) -> None:
    """Raise `SchemaOutdated` where the schema is older than this package needs, or `Unavailable`.

    A newer one is served: that is what lets a database be migrated before
    the last old process is gone. Raises `UnusableDatabase` for what is no version.
    """
    version = current(engine)
    if version is None or version in VERSIONS[:-1]:
        raise SchemaOutdated(
            f"the database's schema is at {version or 'nothing'}, this version needs "
            f"{VERSIONS[-1]}: run `taskservice db upgrade`"
        )
    if version != VERSIONS[-1] and not is_newer(version):
        advice = f"Restore the table {VERSION_TABLE} from a backup"
        raise UnusableDatabase(
            f"the database's schema is at {version}, which is no version", advice
        )


def grant(engine: Engine, role: str) -> None:
    """Give `role` what serving needs, and no more (PostgreSQL). Raises `Unavailable`."""
    require_current(engine)
    quoted = engine.dialect.identifier_preparer.quote_identifier(role)
    with transaction(engine) as connection:
        if connection.execute(_ROLE, {"role": role}).first() is None:
            raise Unavailable(f"there is no role {role}: make it with CREATE ROLE")
        schema = connection.execute(_SCHEMA).scalar_one()
        for statement in (
            f"GRANT USAGE ON SCHEMA {schema} TO {quoted}",
            *(
                f"GRANT {', '.join(privileges)} ON {schema}.{table} TO {quoted}"
                for table, privileges in SERVING.items()
            ),
        ):
            connection.exec_driver_sql(statement)
