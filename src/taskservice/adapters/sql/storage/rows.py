"""Table data gateway: one owner's rows of a type of entities, and the reads of them."""

from typing import Any, Generic, NamedTuple
from uuid import UUID

from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.storage import queries
from taskservice.adapters.sql.storage.mapping import EntityMapping
from taskservice.core.entity import E
from taskservice.core.query import Page, Query


class Rows(NamedTuple, Generic[E]):
    """One owner's rows of a type of entities, in a session of that owner.

    A write is retried up to `max_retries` times after a serialization failure or a
    deadlock. Inside a transaction it must be 0, as the whole transaction fails.
    """

    mapping: EntityMapping
    session: Session
    max_retries: int

    def find(self, entity_id: UUID) -> E:
        """Return the entity, or raise its `EntityNotFound`."""
        for row in self.mapping.select.rows(self.session, entity_id=entity_id):
            entity: E = self.mapping.from_row(row)
            return entity
        raise self.mapping.entity_type.not_found(entity_id)

    def page(self, query: Query[E]) -> Page[E]:
        """Return a page of the entities that `query` admits, with its total if `with_total`."""
        statement, values = queries.page(self.mapping, query)
        found = [self.mapping.from_row(row) for row in statement.rows(self.session, **values)]
        return Page.of(found, query, self._total(query) if query.with_total else None)

    def count_by_list(self, query: Query[E]) -> dict[Any, int]:
        """Return the number of entities that `query` admits, by list."""
        statement, values = queries.count_by_list(self.mapping, query)
        return dict(map(tuple, statement.rows(self.session, **values)))

    def _total(self, query: Query[E]) -> int:
        statement, values = queries.total(self.mapping, query)
        ((total,),) = statement.rows(self.session, **values)
        return int(total)
