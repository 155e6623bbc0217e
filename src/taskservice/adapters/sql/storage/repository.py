"""The SQL storage adapter: opens workspaces, and stores entities in their tables."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from taskservice.adapters.sql.connection.compiled_statements import Session
from taskservice.adapters.sql.connection.error_codes import is_foreign_key_violation
from taskservice.adapters.sql.connection.errors import translate_errors, violated_constraint
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
from taskservice.adapters.sql.storage.last_write import LastWrite
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.retryable_writes import (
    Change,
    CompareAndSwap,
    Delete,
    Insert,
    delete_all,
    replace_all,
)
from taskservice.adapters.sql.storage.rows import Rows
from taskservice.adapters.sql.storage.trees import DESCENDANTS, NO_LIMIT, lock_workspace
from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import E, Entity, Step, references_of
from taskservice.core.errors import (
    EntityInUse,
    FieldError,
    InvalidEntity,
    Outcome,
    StorageFull,
    Unavailable,
)
from taskservice.core.ids import NewId, TimeOrderedIds
from taskservice.core.labels import LabelCount, count_labels
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, Query
from taskservice.core.task import Task
from taskservice.core.workspace import Workspace, entity_type

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
        if not atomic:
            open_session = partial(autocommit_session, self._engine, owner)
            yield self._workspace(owner, open_session, LastWrite(), max_retries=MAX_RETRIES)
            return

        def is_committed() -> bool | None:
            with autocommit_session(self._engine, owner) as session:
                store = workspace.idempotency
                assert isinstance(store, SqlIdempotencyStore)
                return (store if store.is_used else last_write).is_committed(session)

        last_write = LastWrite()
        with transaction(self._engine, owner, is_committed) as connection:
            open_session = partial(join_transaction, Session(connection, owner))
            workspace = self._workspace(owner, open_session, last_write, max_retries=0)
            yield workspace

    def _workspace(
        self, owner: str, open_session: OpenSession, last_write: LastWrite, *, max_retries: int
    ) -> Workspace:
        context = _Context(
            owner,
            open_session,
            with_deadline(open_session, self._engine),
            self._clock,
            self._new_id,
            max_retries,
            last_write,
        )
        return Workspace(
            lambda entity_type: _repository_type(entity_type)(entity_type, context),
            SqlIdempotencyStore(open_session, self._clock),
            partial(lock_workspace, open_session),
            self._new_id,
        )


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
    last_write: LastWrite


class SqlRepository(Generic[E]):
    """One owner's entities of one type; each method runs in a session of its context."""

    def __init__(self, entity_type: type[E], context: _Context) -> None:
        self._type = entity_type
        self._mapping = mapping_of(entity_type)
        self._context = context

    def add(self, new: Any) -> E:
        """Store a new entity."""
        context = self._context
        entity = self._type.create(context.owner, context.clock(), context.new_id, new)
        return self._recorded(self._write(Insert(entity)))

    def insert(self, entity: E) -> None:
        """Store an entity. It is no evidence of a COMMIT, as another write could remove it."""
        self._write(Insert(entity))

    def get(self, entity_id: UUID) -> E:
        """Return the entity."""
        return self._read(lambda rows: rows.find(entity_id), self._context.open_session)

    def list(self, query: Query[E]) -> Page[E]:
        """Return a page."""
        return self._read(lambda rows: rows.page(query), self._context.open_query_session)

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        """Replace the entity by the result of a step."""
        return self._recorded(self._write(CompareAndSwap(entity_id, step, self._context.clock)))

    def change_all(self, entities: Sequence[E], step: Step[E]) -> None:
        """Replace the entities, each again by itself if one of them has changed meanwhile."""
        now = self._context.clock()
        pairs = [(one, step(one, now)) for one in entities]
        try:
            if self._run(lambda rows: replace_all(rows, pairs), self._context.open_session):
                self._context.last_write.update(after for _, after in pairs)
                return
        except DBAPIError as error:
            raise self._reference_error(error, pairs[0][1]) from error
        for one in entities:
            with suppress(self._type.not_found):
                self.change(one.id, step)

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        """Delete the entity."""
        self._write(Delete(entity_id, precondition))
        self._context.last_write.record(self._mapping, entity_id, None)

    def remove_all(self, entities: Sequence[E]) -> None:
        """Delete the entities."""
        try:
            self._run(lambda rows: delete_all(rows, entities), self._context.open_session)
        except DBAPIError as error:
            if is_foreign_key_violation(error.orig):
                raise EntityInUse from error
            raise

    def _recorded(self, entity: E) -> E:
        self._context.last_write.record(self._mapping, entity.id, entity)
        return entity

    def _run(
        self,
        operation: Callable[[Rows[E]], T],
        open_session: OpenSession,
        on_disconnect: Outcome = "not_applied",
    ) -> T:
        max_retries = self._context.max_retries

        def attempt() -> T:
            with translate_errors(on_disconnect), open_session() as session:
                return operation(Rows(self._mapping, session, max_retries))

        return retry_on_disconnect(attempt) if max_retries else attempt()

    def _read(self, operation: Callable[[Rows[E]], T], open_session: OpenSession) -> T:
        try:
            return self._run(operation, open_session)
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
        except DBAPIError as error:
            raise self._reference_error(error, change.unacknowledged) from error

    def _reference_error(self, error: DBAPIError, entity: E | None) -> InvalidEntity | Unavailable:
        """Return the error of references to nothing, or raise another one again.

        SQLite does not tell which references they are.
        """
        if not is_foreign_key_violation(error.orig):
            raise error
        constraint, kinds = violated_constraint(error), references_of(self._type)
        named = [FieldError(n, one.missing_error) for n, one in kinds.items() if n in constraint]
        errors = named or [*self._type.missing_references(vars(entity), self._find)]
        return InvalidEntity(errors) if errors else Unavailable("a reference was to nothing")

    def _find(self, type_name: str, entity_id: UUID) -> Entity | None:
        found = entity_type(type_name)
        assert found is not None
        with suppress(found.not_found):
            return SqlRepository(found, self._context).get(entity_id)
        return None


class SqlTasks(SqlRepository[Task]):
    """One owner's tasks."""

    def descendants(self, task_id: UUID, limit: int | None = None) -> Sequence[Task]:
        """Return the sub-tasks of the task, and theirs."""
        values = {"task_id": task_id, "row_limit": NO_LIMIT if limit is None else limit}
        return self._read(partial(_descendants, values), self._context.open_query_session)

    def count_labels(self) -> Sequence[LabelCount]:
        """Count the labels, each spelling by itself in the database."""
        counts = self._read(_label_rows, self._context.open_query_session)
        return count_labels(((label,), int(opened), int(all_)) for label, opened, all_ in counts)


def _descendants(values: dict[str, Any], rows: Rows[Task]) -> list[Task]:
    found = DESCENDANTS[rows.session.connection.dialect.name].rows(rows.session, **values)
    return [rows.mapping.from_row(row) for row in found]


def _label_rows(rows: Rows[Any]) -> list[Sequence[Any]]:
    return LABELS[rows.session.connection.dialect.name].rows(rows.session)


def _repository_type(entity_type: type[Any]) -> type[SqlRepository[Any]]:
    return SqlTasks if entity_type is Task else SqlRepository
