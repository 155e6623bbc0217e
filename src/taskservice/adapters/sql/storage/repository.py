"""The SQL storage adapter: opens workspaces, and stores entities in their tables."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.retries import retry_on_disconnect
from taskservice.adapters.sql.connection.sessions import (
    OpenSession,
    autocommit_session,
    join_transaction,
    transaction,
    with_deadline,
)
from taskservice.adapters.sql.storage.idempotency import SqlIdempotencyStore
from taskservice.adapters.sql.storage.labels import LABELS
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.retryable_writes import Change, CompareAndSwap, Delete, Insert
from taskservice.adapters.sql.storage.rows import Rows
from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import E, Step
from taskservice.core.errors import Outcome, StorageFull, Unavailable
from taskservice.core.idempotency import IdempotencyStore
from taskservice.core.ids import NewId, TimeOrderedIds
from taskservice.core.labels import LabelCount, count_labels
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, Query
from taskservice.core.task import Task
from taskservice.core.workspace import Workspace

T = TypeVar("T")

MAX_RETRIES = 3


class SqlStorage:
    """The data of all owners in one database; `open_workspace` is the port. Thread-safe.

    `engine` comes from `pooled_engine`, over a database at a current schema.
    """

    def __init__(
        self, engine: Engine, clock: Clock = system_clock, new_id: NewId | None = None
    ) -> None:
        self._engine = engine
        self._clock = clock
        self._new_id = new_id or TimeOrderedIds()

    @contextmanager
    def open_workspace(self, owner: str, *, atomic: bool = False) -> Iterator[Workspace]:
        """Yield the workspace of `owner`; see `OpenWorkspace`."""

        def is_committed() -> bool:
            return self._is_committed(owner, workspace.idempotency)

        if atomic:
            with transaction(self._engine, owner, is_committed) as connection:
                open_session = partial(join_transaction, Session(connection, owner))
                workspace = self._workspace(owner, open_session, max_retries=0)
                yield workspace
        else:
            open_session = partial(autocommit_session, self._engine, owner)
            yield self._workspace(owner, open_session, max_retries=MAX_RETRIES)

    def _workspace(self, owner: str, open_session: OpenSession, *, max_retries: int) -> Workspace:
        context = _Context(
            owner,
            open_session,
            with_deadline(open_session, self._engine),
            self._clock,
            self._new_id,
            max_retries,
        )
        return Workspace(
            lambda entity_type: _repository_type(entity_type)(entity_type, context),
            SqlIdempotencyStore(open_session, self._clock),
        )

    def _is_committed(self, owner: str, store: IdempotencyStore) -> bool:
        """Return whether the idempotency records of an ended transaction are committed."""
        assert isinstance(store, SqlIdempotencyStore)
        with autocommit_session(self._engine, owner) as session:
            return store.is_committed(session)


class _Context(NamedTuple):
    """What the repositories of a workspace share.

    `list` uses `open_query_session`, which has a deadline on SQLite too. With
    autocommit, a method retries after a serialization failure or a lost connection.
    In a transaction it does not, as nothing is committed yet.
    """

    owner: str
    open_session: OpenSession
    open_query_session: OpenSession
    clock: Clock
    new_id: NewId
    max_retries: int


class SqlRepository(Generic[E]):
    """One owner's entities of one type; each method runs in a session of its context."""

    def __init__(self, entity_type: type[E], context: _Context) -> None:
        self._type = entity_type
        self._mapping = mapping_of(entity_type)
        self._context = context

    def add(self, new: Any) -> E:
        """Store a new entity."""
        context = self._context
        return self._write(
            Insert(self._type.create(context.owner, context.clock(), context.new_id, new))
        )

    def get(self, entity_id: UUID) -> E:
        """Return the entity."""
        return self._read(lambda rows: rows.find(entity_id), self._context.open_session)

    def list(self, query: Query[E]) -> Page[E]:
        """Return a page."""
        return self._read(lambda rows: rows.page(query), self._context.open_query_session)

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        """Replace the entity by the result of a step."""
        return self._write(CompareAndSwap(entity_id, step, self._context.clock))

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        """Delete the entity."""
        self._write(Delete(entity_id, precondition))

    def _run(
        self,
        operation: Callable[[Rows[E]], T],
        open_session: OpenSession,
        on_disconnect: Outcome,
    ) -> T:
        max_retries = self._context.max_retries

        def attempt() -> T:
            with translate_errors(on_disconnect), open_session() as session:
                return operation(Rows(self._mapping, session, max_retries))

        return retry_on_disconnect(attempt) if max_retries else attempt()

    def _read(self, operation: Callable[[Rows[E]], T], open_session: OpenSession) -> T:
        try:
            return self._run(operation, open_session, "not_applied")
        except StorageFull as error:
            # A read needs disk space too: for SQLite's WAL index, or PostgreSQL's temporary files.
            raise Unavailable(str(error)) from error

    def _write(self, change: Change[E, T]) -> T:
        try:
            return self._run(change, self._context.open_session, "unknown")
        except Unavailable as error:
            if change.unacknowledged is None or not self._context.max_retries:
                error.outcome = "not_applied"
            raise


class SqlTasks(SqlRepository[Task]):
    """One owner's tasks."""

    def count_labels(self) -> Sequence[LabelCount]:
        """Count the labels, each spelling by itself in the database."""
        counts = self._read(_label_rows, self._context.open_query_session)
        return count_labels(((label,), int(opened), int(all_)) for label, opened, all_ in counts)


def _label_rows(rows: Rows[Any]) -> list[Sequence[Any]]:
    return LABELS[rows.session.connection.dialect.name].rows(rows.session)


def _repository_type(entity_type: type[Any]) -> type[SqlRepository[Any]]:
    return SqlTasks if entity_type is Task else SqlRepository
