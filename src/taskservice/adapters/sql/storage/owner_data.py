"""All that one owner has in a SQL database: brought in, counted and removed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Executable, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.tables import OWNED, fields, idempotency_records, tasks
from taskservice.core.errors import Unavailable
from taskservice.core.owner_data import ErasureIncomplete, OwnerCounts
from taskservice.core.task import Task

_INSERT: dict[str, Executable] = {
    "postgresql": postgresql.insert(tasks).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(tasks).on_conflict_do_nothing(),
}
_FOUND = select(*fields).where(
    tasks.c.user_id == bindparam("owner"), tasks.c.id.in_(bindparam("ids"))
)


class SqlOwnerDataSource:
    """Every owner's belongings in one database; `open_owner_data` is the port."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_owner_data(self, owner: str) -> "SqlOwnerData":
        """Return the archive of `owner`; see `OpenOwnerData`."""
        return SqlOwnerData(self._engine, owner)


class SqlOwnerData:
    """One owner's belongings; each method is one transaction. Raises `Unavailable`."""

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner

    def restore(self, wanted: Sequence[Task]) -> list[Task]:
        """Insert the rows that are not there, and look at what is there then."""
        rows = [_row(task) for task in wanted if task.user_id == self._owner]
        with transaction(self._engine, self._owner) as connection:
            if rows:
                connection.execute(_INSERT[connection.dialect.name], rows)
            found = self._found(connection, wanted)
        return [task for task in wanted if task != found.get(task.id)]

    def count(self) -> OwnerCounts:
        """Count the rows."""
        with transaction(self._engine, self._owner) as connection:
            return _counts({table: self._count(connection, table) for table in OWNED})

    def erase(self) -> OwnerCounts:
        """Delete the rows, then rewrite an SQLite file. Raises `ErasureIncomplete`."""
        with transaction(self._engine, self._owner) as connection:
            removed = _counts({table: self._delete(connection, table) for table in OWNED})
        if is_sqlite(self._engine.url):
            self._overwrite(removed)
        return removed

    def _found(self, connection: Connection, wanted: Sequence[Task]) -> dict[UUID, Task]:
        named = {"owner": self._owner, "ids": [task.id for task in wanted]}
        rows = connection.execute(_FOUND, named).mappings()
        return {row["id"]: Task(**row) for row in rows}

    def _count(self, connection: Connection, table: Table) -> int:
        counted = select(func.count()).select_from(table)
        own = table.c.user_id == bindparam("owner")
        return int(connection.execute(counted.where(own), {"owner": self._owner}).scalar_one())

    def _delete(self, connection: Connection, table: Table) -> int:
        own = table.c.user_id == bindparam("owner")
        return connection.execute(delete(table).where(own), {"owner": self._owner}).rowcount

    def _overwrite(self, removed: OwnerCounts) -> None:
        """Write the file again, and cut its log: in both stand pages as they were.

        `secure_delete` is not enough: what moved from one page to another stays in the gaps.
        """
        try:
            with translate_errors(), self._engine.connect() as connection:
                connection.exec_driver_sql("VACUUM")
                is_busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        except Unavailable as error:
            raise ErasureIncomplete(removed, str(error)) from error
        if is_busy:
            raise ErasureIncomplete(removed, "another connection reads the database")


def _counts(rows: dict[Table, int]) -> OwnerCounts:
    return OwnerCounts(rows[tasks], rows[idempotency_records])


def _row(task: Task) -> dict[str, Any]:
    return {**vars(task), "search_text": task.search_text}
