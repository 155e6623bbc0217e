"""The storage ports: opening one owner's workspace yields repositories and idempotency records."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar
from uuid import UUID

from taskservice.core.entity import E, Entity, Step
from taskservice.core.idempotency import IdempotencyStore
from taskservice.core.labels import LabelCount
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, Query
from taskservice.core.task import NewTask, Task

_New_contra = TypeVar("_New_contra", contravariant=True)

ENTITY_TYPES: tuple[type[Entity], ...] = (Task,)
"""All types of entities. Every transaction locks them in this order, to avoid deadlocks."""


def entity_type(name: str) -> type[Entity] | None:
    """Return the type of entities with this `type_name`, None if this version has none."""
    return next((one for one in ENTITY_TYPES if one.type_name == name), None)


class Repository(Protocol[E, _New_contra]):
    """One owner's entities of one type.

    `add` takes an instance of the class of their settable fields. Each method
    is atomic, and its changes are durable when it returns. Another
    owner's entity is not found, as if its id had never been used. Any method
    raises `Unavailable` if the storage cannot be reached.
    """

    def add(self, new: _New_contra) -> E:
        """Store a new entity and return it, or raise `InvalidEntity` with all errors."""
        ...

    def get(self, entity_id: UUID) -> E:
        """Return the owner's entity, or raise its `EntityNotFound`."""
        ...

    def list(self, query: Query[E]) -> Page[E]:
        """Return the page of the owner's entities that `query` describes."""
        ...

    def change(self, entity_id: UUID, step: Step[E]) -> E:
        """Replace the owner's entity by `step(entity, now)` and return that.

        Raises its `EntityNotFound`. Changes to one entity are serialized: no
        update is lost. A step may run more than once, so it must have no side
        effects. If it returns an equal entity, nothing is written. If it raises,
        nothing is written and the exception propagates, such as the
        `StaleEntity` of a precondition.
        """
        ...

    def remove(self, entity_id: UUID, precondition: Precondition[E] | None = None) -> None:
        """Delete the owner's entity, or raise its `EntityNotFound`.

        `precondition` is checked on the version that is deleted. If it raises,
        nothing is deleted. It may be called more than once.
        """
        ...


class TaskService(Repository[Task, NewTask], Protocol):
    """One owner's tasks."""

    def count_labels(self) -> Sequence[LabelCount]:
        """Return each label that a task of the owner has; see `core.labels.count_labels`."""
        ...


class Workspace(NamedTuple):
    """All data of one owner, in one transaction if it was opened with `atomic=True`.

    `repository` returns the repository of a type of entities.
    """

    repository: Callable[[type[Any]], Any]
    idempotency: IdempotencyStore

    @property
    def tasks(self) -> TaskService:
        """The owner's tasks."""
        tasks: TaskService = self.repository(Task)
        return tasks


class OpenWorkspace(Protocol):
    """Opens one owner's workspace: `with open_workspace(owner) as workspace: …`.

    No other method takes an owner. Each method of a repository is a transaction,
    committed when it returns. With `atomic=True` the whole block is one
    transaction: committed on a normal exit, rolled back on an exception. If the
    storage has already rolled it back, a normal exit raises `Unavailable`.
    """

    def __call__(self, owner: str, *, atomic: bool = False) -> AbstractContextManager[Workspace]:
        """Return a context manager that yields the workspace of `owner`."""
        ...
