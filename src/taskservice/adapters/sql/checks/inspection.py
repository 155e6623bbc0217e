"""What a database is like, for whoever looks after it: read, and nothing changed."""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.schema import SERVING

_ABOUT = """
    SELECT current_setting('server_version'), session_user::text,
           pg_is_in_recovery() OR current_setting('transaction_read_only')::bool,
           clock_timestamp()
"""
_MISSING = """
    SELECT privilege || ' on ' || name
      FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS needed(name, privilege, place)
     WHERE NOT coalesce(has_table_privilege(to_regclass(name), privilege), false)
     ORDER BY place
"""


class About(NamedTuple):
    """A database that answers, as `product`, after so many `milliseconds`.

    `role` is None for a file. `ahead` is how far its clock is ahead of
    ours, in seconds, None for a file.
    """

    product: str
    role: str | None
    ahead: float | None
    milliseconds: float


def look(engine: Engine) -> About:
    """Return what answers, and how fast. Raises `Unavailable`; `ReadOnly` takes no write."""
    if is_sqlite(engine.url):
        return _file(engine)
    with translate_errors(), engine.connect() as connection:
        began = datetime.now(UTC)
        version, role, is_read_only, clock = connection.exec_driver_sql(_ABOUT).one()
        ended = datetime.now(UTC)
    ahead = (clock - began - (ended - began) / 2).total_seconds()
    product = f"PostgreSQL {version.partition(' ')[0]}{', which only reads' * is_read_only}"
    return About(product, role, ahead, (ended - began).total_seconds() * 1000)


def missing_grants(engine: Engine) -> list[str]:
    """Return what the role may not do and needs to, such as `INSERT on tasks` (PostgreSQL).

    Raises `Unavailable`.
    """
    pairs = [(table, privilege) for table, all_ in SERVING.items() for privilege in all_]
    tables, privileges = map(list, zip(*pairs, strict=True))
    with translate_errors(), engine.connect() as connection:
        return [*connection.exec_driver_sql(_MISSING, (tables, privileges)).scalars()]


def _file(engine: Engine) -> About:
    began = datetime.now(UTC)
    with transaction(engine) as connection:
        version = connection.exec_driver_sql("SELECT sqlite_version()").scalar()
    taken = (datetime.now(UTC) - began).total_seconds() * 1000
    return About(f"SQLite {version}", None, None, taken)
