"""The storage ports: opening one owner's workspace yields repositories and idempotency records."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime
from typing import Any, NamedTuple, NoReturn, Protocol, TypeVar
from uuid import UUID

from taskservice.core.changes import UNKNOWN_ORIGIN, ChangeLog, Origin
from taskservice.core.clock import Clock, system_clock
from taskservice.core.entity import E, Entity, Step
from taskservice.core.errors import EntityNotFound
from taskservice.core.idempotency import IdempotencyStore
from taskservice.core.ids import NewId
from taskservice.core.labels import LabelCount
from taskservice.core.preconditions import Precondition, checked
from taskservice.core.query import Page, Query
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashedTask

_New_contra = TypeVar("_New_contra", contravariant=True)

ENTITY_TYPES: tuple[type[Entity], ...] = (TaskList, Task)
"""All types of entities that clients keep, each behind those that it refers to."""

STORED_TYPES: tuple[type[Entity], ...] = (*ENTITY_TYPES, TrashedTask)
"""All types of entities that are stored."""

_TYPES = {one.type_name: one for one in STORED_TYPES}


def entity_type(name: str) -> type[Entity] | None:
    """Return the type of entities with this `type_name`, None if this version has none."""
    return _TYPES.get(name)


class Reader(Protocol[E]):
    """Reads one owner's entities of one type."""

    def get(self, entity_id: UUID) -> E:
        """Return the owner's entity, or raise its `EntityNotFound`."""
        ...

    def list(self, query: Query[E]) -> Page[E]:
        """Return the page of the owner's entities that `query` describes."""
        ...


class Repository(Reader[E], Protocol[E, _New_contra]):
    """One owner's entities of one type.

    `add` takes an instance of the class of their settable fields. Each method
    is atomic, and its changes are durable when it returns. Each change of an
    entity is a change in the log, in the same transaction; see `core.changes`. Another
    owner's entity is not found, as if its id had never been used. Any method
    raises `Unavailable` if the storage cannot be reached.
    """

    def add(self, new: _New_contra) -> E:
        """Store a new entity and return it, or raise `InvalidEntity` with all errors.

        A reference to an entity that the owner does not have is an error; see
        `Entity.missing_references`.
        """
        ...

    def insert(self, entity: E) -> None:
        """Store a new entity that was made already, with all its fields.

        It needs a workspace that was opened with `atomic=True`.
        """
        ...

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        """Replace the owner's entity by `step(entity, now)` and return that.

        Raises its `EntityNotFound`. Changes to one entity are serialized: no
        update is lost. A step may run more than once, so it must have no side
        effects. If it returns an equal entity, nothing is written. If it raises,
        nothing is written and the exception propagates, such as the
        `StaleEntity` of a precondition. Raises `InvalidEntity` for a reference, as
        `add` does.
        """
        ...

    def change_all(self, entities: Sequence[E], step: Step[E]) -> None:
        """Replace each of the owner's entities by `step(entity, now)`, as `change` does.

        It needs a workspace that is locked, and entities as they are stored.
        """
        ...

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        """Delete the owner's entity for good, or raise its `EntityNotFound`.

        The log keeps none of its values. `precondition` is checked on the version that is
        deleted. If it raises, nothing is deleted. It may be called more than once. Raises
        `EntityInUse` if another entity refers to it; a transaction goes on then.
        """
        ...

    def remove_all(self, entities: Sequence[E]) -> None:
        """Delete the owner's entities for good, in this order.

        It needs a workspace that is locked, and entities as they are stored. Raises
        `EntityInUse` if another entity refers to one; the transaction cannot go on then.
        """
        ...


def get_checked(repository: Reader[E], entity_id: UUID, precondition: Precondition[E] | None) -> E:
    """Return an entity. Raises its `EntityNotFound`, then what the precondition raises."""
    return checked(repository.get(entity_id), precondition)


def all_pages(repository: Reader[E], query: Query[E]) -> Iterator[E]:
    """Yield what a query and the pages behind it have. Each page is read when it is reached."""
    following: Query[E] | None = query
    while following is not None:
        page = repository.list(following)
        yield from page.items
        following = page.next


class TaskService(Repository[Task, NewTask], Protocol):
    """One owner's tasks."""

    def trash(self, task_id: UUID, precondition: Precondition[Task] | None = None) -> None:
        """Move a task to the trash, or raise `TaskNotFound`; see `remove`."""
        ...

    def trash_all(self, tasks: Sequence[Task], roots: Mapping[UUID, UUID]) -> None:
        """Move tasks to the trash, in this order; see `remove_all`.

        `roots` has the id of the task with whose sub-tasks each is deleted, if any.
        """
        ...

    def descendants(self, task_ids: Collection[UUID], limit: int | None = None) -> Sequence[Task]:
        """Return the sub-tasks of tasks and theirs, the nearest first, up to a `limit`."""
        ...

    def count_labels(self) -> Sequence[LabelCount]:
        """Return each label that a task of the owner has; see `core.labels.count_labels`."""
        ...

    def count_by_list(self, query: TaskQuery) -> Mapping[UUID | None, int]:
        """Return how many tasks a query admits in each list, and in none; whatever its limit."""
        ...


class Trash(Reader[TrashedTask], Protocol):
    """One owner's trash: the tasks that were deleted. No other query finds them.

    Their ids are taken. Methods are as those of `Repository`; removing one is for good.
    """

    def restore_all(
        self, tasks: Sequence[TrashedTask], step: Callable[[TrashedTask, datetime], Task]
    ) -> None:
        """Put each task back as `step(task, now)`, in this order.

        It needs a workspace that is locked, and tasks as they are stored.
        """
        ...

    def remove(self, task_id: UUID, precondition: Precondition[TrashedTask] | None = None) -> None:
        """Purge a task, or raise `TaskNotFound`."""
        ...

    def remove_all(self, tasks: Sequence[TrashedTask]) -> None:
        """Purge tasks."""
        ...


def _needs_transaction() -> NoReturn:
    raise RuntimeError("the workspace was not opened with atomic=True")


class Workspace(NamedTuple):
    """All data of one owner, in one transaction if it was opened with `atomic=True`.

    `repository` returns the repository of a type of entities. `lock` waits until no
    other transaction is open that has locked the same owner's workspace, and holds the
    lock to the end of this one, so call it first. Meanwhile no other writes what the owner
    has. `savepoint` opens a part of the transaction: if its block raises, what that wrote
    is undone, and the transaction goes on. Savepoints do not nest. `count_changes` returns
    how many changes were written, also those that were undone. These three need
    `atomic=True`. `new_id` generates ids. `changes` is the log of what the repositories
    wrote. `clock` is that of their times.
    """

    repository: Callable[[type[Any]], Any]
    idempotency: IdempotencyStore
    new_id: NewId
    changes: ChangeLog
    clock: Clock = system_clock
    lock: Callable[[], None] = _needs_transaction
    savepoint: Callable[[], AbstractContextManager[None]] = _needs_transaction
    count_changes: Callable[[], int] = _needs_transaction

    @property
    def tasks(self) -> TaskService:
        """The owner's tasks."""
        tasks: TaskService = self.repository(Task)
        return tasks

    @property
    def lists(self) -> Repository[TaskList, NewTaskList]:
        """The owner's lists."""
        lists: Repository[TaskList, NewTaskList] = self.repository(TaskList)
        return lists

    @property
    def trash(self) -> Trash:
        """The owner's trash."""
        trash: Trash = self.repository(TrashedTask)
        return trash

    def find(self, type_name: str, entity_id: UUID) -> Entity | None:
        """Return the owner's entity of a type by its id, None if there is none."""
        with suppress(EntityNotFound):
            found: Entity = self.repository(_TYPES[type_name]).get(entity_id)
            return found
        return None


class OpenWorkspace(Protocol):
    """Opens one owner's workspace: `with open_workspace(owner) as workspace: …`.

    No other method takes an owner. Each method of a repository is a transaction,
    committed when it returns. With `atomic=True` the whole block is one
    transaction: committed on a normal exit, rolled back on an exception. If the
    storage has already rolled it back, a normal exit raises `Unavailable`. The changes
    in the log have the `origin`.
    """

    def __call__(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> AbstractContextManager[Workspace]:
        """Return a context manager that yields the workspace of `owner`."""
        ...


class OpenOwnWorkspace(Protocol):
    """Opens the workspace of one owner, who is already named: `with open_own() as workspace: …`.

    See `OpenWorkspace`. If a transaction is open already, it is joined.
    """

    def __call__(self, *, atomic: bool = False) -> AbstractContextManager[Workspace]:
        """Return a context manager that yields the workspace."""
        ...


def joining(workspace: Workspace) -> OpenOwnWorkspace:
    """Return what opens a workspace that is open already: operations join its transaction."""
    return lambda **_: nullcontext(workspace)
