"""Optimistic writes of one entity that can be retried after a lost connection.

Each keeps the change that got no response, and looks for it in the log. So it knows whether
that was committed, whatever others have written since.
"""

from collections.abc import Mapping
from random import uniform
from time import sleep
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.error_codes import is_foreign_key_violation
from taskservice.adapters.sql.connection.errors import is_serialization_failure
from taskservice.adapters.sql.connection.sessions import savepoint
from taskservice.adapters.sql.storage.heads import add_head, locked_transaction
from taskservice.adapters.sql.storage.log import LoggedWrite, is_logged
from taskservice.adapters.sql.storage.rows import Rows
from taskservice.core.changes import Change, DescribeChange
from taskservice.core.clock import Clock
from taskservice.core.entity import E, Step
from taskservice.core.errors import EntityInUse, EntityNotFound, Unavailable
from taskservice.core.preconditions import Precondition

MAX_CAS_ATTEMPTS = 100
"""How often a compare-and-swap is tried; each round one of the concurrent writers succeeds."""
TOO_CONTENDED = "too many concurrent changes of this entity"
NO_ROW_WRITTEN = "the database wrote no row: check its tables for triggers and rules"
MAX_PAUSE = 0.05
NO_VALUES: Mapping[str, Any] = {}


T_co = TypeVar("T_co", covariant=True)


class Write(Protocol[E, T_co]):
    """A retryable write.

    `change` is the one that it made or sent last, None before that, and `unacknowledged` the
    entity that was sent with it and got no response, if any.
    """

    change: Change | None
    unacknowledged: E | None

    def __call__(self, rows: Rows[E]) -> T_co:
        """Write, unless an earlier attempt has written."""
        ...


class _RetryableWrite(Generic[E]):
    """What a write of one entity remembers of its attempts."""

    def __init__(self, entity_id: UUID, describe: DescribeChange) -> None:
        self._entity_id = entity_id
        self._describe = describe
        self._before: E | None = None
        self.change: Change | None = None
        self.unacknowledged: E | None = None

    def _find(self, rows: Rows[E]) -> E | None:
        """Return the entity, None if the write that got no response was committed.

        If another write has taken its version, the one without a response cannot succeed.
        """
        try:
            found = rows.find(self._entity_id)
        except EntityNotFound:
            if self._is_committed(rows):
                return None
            raise
        if self._is_committed(rows):
            return None
        if found != self._before:
            self.unacknowledged = self.change = None
        return found

    def _is_committed(self, rows: Rows[E]) -> bool:
        """Return whether the write that got no response was committed."""
        if self.unacknowledged is None:
            return False
        assert self.change is not None
        return is_logged(rows.session, self.change)

    def _send(self, rows: Rows[E], write: LoggedWrite, sent: E, values: dict[str, Any]) -> bool:
        """Return whether a row was written. If it raises, the write has got no response."""
        assert self.change is not None
        previous, self.unacknowledged = self.unacknowledged, sent
        is_written = _write(rows, write, self.change, values)
        self.unacknowledged = previous
        return is_written


class Insert(_RetryableWrite[E]):
    """Inserts a new entity."""

    def __init__(self, entity: E, describe: DescribeChange) -> None:
        super().__init__(entity.id, describe)
        self._entity = entity
        self.change = describe.creation(entity, entity.updated_at)

    def __call__(self, rows: Rows[E]) -> E:
        """Insert the row. A retry inserts it only if the first attempt cannot do so any more."""
        if self.unacknowledged is None:
            self._insert(rows)
        elif not self._is_committed(rows):
            with locked_transaction(rows.session) as session:
                if not self._is_committed(rows._replace(session=session)):
                    self._insert(rows._replace(session=session))
        return self._entity

    def _insert(self, rows: Rows[E]) -> None:
        values = rows.mapping.insert_parameters(self._entity)
        if not self._send(rows, rows.mapping.insert, self._entity, values):
            raise Unavailable(NO_ROW_WRITTEN)


class CompareAndSwap(_RetryableWrite[E]):
    """Replaces an entity with the result of a step, if its version has not changed meanwhile."""

    def __init__(
        self, entity_id: UUID, step: Step[E], clock: Clock, describe: DescribeChange
    ) -> None:
        super().__init__(entity_id, describe)
        self._step = step
        self._clock = clock

    def __call__(self, rows: Rows[E]) -> E:
        """Return the entity after the step, or raise `EntityNotFound` and what the step raises."""
        for _ in range(MAX_CAS_ATTEMPTS):
            found = self._find(rows)
            after = self.unacknowledged or self._step(found, self._clock())  # type: ignore[arg-type]
            if found is None or after == found or self._replace(rows, found, after):
                return after
            add_head(rows.session)
        raise Unavailable(TOO_CONTENDED)

    def _replace(self, rows: Rows[E], before: E, after: E) -> bool:
        if self.unacknowledged is None:
            self._before, self.change = before, self._describe.edit(before, after)
        values = rows.mapping.update_parameters(before, after)
        return self._send(rows, rows.mapping.update, after, values)


class Delete(_RetryableWrite[E]):
    """Deletes an entity, if its precondition holds for the version that is deleted.

    `write` is the statement, and `values` are its parameters beside the version.
    """

    def __init__(
        self,
        entity_id: UUID,
        precondition: Precondition[E] | None,
        clock: Clock,
        describe: DescribeChange,
        *,
        write: LoggedWrite,
        values: Mapping[str, Any] = NO_VALUES,
    ) -> None:
        super().__init__(entity_id, describe)
        self._precondition = precondition
        self._clock = clock
        self._write = write
        self._values = values

    def __call__(self, rows: Rows[E]) -> None:
        """Delete the row, or raise `EntityNotFound` and what the precondition raises."""
        for _ in range(MAX_CAS_ATTEMPTS):
            found = self._find(rows)
            if found is None:
                return
            if self._precondition is not None:
                self._precondition(found)
            if self._delete(rows, found):
                return
            add_head(rows.session)
        raise Unavailable(TOO_CONTENDED)

    def _delete(self, rows: Rows[E], entity: E) -> bool:
        if self.unacknowledged is None:
            self._before, self.change = entity, self._describe.removal(entity, self._clock())
        values = {**rows.mapping.version_parameters(entity), **self._values}
        try:
            with savepoint(rows.session) as session:
                return self._send(rows._replace(session=session), self._write, entity, values)
        except DBAPIError as error:
            if is_foreign_key_violation(error.orig):
                raise EntityInUse from error
            raise


def _write(rows: Rows[Any], write: LoggedWrite, change: Change, values: dict[str, Any]) -> bool:
    """Write a row, and again after a serialization failure; return whether there was one."""
    for _ in range(rows.max_retries):
        try:
            return write.count(rows.session, change, values) == 1
        except DBAPIError as error:
            if not is_serialization_failure(error):
                raise
            sleep(uniform(0, MAX_PAUSE))  # noqa: S311
    return write.count(rows.session, change, values) == 1
