"""All data of one owner: imports, counts and erases it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Executable, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.tables import OWNED_TABLES, idempotency_records, task_columns, tasks
from taskservice.core.errors import Unavailable
from taskservice.core.owner_data import ErasureIncomplete, OwnerCounts
from taskservice.core.task import Task

_INSERT: dict[str, Executable] = {
    "postgresql": postgresql.insert(tasks).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(tasks).on_conflict_do_nothing(),
}
_SELECT = select(*task_columns).where(
    tasks.c.user_id == bindparam("owner"), tasks.c.id.in_(bindparam("ids"))
)


class SqlOwnerData:
    """The `OwnerData` of one owner; `partial(SqlOwnerData, engine)` is an `OpenOwnerData`.

    Each method is one transaction. Raise `Unavailable`.
    """

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner

    def import_tasks(self, wanted: Sequence[Task]) -> list[Task]:
        """Insert the tasks that do not exist; return those that differ from the stored ones."""
        rows = [_row(task) for task in wanted if task.user_id == self._owner]
        with transaction(self._engine, self._owner) as connection:
            if rows:
                connection.execute(_INSERT[connection.dialect.name], rows)
            stored = self._find(connection, wanted)
        return [task for task in wanted if task != stored.get(task.id)]

    def count(self) -> OwnerCounts:
        """Count the rows."""
        with transaction(self._engine, self._owner) as connection:
            return _counts({table: self._count(connection, table) for table in OWNED_TABLES})

    def erase(self) -> OwnerCounts:
        """Delete the rows, and vacuum an SQLite file. Raise `ErasureIncomplete` if that fails."""
        with transaction(self._engine, self._owner) as connection:
            deleted = _counts({table: self._delete(connection, table) for table in OWNED_TABLES})
        if is_sqlite(self._engine.url):
            self._vacuum(deleted)
        return deleted

    def _find(self, connection: Connection, wanted: Sequence[Task]) -> dict[UUID, Task]:
        parameters = {"owner": self._owner, "ids": [task.id for task in wanted]}
        rows = connection.execute(_SELECT, parameters).mappings()
        return {row["id"]: Task(**row) for row in rows}

    def _count(self, connection: Connection, table: Table) -> int:
        count = select(func.count()).select_from(table)
        own = table.c.user_id == bindparam("owner")
        return int(connection.execute(count.where(own), {"owner": self._owner}).scalar_one())

    def _delete(self, connection: Connection, table: Table) -> int:
        own = table.c.user_id == bindparam("owner")
        return connection.execute(delete(table).where(own), {"owner": self._owner}).rowcount

    def _vacuum(self, deleted: OwnerCounts) -> None:
        """Rebuild the file and truncate the WAL, as both may hold old copies of pages.

        `secure_delete` is not enough: rows that moved between pages stay in unused space.
        """
        try:
            with translate_errors(), self._engine.connect() as connection:
                connection.exec_driver_sql("VACUUM")
                is_busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        except Unavailable as error:
            raise ErasureIncomplete(deleted, str(error)) from error
        if is_busy:
            raise ErasureIncomplete(deleted, "another connection reads the database")


def _counts(rows: dict[Table, int]) -> OwnerCounts:
    return OwnerCounts(rows[tasks], rows[idempotency_records])


def _row(task: Task) -> dict[str, Any]:
    return {**vars(task), "search_text": task.search_text}
