"""The last write of a transaction: shows whether it was committed, if COMMIT got no response."""

from collections.abc import Iterable
from uuid import UUID

from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.storage.mapping import EntityMapping
from taskservice.core.entity import Entity


class LastWrite:
    """The last entity that a transaction wrote, or removed."""

    def __init__(self) -> None:
        self._mapping: EntityMapping | None = None
        self._entity_id: UUID | None = None
        self._entity: Entity | None = None

    def record(self, mapping: EntityMapping, entity_id: UUID, entity: Entity | None) -> None:
        """Record an entity as it is now stored, None if it is removed."""
        self._mapping, self._entity_id, self._entity = mapping, entity_id, entity

    def update(self, entities: Iterable[Entity]) -> None:
        """Take the newer state of the last entity, if it is among those."""
        for entity in entities:
            if entity.id == self._entity_id:
                self._entity = entity

    def is_committed(self, session: Session) -> bool | None:
        """Return whether `session` sees the write, None if a later one may hide it."""
        if self._mapping is None:
            return True
        rows = self._mapping.select.rows(session, entity_id=self._entity_id)
        found = self._mapping.from_row(rows[0]) if rows else None
        if found == self._entity:
            return True
        if found is None or (self._entity and found.version > self._entity.version):
            return None
        return False
