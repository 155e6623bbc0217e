"""Table data gateway: reads and writes one owner's rows of a type of entities."""

from random import uniform
from time import sleep
from typing import Any, Generic
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.compiled_statements import Session, Statement
from taskservice.adapters.sql.connection.errors import is_serialization_failure, is_unique_violation
from taskservice.adapters.sql.storage import queries
from taskservice.adapters.sql.storage.mapping import EntityMapping
from taskservice.core.entity import E
from taskservice.core.errors import Unavailable
from taskservice.core.query import Page, Query

MAX_PAUSE = 0.05
NO_ROW_WRITTEN = "the database wrote no row: check its tables for triggers and rules"


class Rows(Generic[E]):
    """One owner's rows of a type of entities, in a session of that owner.

    A write is retried up to `max_retries` times after a serialization failure or a
    deadlock. Inside a transaction it must be 0, as the whole transaction fails.
    """

    def __init__(self, mapping: EntityMapping, session: Session, max_retries: int) -> None:
        self._mapping = mapping
        self._session = session
        self._max_retries = max_retries

    def insert(self, entity: E) -> None:
        """Insert the row of `entity`."""
        if not self._write(self._mapping.insert, self._mapping.insert_parameters(entity)):
            raise Unavailable(NO_ROW_WRITTEN)

    def insert_if_absent(self, entity: E) -> None:
        """Insert the row of `entity`, unless an earlier attempt has inserted it.

        If the database has become read-only, look for the row.
        """
        try:
            self.insert(entity)
        except DBAPIError as error:
            if is_unique_violation(error):
                return
            if error.connection_invalidated or not self._select(entity.id):
                raise

    def find(self, entity_id: UUID) -> E:
        """Return the entity, or raise its `EntityNotFound`."""
        for entity in self._select(entity_id):
            return entity
        raise self._mapping.entity_type.not_found(entity_id)

    def page(self, query: Query[E]) -> Page[E]:
        """Return a page of the entities that `query` admits, with its total if `with_total`."""
        statement, values = queries.page(self._mapping, query)
        found = [self._mapping.from_row(row) for row in statement.rows(self._session, **values)]
        return Page.of(found, query, self._total(query) if query.with_total else None)

    def replace(self, before: E, after: E) -> bool:
        """Replace `before` with `after` if its version is current; return whether it was."""
        return self._write(self._mapping.update, self._mapping.update_parameters(before, after))

    def delete(self, entity: E) -> bool:
        """Delete the row if the version of `entity` is current; return whether it was."""
        return self._write(self._mapping.delete, self._mapping.version_parameters(entity))

    def _select(self, entity_id: UUID) -> list[E]:
        rows = self._mapping.select.rows(self._session, entity_id=entity_id)
        return [self._mapping.from_row(row) for row in rows]

    def _total(self, query: Query[E]) -> int:
        statement, values = queries.total(self._mapping, query)
        ((total,),) = statement.rows(self._session, **values)
        return int(total)

    def _write(self, statement: Statement, values: dict[str, Any]) -> bool:
        """Execute `statement` and return whether it wrote a row."""
        for _ in range(self._max_retries):
            try:
                return statement.count(self._session, **values) == 1
            except DBAPIError as error:
                if not is_serialization_failure(error):
                    raise
                sleep(uniform(0, MAX_PAUSE))  # noqa: S311
        return statement.count(self._session, **values) == 1
