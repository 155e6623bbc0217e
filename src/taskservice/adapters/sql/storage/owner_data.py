"""All data of one owner: imports, counts and erases it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.connection.error_codes import is_foreign_key_violation
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.mapping import EntityMapping, mapping_of
from taskservice.adapters.sql.storage.trees import lock_workspace
from taskservice.adapters.sql.tables import ENTITY_TABLES, OWNED_TABLES, idempotency_keys, lists
from taskservice.core.entity import Entity
from taskservice.core.errors import Unavailable
from taskservice.core.owner_data import (
    ErasureIncomplete,
    OwnerCounts,
    Refusal,
    sort_for_import,
)
from taskservice.core.workspace import ENTITY_TYPES, entity_type

_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class SqlOwnerData:
    """The `OwnerData` of one owner; `partial(SqlOwnerData, engine)` is an `OpenOwnerData`.

    Each method is one transaction. Raise `Unavailable`.
    """

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner

    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        """Insert the entities that do not exist; return those that differ from the stored ones."""
        with self._locked() as connection:
            find = cache(partial(self._find_one, connection))
            ready, refused = sort_for_import(self._owner, entities, find)
            stored: set[Entity] = set()
            for one_type in ENTITY_TYPES:
                wanted = [one for one in ready if type(one) is one_type]
                if wanted:
                    self._insert(connection, mapping_of(one_type), wanted)
                    ids = [one.id for one in wanted]
                    stored.update(self._find(connection, mapping_of(one_type), ids))
        return [*refused, *(Refusal(one) for one in ready if one not in stored)]

    def count(self) -> OwnerCounts:
        """Count the rows."""
        with transaction(self._engine, self._owner) as connection:
            return _counts({table: self._count(connection, table) for table in OWNED_TABLES})

    def erase(self) -> OwnerCounts:
        """Delete the rows, and vacuum an SQLite file. Raise `ErasureIncomplete` if that fails."""
        with self._locked() as connection:
            # New tasks in the lists wait, and are then refused.
            own_lists = select(lists.c.id).where(lists.c.user_id == self._owner)
            connection.execute(own_lists.with_for_update())
            tables = (idempotency_keys, *reversed(ENTITY_TABLES.values()))
            deleted = _counts({table: self._delete(connection, table) for table in tables})
        if is_sqlite(self._engine.url):
            self._vacuum(deleted)
        return deleted

    @contextmanager
    def _locked(self) -> Iterator[Connection]:
        """Yield a connection in one transaction, while no other one changes a tree or an order."""
        with transaction(self._engine, self._owner) as connection:
            lock_workspace(lambda: nullcontext(Session(connection, self._owner)))
            try:
                yield connection
            except DBAPIError as error:
                if is_foreign_key_violation(error.orig):
                    raise Unavailable("the data was changed meanwhile") from error
                raise

    def _insert(
        self, connection: Connection, mapping: EntityMapping, wanted: Sequence[Entity]
    ) -> None:
        insert = _INSERT[connection.dialect.name](mapping.table).on_conflict_do_nothing()
        rows = [{**mapping.insert_parameters(one), "user_id": self._owner} for one in wanted]
        connection.execute(insert, rows)

    def _find_one(self, connection: Connection, type_name: str, entity_id: UUID) -> Entity | None:
        found = entity_type(type_name)
        mapping = mapping_of(found) if found else None
        return next(iter(self._find(connection, mapping, [entity_id])), None) if mapping else None

    def _find(
        self, connection: Connection, mapping: EntityMapping, ids: Sequence[UUID]
    ) -> list[Entity]:
        table = mapping.table
        own = select(*mapping.field_columns).where(table.c.user_id == self._owner)
        return [mapping.from_row(row) for row in connection.execute(own.where(table.c.id.in_(ids)))]

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
    entities = {one.type_name: rows[table] for one, table in ENTITY_TABLES.items()}
    return OwnerCounts(entities, rows[idempotency_keys])
