"""All data of one owner: imports, counts and erases it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, bindparam, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.mapping import EntityMapping, mapping_of
from taskservice.adapters.sql.tables import ENTITY_TABLES, OWNED_TABLES, idempotency_keys
from taskservice.core.entity import Entity
from taskservice.core.errors import Unavailable
from taskservice.core.owner_data import ErasureIncomplete, OwnerCounts
from taskservice.core.workspace import ENTITY_TYPES

_INSERT: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


class SqlOwnerData:
    """The `OwnerData` of one owner; `partial(SqlOwnerData, engine)` is an `OpenOwnerData`.

    Each method is one transaction. Raise `Unavailable`.
    """

    def __init__(self, engine: Engine, owner: str) -> None:
        self._engine = engine
        self._owner = owner

    def import_entities(self, entities: Sequence[Entity]) -> list[Entity]:
        """Insert the entities that do not exist; return those that differ from the stored ones."""
        with transaction(self._engine, self._owner) as connection:
            stored: set[Entity] = set()
            for entity_type in ENTITY_TYPES:
                wanted = [one for one in entities if type(one) is entity_type]
                if wanted:
                    self._insert(connection, mapping_of(entity_type), wanted)
                    stored.update(self._find(connection, mapping_of(entity_type), wanted))
        return [one for one in entities if one not in stored]

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

    def _insert(
        self, connection: Connection, mapping: EntityMapping, wanted: Sequence[Entity]
    ) -> None:
        insert = _INSERT[connection.dialect.name](mapping.table).on_conflict_do_nothing()
        own = [one for one in wanted if one.user_id == self._owner]
        rows = [{**mapping.insert_parameters(one), "user_id": self._owner} for one in own]
        if rows:
            connection.execute(insert, rows)

    def _find(
        self, connection: Connection, mapping: EntityMapping, wanted: Sequence[Entity]
    ) -> list[Entity]:
        table = mapping.table
        ids = [one.id for one in wanted]
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
