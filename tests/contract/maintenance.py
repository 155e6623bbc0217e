"""What an administrator does with each adapter, for the contract: prune, back up, restore."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from sqlite3 import connect
from typing import Any

import psycopg
from sqlalchemy import Engine
from tests.databases import Database
from tests.statement_audit import EXCEPT

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.admin.prune import prune_changes
from taskservice.adapters.sql.tables import OWNED_TABLES

NAMES = [table.name for table in OWNED_TABLES]

# A superuser backs up and restores the rows of all owners.
EXCEPT.update((__file__, method) for method in ("back_up", "_restore"))


class MemoryMaintenance:
    """Prunes, backs up and restores a storage in memory."""

    def __init__(self, storage: InMemoryStorage) -> None:
        self._storage = storage
        self.prune = storage.prune_changes

    def back_up(self) -> Callable[[], None]:
        return partial(self._restore, _copied(self._storage._owners))

    def _restore(self, owners: dict[str, Any]) -> None:
        self._storage._owners = _copied(owners)


def _copied(owners: dict[str, Any]) -> dict[str, Any]:
    return {owner: state.copy() for owner, state in owners.items()}


class SqliteMaintenance:
    """Prunes a database in a file, and backs up and restores its rows."""

    def __init__(self, engine: Engine) -> None:
        self.prune = partial(prune_changes, engine)
        self._path = engine.url.database or ""

    def back_up(self) -> Callable[[], None]:
        with closing(connect(self._path)) as connection:
            rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in NAMES}  # noqa: S608
        return partial(self._restore, rows)

    def _restore(self, rows: Mapping[str, Sequence[tuple[Any, ...]]]) -> None:
        with closing(connect(self._path)) as connection, connection:
            connection.execute("PRAGMA synchronous = OFF")
            for name in NAMES:
                connection.execute(f"DELETE FROM {name}")  # noqa: S608
            for name, stored in rows.items():
                for row in stored:
                    places = ", ".join("?" for _ in row)
                    connection.execute(f"INSERT INTO {name} VALUES ({places})", row)  # noqa: S608


class PostgresMaintenance:
    """Prunes a database as the role that owns its tables; a superuser backs up and restores."""

    def __init__(self, database: Database, connection: psycopg.Connection) -> None:
        self.prune = partial(prune_changes, database.owner_engine)
        self._connection = connection

    def back_up(self) -> Callable[[], None]:
        rows: dict[str, bytes] = {}
        for name in NAMES:
            with self._connection.cursor().copy(f"COPY (TABLE {name}) TO STDOUT".encode()) as copy:
                rows[name] = b"".join(copy)
        return partial(self._restore, rows)

    def _restore(self, rows: Mapping[str, bytes]) -> None:
        with self._connection.transaction():
            # Rows refer to others that come later.
            self._connection.execute("SET LOCAL session_replication_role = replica")
            for name, stored in rows.items():
                self._connection.execute(f"DELETE FROM {name}".encode())  # noqa: S608
                with self._connection.cursor().copy(f"COPY {name} FROM STDIN".encode()) as copy:
                    copy.write(stored)
