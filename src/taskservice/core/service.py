"""The ports: one owner's tasks, and the door to them."""

from contextlib import AbstractContextManager
from typing import Protocol
from uuid import UUID

from taskservice.core.idempotency import IdempotencyStore
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Step, Task


class TaskService(Protocol):
    """One owner's tasks.

    Each method happens whole or not at all, and what it changed is durable
    when it returns. Another owner's task is as absent as an id never used.
    Any method raises `Unavailable` when the tasks cannot be reached.
    """

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        """Store a new task of the owner and return it, or raise `InvalidTask` with every fault."""
        ...

    def get(self, task_id: UUID) -> Task:
        """Return the owner's task, or raise `TaskNotFound`."""
        ...

    def list(self, query: TaskQuery) -> Page:
        """Return the owner's tasks that `query` admits, in its order, up to its limit."""
        ...

    def change(self, task_id: UUID, step: Step) -> Task:
        """Replace the owner's task by `step(task, now)` and return that, or raise `TaskNotFound`.

        Two changes to one task never overlap: each step sees what the one
        before it left. A step may therefore run more than once and must only
        compute; one that raises leaves the task as it was. A step that
        returns an equal task changes nothing. What a step raises, `StaleTask`
        of a precondition included, passes as it is.
        """
        ...

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        """Delete the owner's task for good, or raise `TaskNotFound`.

        A precondition looks at the task as it is when it goes; where it raises, the
        task stays. It may look more than once.
        """
        ...

    @property
    def idempotency(self) -> IdempotencyStore:
        """Return the owner's receipts: in the same transaction, for tasks opened ``atomic``."""
        ...


class OpenTasks(Protocol):
    """Opens one owner's tasks: `with open_tasks(owner) as tasks: …`.

    The owner is named here and nowhere else. Each method of what is yielded
    is a transaction of its own, done when it returns. With `atomic=True`
    the whole block is one transaction: kept on a normal exit, dropped when
    an exception leaves the block. Where the home has dropped it, as it could
    not do something of it, a normal exit raises `Unavailable`.
    """

    def __call__(self, owner: str, *, atomic: bool = False) -> AbstractContextManager[TaskService]:
        """Return a context manager that yields the tasks of `owner`."""
        ...
