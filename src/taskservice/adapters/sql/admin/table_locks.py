"""Table locks: locks out all reads and writes, for changes of whole tables (PostgreSQL)."""

from time import monotonic

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.admin.migrate import LOCK_TIMEOUT_SECONDS, lock_migrations
from taskservice.adapters.sql.connection.errors import is_lock_timeout
from taskservice.adapters.sql.tables import OWNED_TABLES, heads

RETRY_SECONDS = 30
_ATTEMPT_TIMEOUT = "200ms"
"""Less than `deadlock_timeout`, as some transactions lock the tables in another order."""

# Most transactions read tasks before they write, which locks the head.
_TABLES = [*(table.name for table in OWNED_TABLES if table is not heads), heads.name]


def lock_tables(connection: Connection) -> None:
    """Lock all tables with owners to the end of the transaction.

    Between attempts other transactions go on. Raise `DBAPIError` if too many are open.
    """
    lock_migrations(connection)
    deadline = monotonic() + RETRY_SECONDS
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_ATTEMPT_TIMEOUT}'")
    while not _try_to_lock(connection, is_last=monotonic() > deadline):
        pass
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")


def _try_to_lock(connection: Connection, *, is_last: bool) -> bool:
    connection.exec_driver_sql("SAVEPOINT unlocked")
    try:
        connection.exec_driver_sql(f"LOCK TABLE {', '.join(_TABLES)}")
    except DBAPIError as error:
        if is_last or not is_lock_timeout(error):
            raise
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT unlocked")
        return False
    return True
