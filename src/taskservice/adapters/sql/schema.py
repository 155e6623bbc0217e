"""Schema version: reads and checks it; grants the privileges that serving needs."""

import re
from functools import partial

from sqlalchemy import Engine, inspect, text

from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.retries import retry_on_disconnect
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.tables import ENTITY_TABLES
from taskservice.core.errors import SchemaOutdated, Unavailable, UnusableDatabase

VERSIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""Every version with a migration in this package, oldest first."""

VERSION_TABLE = "taskservice_schema_version"
"""Not Alembic's default name, which another application in the database may use."""

ZONE_DATA_TABLE = "taskservice_zone_data"
"""Has one row: the version of the zone data that the stored moments were computed with."""

REQUIRED_PRIVILEGES = {
    **{table.name: ("SELECT", "INSERT", "UPDATE", "DELETE") for table in ENTITY_TABLES.values()},
    "trash": ("SELECT", "INSERT", "DELETE"),
    "idempotency_keys": ("SELECT", "INSERT", "UPDATE"),
    "heads": ("SELECT", "INSERT", "UPDATE"),
    "changes": ("SELECT", "INSERT", "UPDATE (previous)"),
    VERSION_TABLE: ("SELECT",),
}
"""The privileges that a role needs to serve, by table."""

_is_version = re.compile(r"[0-9]{4}").fullmatch
_VERSION = text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608
_ZONE_DATA_VERSION = text(f"SELECT version FROM {ZONE_DATA_TABLE}")  # noqa: S608
_ROLE_EXISTS = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
_SCHEMA = text("SELECT quote_ident(current_schema())")


def require_reachable(engine: Engine) -> None:
    """Raise `Unavailable` if the database does not respond; retry after a lost connection."""
    retry_on_disconnect(partial(_ping, engine))


def current(engine: Engine) -> str | None:
    """Return the schema version of the database, None if it has none. Raise `Unavailable`."""
    return retry_on_disconnect(partial(_current, engine))


def _ping(engine: Engine) -> None:
    with translate_errors(), engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")


def _current(engine: Engine) -> str | None:
    with translate_errors(), engine.connect() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        version: str | None = connection.execute(_VERSION).scalar()
        return version


def zone_data_version(engine: Engine) -> str:
    """Return the version of the zone data of the stored moments. Raise `Unavailable`.

    Without exactly one row it is `unknown`, as after a restore without the table.
    """
    with translate_errors(), engine.connect() as connection:
        versions = connection.execute(_ZONE_DATA_VERSION).scalars().all()
        return str(versions[0]) if len(versions) == 1 else "unknown"


def is_newer(version: str) -> bool:
    """Return whether a version is newer than every version in this package."""
    return _is_version(version) is not None and version > VERSIONS[-1]


def require_current(engine: Engine) -> None:
    """Raise `SchemaOutdated` if the schema is older than this package needs.

    Accept a newer schema, so that a database can be migrated before the last old
    process stops. Raise `UnusableDatabase` for an invalid version, or `Unavailable`.
    """
    version = current(engine)
    if version is None or version in VERSIONS[:-1]:
        raise SchemaOutdated(
            f"the database schema is at version {version or 'none'}, taskservice needs "
            f"{VERSIONS[-1]}: run `taskservice db upgrade`"
        )
    if version != VERSIONS[-1] and not is_newer(version):
        advice = f"Restore the table {VERSION_TABLE} from a backup"
        raise UnusableDatabase(
            f"the database schema is at {version}, which is not a version", advice
        )


def grant(engine: Engine, role: str) -> None:
    """Grant `role` the `REQUIRED_PRIVILEGES` (PostgreSQL). Raise `Unavailable`."""
    require_current(engine)
    quoted = engine.dialect.identifier_preparer.quote_identifier(role)
    with transaction(engine) as connection:
        if connection.execute(_ROLE_EXISTS, {"role": role}).first() is None:
            raise Unavailable(f"role {role} does not exist: create it with CREATE ROLE")
        schema = connection.execute(_SCHEMA).scalar_one()
        for statement in (
            f"GRANT USAGE ON SCHEMA {schema} TO {quoted}",
            *(
                f"GRANT {', '.join(privileges)} ON {schema}.{table} TO {quoted}"
                for table, privileges in REQUIRED_PRIVILEGES.items()
            ),
        ):
            connection.exec_driver_sql(statement)
