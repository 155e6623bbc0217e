"""The storage ports: `OpenTasks` opens one owner's `TaskService`."""

from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from taskservice.core.idempotency import IdempotencyStore
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Step, Task


class TaskService(Protocol):
    """One owner's tasks.

    Each method is atomic, and its changes are durable when it returns. Another
    owner's task is not found, as if its id had never been used. Any method
    raises `Unavailable` if the storage cannot be reached.
    """

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        """Store a new task of the owner and return it, or raise `InvalidTask` with all errors."""
        ...

    def get(self, task_id: UUID) -> Task:
        """Return the owner's task, or raise `TaskNotFound`."""
        ...

    def list(self, query: TaskQuery) -> Page:
        """Return the page of the owner's tasks that `query` describes."""
        ...

    def change(self, task_id: UUID, step: Step) -> Task:
        """Replace the owner's task by `step(task, now)` and return that, or raise `TaskNotFound`.

        Changes to one task are serialized: no update is lost. A step may run
        more than once, so it must have no side effects. If it returns an equal
        task, nothing is written. If it raises, nothing is written and the
        exception propagates, such as the `StaleTask` of a precondition.
        """
        ...

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        """Delete the owner's task, or raise `TaskNotFound`.

        `precondition` is checked on the version that is deleted. If it raises,
        nothing is deleted. It may be called more than once.
        """
        ...

    @property
    def idempotency(self) -> IdempotencyStore:
        """Return the owner's idempotency store, in the same transaction if opened with `atomic`."""
        ...


class OpenTasks(Protocol):
    """Opens one owner's tasks: `with open_tasks(owner) as tasks: …`.

    No other method takes an owner. Each method of the `TaskService` is a
    transaction, committed when it returns. With `atomic=True` the whole block is
    one transaction: committed on a normal exit, rolled back on an exception. If
    the storage has already rolled it back, a normal exit raises `Unavailable`.
    """

    def __call__(self, owner: str, *, atomic: bool = False) -> AbstractContextManager[TaskService]:
        """Return a context manager that yields the tasks of `owner`."""
        ...
