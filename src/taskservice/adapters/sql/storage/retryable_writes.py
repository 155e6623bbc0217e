"""Optimistic writes of one entity that can be retried after a lost connection.

Each remembers the write that got no response, and so recognizes its result.
"""

from collections.abc import Sequence
from random import uniform
from time import sleep
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.compiled_statements import Statement
from taskservice.adapters.sql.connection.error_codes import is_foreign_key_violation
from taskservice.adapters.sql.connection.errors import is_serialization_failure, is_unique_violation
from taskservice.adapters.sql.connection.sessions import savepoint
from taskservice.adapters.sql.storage.rows import Rows
from taskservice.core.clock import Clock
from taskservice.core.entity import E, Step
from taskservice.core.errors import EntityInUse, EntityNotFound, Unavailable
from taskservice.core.preconditions import Precondition

MAX_CAS_ATTEMPTS = 100
"""How often a compare-and-swap is tried; each round one of the concurrent writers succeeds."""
TOO_CONTENDED = "too many concurrent changes of this entity"
NO_ROW_WRITTEN = "the database wrote no row: check its tables for triggers and rules"
MAX_PAUSE = 0.05


T_co = TypeVar("T_co", covariant=True)


class Change(Protocol[E, T_co]):
    """A retryable write; `unacknowledged` is the entity whose write got no response, if any."""

    unacknowledged: E | None

    def __call__(self, rows: Rows[E]) -> T_co:
        """Write, unless an earlier attempt has written."""
        ...


class Insert(Generic[E]):
    """Inserts a new entity. Its id is unique, so a row with this id is this entity."""

    def __init__(self, entity: E) -> None:
        self._entity = entity
        self.unacknowledged: E | None = None

    def __call__(self, rows: Rows[E]) -> E:
        """Insert the row, once."""
        is_retry, self.unacknowledged = self.unacknowledged is not None, self._entity
        try:
            inserted = write(
                rows, rows.mapping.insert, rows.mapping.insert_parameters(self._entity)
            )
        except DBAPIError as error:
            if not is_retry or not self._is_there(rows, error):
                raise
            return self._entity
        if not inserted:
            raise Unavailable(NO_ROW_WRITTEN)
        return self._entity

    def _is_there(self, rows: Rows[E], error: DBAPIError) -> bool:
        """Return whether an earlier attempt has inserted the row.

        If the database has become read-only, look for the row.
        """
        if is_unique_violation(error):
            return True
        if error.connection_invalidated:
            return False
        return bool(rows.mapping.select.rows(rows.session, entity_id=self._entity.id))


class CompareAndSwap(Generic[E]):
    """Replaces an entity with the result of a step, if its version has not changed meanwhile."""

    def __init__(self, entity_id: UUID, step: Step[E], clock: Clock) -> None:
        self._entity_id = entity_id
        self._step = step
        self._clock = clock
        self.unacknowledged: E | None = None

    def __call__(self, rows: Rows[E]) -> E:
        """Return the entity after the step, or raise `EntityNotFound` and what the step raises."""
        for _ in range(MAX_CAS_ATTEMPTS):
            before = self._find(rows)
            after = self.unacknowledged or self._step(before, self._clock())
            if after == before or self._replace(rows, before, after):
                return after
        raise Unavailable(TOO_CONTENDED)

    def _find(self, rows: Rows[E]) -> E:
        """Return the entity. Forget the unacknowledged write if another write took its version."""
        try:
            found = rows.find(self._entity_id)
        except EntityNotFound:
            self._require_known_outcome(self.unacknowledged is None)
            raise
        if self.unacknowledged is not None and found != self.unacknowledged:
            self._require_known_outcome(found.version <= self.unacknowledged.version)
            if found.version == self.unacknowledged.version:
                self.unacknowledged = None
        return found

    def _require_known_outcome(self, is_known: bool) -> None:
        if not is_known:
            raise Unavailable("it was changed by another request meanwhile", "unknown")

    def _replace(self, rows: Rows[E], before: E, after: E) -> bool:
        previous, self.unacknowledged = self.unacknowledged, after
        replaced = write(rows, rows.mapping.update, rows.mapping.update_parameters(before, after))
        self.unacknowledged = previous
        return replaced


class Delete(Generic[E]):
    """Deletes an entity, if its precondition holds for the version that is deleted."""

    def __init__(self, entity_id: UUID, precondition: Precondition[E] | None) -> None:
        self._entity_id = entity_id
        self._precondition = precondition
        self.unacknowledged: E | None = None

    def __call__(self, rows: Rows[E]) -> None:
        """Delete the row, or raise `EntityNotFound` and what the precondition raises."""
        for _ in range(MAX_CAS_ATTEMPTS):
            try:
                entity = rows.find(self._entity_id)
            except EntityNotFound:
                if self.unacknowledged is None:
                    raise
                return
            if self._precondition is not None:
                self._precondition(entity)
            if self._delete(rows, entity):
                return
        raise Unavailable(TOO_CONTENDED)

    def _delete(self, rows: Rows[E], entity: E) -> bool:
        # Ids are never reused: an entity at another version proves that the delete did not happen.
        previous = self.unacknowledged if self.unacknowledged == entity else None
        self.unacknowledged = entity
        parameters = rows.mapping.version_parameters(entity)
        try:
            with savepoint(rows.session) as session:
                deleted = write(rows._replace(session=session), rows.mapping.delete, parameters)
        except DBAPIError as error:
            if is_foreign_key_violation(error.orig):
                raise EntityInUse from error
            raise
        self.unacknowledged = previous
        return deleted


def replace_all(rows: Rows[E], pairs: Sequence[tuple[E, E]]) -> bool:
    """Replace entities by others, all at once; return whether each was as it had been read."""
    parameters = [
        rows.mapping.update_parameters(before, after) for before, after in pairs if after != before
    ]
    return rows.mapping.update.count_all(rows.session, parameters) == len(parameters)


def delete_all(rows: Rows[E], entities: Sequence[E]) -> None:
    """Delete entities in this order, all at once, at whatever version."""
    parameters = [{"entity_id": entity.id} for entity in entities]
    rows.mapping.delete_any_version.count_all(rows.session, parameters)


def write(rows: Rows[Any], statement: Statement, values: dict[str, Any]) -> bool:
    """Execute `statement`, and again after a serialization failure; return if it wrote a row."""
    for _ in range(rows.max_retries):
        try:
            return statement.count(rows.session, **values) == 1
        except DBAPIError as error:
            if not is_serialization_failure(error):
                raise
            sleep(uniform(0, MAX_PAUSE))  # noqa: S311
    return statement.count(rows.session, **values) == 1
