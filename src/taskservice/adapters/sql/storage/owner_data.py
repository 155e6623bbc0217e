"""All data of one owner: imports, counts and erases it."""

from collections.abc import Collection, Sequence
from functools import cache, partial
from uuid import UUID

from sqlalchemy import Connection, Engine, Table, bindparam, delete, func, select

from taskservice.adapters.sql.connection.address import is_sqlite
from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.heads import owner_transaction
from taskservice.adapters.sql.storage.mapping import EntityMapping, mapping_of
from taskservice.adapters.sql.storage.retryable_writes import NO_ROW_WRITTEN
from taskservice.adapters.sql.storage.written import Written
from taskservice.adapters.sql.tables import OWNED_TABLES, STORED_TABLES, changes, idempotency_keys
from taskservice.core.changes import IMPORT, Change, DescribeChange
from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import Entity
from taskservice.core.errors import Unavailable
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.owner_data import (
    ErasureIncomplete,
    OwnerCounts,
    Refusal,
    sort_for_import,
)
from taskservice.core.workspace import STORED_TYPES, entity_type


class SqlOwnerData:
    """The `OwnerData` of one owner; `partial(SqlOwnerData, engine)` is an `OpenOwnerData`.

    Each method is one transaction. Raise `Unavailable`.
    """

    def __init__(
        self,
        engine: Engine,
        owner: str,
        clock: Clock = system_clock,
    ) -> None:
        self._engine = engine
        self._owner = owner
        self._clock = clock
        self._describe = DescribeChange(TimeOrderedIds(), IMPORT)

    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        """Insert the entities that do not exist; return those that differ from the stored ones."""
        written = Written()
        with owner_transaction(self._engine, self._owner, written.is_committed) as session:
            find = cache(partial(self._find_one, session.connection))
            ready, refused = sort_for_import(self._owner, entities, find)
            stored = {*self._find_stored(session.connection, [one.id for one in ready])}
            for one_type in STORED_TYPES:
                wanted = [one for one in ready if type(one) is one_type]
                missing = _first_of_each({one.id for one in stored}, wanted)
                written.add(self._insert(session, mapping_of(one_type), missing))
                stored.update(missing)
        return [*refused, *(Refusal(one) for one in ready if one not in stored)]

    def count(self) -> OwnerCounts:
        """Count the rows."""
        with transaction(self._engine, self._owner, lambda _: True) as connection:
            return _counts({table: self._count(connection, table) for table in OWNED_TABLES})

    def erase(self) -> OwnerCounts:
        """Delete the rows, and vacuum an SQLite file. Raise `ErasureIncomplete` if that fails."""
        with owner_transaction(self._engine, self._owner) as session:
            tables = reversed(OWNED_TABLES)
            deleted = _counts({one: self._delete(session.connection, one) for one in tables})
        if is_sqlite(self._engine.url):
            self._vacuum(deleted)
        return deleted

    def _insert(
        self, session: Session, mapping: EntityMapping, entities: Sequence[Entity]
    ) -> list[Change]:
        """Insert entities, and return the changes."""
        now = self._clock()
        created = [self._describe.creation(one, now) for one in entities]
        values = [mapping.insert_parameters(one) for one in entities]
        if mapping.insert.count_all(session, [*zip(created, values, strict=True)]) != len(created):
            raise Unavailable(NO_ROW_WRITTEN)
        return created

    def _find_one(self, connection: Connection, type_name: str, entity_id: UUID) -> Entity | None:
        found = entity_type(type_name)
        mapping = mapping_of(found) if found else None
        return next(iter(self._find(connection, mapping, [entity_id])), None) if mapping else None

    def _find_stored(self, connection: Connection, ids: Sequence[UUID]) -> list[Entity]:
        """Return the entities with these ids, of any type: a task may be in the trash."""
        mappings = map(mapping_of, STORED_TYPES)
        return [found for one in mappings for found in self._find(connection, one, ids)]

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
    entities = {one.type_name: rows[STORED_TABLES[one]] for one in STORED_TYPES}
    return OwnerCounts(entities, rows[idempotency_keys], rows[changes])


def _first_of_each(stored: Collection[UUID], entities: Sequence[Entity]) -> list[Entity]:
    """Return the first of the entities with each id that is not stored."""
    first = {one.id: one for one in reversed(entities)}
    return [one for one in entities if first[one.id] is one and one.id not in stored]
