"""Empties the change log, as the role that owns the tables: every client starts a first sync."""

from time import time_ns

from sqlalchemy import Engine, text

from taskservice.adapters.sql.admin.table_locks import lock_tables
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.schema import require_current
from taskservice.adapters.sql.tables import ENTITY_TABLES, changes, heads

_TABLES = [table.name for table in (heads, *ENTITY_TABLES.values(), changes)]

NANOSECONDS_PER_MILLISECOND = 1_000_000

# The time is a number that no position in a backup has.
_FORGET = (
    "DELETE FROM changes",
    "UPDATE heads SET seq = CASE WHEN seq < :now THEN :now ELSE seq + 1 END",
    *(
        f"INSERT INTO heads (user_id, seq) SELECT DISTINCT user_id, :now FROM {table.name} "  # noqa: S608
        "WHERE true ON CONFLICT DO NOTHING"
        for table in ENTITY_TABLES.values()
    ),
)


def forget_changes(engine: Engine) -> int:
    """Delete all changes, and skip numbers of each owner; return the number of owners.

    So no position of a client is known any more. It is one transaction, in which no other
    reads or writes. Raise `SchemaOutdated` or `Unavailable`.
    """
    require_current(engine)
    is_postgresql = engine.dialect.name == "postgresql"
    with transaction(engine) as connection:
        if is_postgresql:
            lock_tables(connection)
            for name in _TABLES:
                connection.exec_driver_sql(f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
        now = time_ns() // NANOSECONDS_PER_MILLISECOND
        for statement in _FORGET:
            connection.execute(text(statement), {"now": now})
        owners = connection.exec_driver_sql("SELECT count(*) FROM heads").scalar_one()
        for name in _TABLES if is_postgresql else ():
            connection.exec_driver_sql(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
        return int(owners)
