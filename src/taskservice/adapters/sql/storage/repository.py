"""The SQL storage adapter: opens workspaces, and stores entities in their tables."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
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
    snapshot,
    transaction,
    with_deadline,
)
from taskservice.adapters.sql.storage.idempotency import SqlIdempotencyStore
from taskservice.adapters.sql.storage.labels import LABELS
from taskservice.adapters.sql.storage.log import LoggedWrite
from taskservice.adapters.sql.storage.log_queries import SqlChangeLog
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.retryable_writes import (
    NO_VALUES,
    CompareAndSwap,
    Delete,
    Insert,
    Write,
)
from taskservice.adapters.sql.storage.rows import Rows
from taskservice.adapters.sql.storage.trash import RESTORE, TRASH
from taskservice.adapters.sql.storage.trees import DESCENDANTS, NO_LIMIT, ids_parameter
from taskservice.adapters.sql.storage.write_buffer import Waiting, WriteBuffer
from taskservice.adapters.sql.storage.written import Written
from taskservice.core.changes import UNKNOWN_ORIGIN, Change, DescribeChange, Origin
from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import E, Entity, Step, references_of, refers
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
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import Workspace, entity_type

T = TypeVar("T")

MAX_RETRIES = 3
NOT_LOCKED = "entities were changed meanwhile: their workspace was not locked"


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
        self._new_change_id = TimeOrderedIds()

    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        """Yield the workspace of `owner`; see `OpenWorkspace`."""
        describe = DescribeChange(self._new_change_id, origin)
        if not atomic:
            open_session = partial(autocommit_session, self._engine, owner)
            yield self._workspace(owner, open_session, describe, Written())
            return
        written = Written()
        with transaction(self._engine, owner, written.is_committed) as connection:
            buffer = WriteBuffer(Session(connection, owner))
            workspace = self._workspace(owner, buffer.open_session, describe, written, buffer)
            yield workspace._replace(
                lock=buffer.lock,
                savepoint=partial(_savepoint, buffer, written),
                count_changes=lambda: written.count,
            )
            buffer.flush()

    @contextmanager
    def open_snapshot(self, owner: str) -> Iterator[Workspace]:
        """Yield the workspace of `owner` for reads that all see the same state."""
        with snapshot(self._engine, owner) as connection:
            buffer = WriteBuffer(Session(connection, owner))
            describe = DescribeChange(self._new_change_id, UNKNOWN_ORIGIN)
            yield self._workspace(owner, buffer.open_session, describe, Written(), buffer)

    def _workspace(
        self,
        owner: str,
        open_session: OpenSession,
        describe: DescribeChange,
        written: Written,
        buffer: WriteBuffer | None = None,
    ) -> Workspace:
        open_query_session = with_deadline(open_session, self._engine)
        context = _Context(
            owner=owner,
            open_session=open_session,
            open_query_session=open_query_session,
            clock=self._clock,
            new_id=self._new_id,
            describe=describe,
            max_retries=0 if buffer else MAX_RETRIES,
            written=written,
            buffer=buffer,
        )
        return Workspace(
            lambda one: _REPOSITORY_TYPES.get(one, SqlRepository)(one, context),
            SqlIdempotencyStore(open_session, self._clock, written.keys),
            self._new_id,
            SqlChangeLog(lambda query: context.read(query, open_query_session)),
            self._clock,
        )


class _Context(NamedTuple):
    """What the repositories of a workspace share.

    `list` uses `open_query_session`, which has a deadline on SQLite too. With
    autocommit, a method retries after a serialization failure or a lost connection.
    In a transaction it does not, as nothing is committed yet, and new entities wait in the
    `buffer`.
    """

    owner: str
    open_session: OpenSession
    open_query_session: OpenSession
    clock: Clock
    new_id: NewId
    describe: DescribeChange
    max_retries: int
    written: Written
    buffer: WriteBuffer | None

    def run(
        self,
        operation: Callable[[Session], T],
        open_session: OpenSession,
        on_disconnect: Outcome = "not_applied",
    ) -> T:
        """Return the result of an operation in a session of its own."""

        def attempt() -> T:
            with translate_errors(on_disconnect), open_session() as session:
                return operation(session)

        return retry_on_disconnect(attempt) if self.max_retries else attempt()

    def read(self, operation: Callable[[Session], T], open_session: OpenSession) -> T:
        """Return the result of a query."""
        try:
            return self.run(operation, open_session)
        except StorageFull as error:
            # A read needs disk space too: for SQLite's WAL index, or PostgreSQL's temporary files.
            raise Unavailable(str(error)) from error


class SqlRepository(Generic[E]):
    """One owner's entities of one type; each method runs in a session of its context."""

    def __init__(self, entity_type: type[E], context: _Context) -> None:
        self._type = entity_type
        self._mapping = mapping_of(entity_type)
        self._context = context

    def add(self, new: Any) -> E:
        """Store a new entity."""
        context = self._context
        return self._insert(self._type.create(context.owner, context.clock(), context.new_id, new))

    def insert(self, entity: E) -> None:
        """Store an entity."""
        self._insert(entity)

    def _insert(self, entity: E) -> E:
        buffer, describe = self._context.buffer, self._context.describe
        if buffer is None or not buffer.is_locked or refers(entity):
            return self._write(Insert(entity, describe))
        change = describe.creation(entity, entity.updated_at)
        buffer.add(Waiting(self._mapping.insert, change, self._mapping.insert_parameters(entity)))
        self._context.written.add([change])
        return entity

    def get(self, entity_id: UUID) -> E:
        """Return the entity."""
        return self._read(lambda rows: rows.find(entity_id), self._context.open_session)

    def list(self, query: Query[E]) -> Page[E]:
        """Return a page."""
        return self._read(lambda rows: rows.page(query), self._context.open_query_session)

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        """Replace the entity by the result of a step."""
        context = self._context
        return self._write(CompareAndSwap(entity_id, step, context.clock, context.describe))

    def change_all(self, entities: Sequence[E], step: Step[E]) -> None:
        """Replace the entities, all at once."""
        now = self._context.clock()
        pairs = [(one, after) for one in entities if (after := step(one, now)) != one]
        changes = [self._context.describe.edit(*pair) for pair in pairs]
        values = [self._mapping.update_parameters(*pair) for pair in pairs]
        try:
            self._write_all(self._mapping.update, changes, values)
        except DBAPIError as error:
            raise self._reference_error(error, pairs[0][1]) from error

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        """Delete the entity."""
        self._remove(entity_id, precondition, self._mapping.delete)

    def remove_all(self, entities: Sequence[E]) -> None:
        """Delete the entities, all at once."""
        values = map(self._mapping.version_parameters, entities)
        self._remove_all(self._mapping.delete, entities, [*values])

    def _remove(
        self,
        entity_id: UUID,
        precondition: Precondition[E] | None,
        write: LoggedWrite,
        values: Mapping[str, Any] = NO_VALUES,
    ) -> None:
        context = self._context
        clock, describe = context.clock, context.describe
        delete = Delete(entity_id, precondition, clock, describe, write=write, values=values)
        self._write(delete)

    def _remove_all(
        self, write: LoggedWrite, entities: Sequence[E], values: Sequence[dict[str, Any]]
    ) -> None:
        now = self._context.clock()
        changes = [self._context.describe.removal(one, now) for one in entities]
        try:
            self._write_all(write, changes, values)
        except DBAPIError as error:
            if is_foreign_key_violation(error.orig):
                raise EntityInUse from error
            raise

    def _write_all(
        self, write: LoggedWrite, changes: Sequence[Change], values: Sequence[dict[str, Any]]
    ) -> None:
        writes = [*zip(changes, values, strict=True)]
        context = self._context
        count = context.run(lambda session: write.count_all(session, writes), context.open_session)
        if count != len(writes):
            raise Unavailable(NOT_LOCKED)
        context.written.add(changes)

    def _rows(self, session: Session) -> Rows[E]:
        return Rows(self._mapping, session, self._context.max_retries)

    def _read(self, operation: Callable[[Rows[E]], T], open_session: OpenSession) -> T:
        return self._context.read(lambda session: operation(self._rows(session)), open_session)

    def _write(self, write: Write[E, T]) -> T:
        try:
            result = self._context.run(
                lambda session: write(self._rows(session)), self._context.open_session, "unknown"
            )
        except Unavailable as error:
            if write.unacknowledged is None or not self._context.max_retries:
                error.outcome = "not_applied"
            raise
        except DBAPIError as error:
            raise self._reference_error(error, write.unacknowledged) from error
        if write.change is not None:
            self._context.written.add([write.change])
        return result

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


@contextmanager
def _savepoint(buffer: WriteBuffer, written: Written) -> Iterator[None]:
    with written.undone_on_error(), buffer.savepoint():
        yield


class SqlTasks(SqlRepository[Task]):
    """One owner's tasks."""

    def descendants(self, task_ids: Collection[UUID], limit: int | None = None) -> Sequence[Task]:
        """Return the sub-tasks of the tasks, and theirs."""
        row_limit = NO_LIMIT if limit is None else limit
        found = partial(_descendants, task_ids, row_limit)
        return self._read(found, self._context.open_query_session)

    def count_labels(self) -> Sequence[LabelCount]:
        """Count the labels, each spelling by itself in the database."""
        counts = self._read(_label_rows, self._context.open_query_session)
        return count_labels(((label,), int(opened), int(all_)) for label, opened, all_ in counts)

    def count_by_list(self, query: TaskQuery) -> Mapping[UUID | None, int]:
        """Count the tasks by list."""
        return self._read(lambda rows: rows.count_by_list(query), self._context.open_query_session)

    def trash(self, task_id: UUID, precondition: Precondition[Task] | None = None) -> None:
        """Move the task to the trash."""
        self._remove(task_id, precondition, TRASH, {"trashed_with": None})

    def trash_all(self, tasks: Sequence[Task], roots: Mapping[UUID, UUID]) -> None:
        """Move the tasks to the trash, all at once."""
        values = [
            {**self._mapping.version_parameters(one), "trashed_with": roots.get(one.id)}
            for one in tasks
        ]
        self._remove_all(TRASH, tasks, values)


class SqlTrash(SqlRepository[TrashedTask]):
    """One owner's trash."""

    def restore_all(
        self, tasks: Sequence[TrashedTask], step: Callable[[TrashedTask, datetime], Task]
    ) -> None:
        """Put the tasks back, all at once."""
        now, of_task = self._context.clock(), mapping_of(Task)
        pairs = [(one, step(one, now)) for one in tasks]
        changes = [self._context.describe.restoration(one.task, task) for one, task in pairs]
        values = [
            {**self._mapping.version_parameters(one), **of_task.insert_parameters(task)}
            for one, task in pairs
        ]
        self._write_all(RESTORE, changes, values)


def _descendants(task_ids: Collection[UUID], row_limit: int, rows: Rows[Task]) -> list[Task]:
    dialect = rows.session.connection.dialect.name
    ids = ids_parameter(dialect, task_ids)
    found = DESCENDANTS[dialect].rows(rows.session, task_ids=ids, row_limit=row_limit)
    return [rows.mapping.from_row(row) for row in found]


def _label_rows(rows: Rows[Any]) -> list[Sequence[Any]]:
    return LABELS[rows.session.connection.dialect.name].rows(rows.session)


_REPOSITORY_TYPES: dict[type[Any], type[SqlRepository[Any]]] = {
    Task: SqlTasks,
    TrashedTask: SqlTrash,
}
