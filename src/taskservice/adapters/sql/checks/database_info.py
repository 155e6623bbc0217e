"""Database inspection for operators: version, role, latency, clock offset, missing privileges."""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.schema import REQUIRED_PRIVILEGES

_INFO = """
    SELECT current_setting('server_version'), session_user::text,
           pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,
           clock_timestamp()
"""
_MISSING_PRIVILEGES = """
    SELECT privilege || ' on ' || name
      FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS needed(name, privilege, place)
     WHERE NOT coalesce(CASE split_part(privilege, ' ', 2)
                        WHEN '' THEN has_table_privilege(to_regclass(name), privilege)
                        ELSE has_column_privilege(to_regclass(name),
                                                  trim(split_part(privilege, ' ', 2), '()'),
                                                  split_part(privilege, ' ', 1)) END, false)
     ORDER BY place
"""


class DatabaseInfo(NamedTuple):
    """Product, role, clock offset and latency of a database.

    `clock_offset` is how far its clock is ahead of this machine's, in seconds.
    For SQLite `role` and `clock_offset` are None.
    """

    product: str
    role: str | None
    clock_offset: float | None
    milliseconds: float


def inspect_database(engine: Engine) -> DatabaseInfo:
    """Return information about the database. Raise `Unavailable`."""
    if is_sqlite(engine.url):
        return _inspect_sqlite(engine)
    with translate_errors(), engine.connect() as connection:
        start = datetime.now(UTC)
        version, role, is_read_only, clock = connection.exec_driver_sql(_INFO).one()
        end = datetime.now(UTC)
    clock_offset = (clock - start - (end - start) / 2).total_seconds()
    product = f"PostgreSQL {version.partition(' ')[0]}{' (read-only)' * is_read_only}"
    return DatabaseInfo(product, role, clock_offset, (end - start).total_seconds() * 1000)


def missing_privileges(engine: Engine) -> list[str]:
    """Return the privileges that the role needs and lacks, such as `INSERT on tasks` (PostgreSQL).

    Raise `Unavailable`.
    """
    pairs = [
        (table, privilege) for table, all_ in REQUIRED_PRIVILEGES.items() for privilege in all_
    ]
    tables, privileges = map(list, zip(*pairs, strict=True))
    with translate_errors(), engine.connect() as connection:
        return [*connection.exec_driver_sql(_MISSING_PRIVILEGES, (tables, privileges)).scalars()]


def _inspect_sqlite(engine: Engine) -> DatabaseInfo:
    start = datetime.now(UTC)
    with transaction(engine) as connection:
        version = connection.exec_driver_sql("SELECT sqlite_version()").scalar()
    milliseconds = (datetime.now(UTC) - start).total_seconds() * 1000
    return DatabaseInfo(f"SQLite {version}", None, None, milliseconds)
