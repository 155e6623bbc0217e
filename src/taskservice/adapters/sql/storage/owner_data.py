"""All that one owner has in a SQL database: brought in, counted and removed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Executable, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.address import is_embedded
from taskservice.adapters.sql.connection.errors import translated
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.tables import OWNED, fields, tasks
from taskservice.core.errors import Unavailable
from taskservice.core.owner_data import Belongings, StillOnDisk
from taskservice.core.task import Task

_INSERT: dict[str, Executable] = {
    "postgresql": postgresql.insert(tasks).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(tasks).on_conflict_do_nothing(),
}
_FOUND = select(*fields).where(
    tasks.c.user_id == bindparam("owner"), tasks.c.id.in_(bindparam("ids"))
)


class SqlArchives:
    """Every owner's belongings in one database; `open_archive` is the port."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_archive(self, owner: str) -> "SqlArchive":
        """Return the archive of `owner`; see `OpenArchive`."""
        return SqlArchive(self._engine, owner)


class SqlArchive:
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

    def count(self) -> Belongings:
        """Count the rows."""
        with transaction(self._engine, self._owner) as connection:
            return Belongings(**{table.name: self._count(connection, table) for table in OWNED})

    def erase(self) -> Belongings:
        """Delete the rows; an SQLite file is written again without them. Raises `StillOnDisk`."""
        with transaction(self._engine, self._owner) as connection:
            deleted = {table.name: self._delete(connection, table) for table in OWNED}
        removed = Belongings(**deleted)
        if is_embedded(self._engine.url):
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

    def _overwrite(self, removed: Belongings) -> None:
        """Write the file again, and cut its log: in both stand pages as they were.

        `secure_delete` is not enough: what moved from one page to another stays in the gaps.
        """
        try:
            with translated(), self._engine.connect() as connection:
                connection.exec_driver_sql("VACUUM")
                is_busy, _, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
        except Unavailable as error:
            raise StillOnDisk(removed, str(error)) from error
        if is_busy:
            raise StillOnDisk(removed, "another connection reads the database")


def _row(task: Task) -> dict[str, Any]:
    return {**vars(task), "folded": task.folded}
