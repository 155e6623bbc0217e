"""A `TaskService` around a `TaskService`: what a key was used for is done at most once."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from taskservice.core.errors import IdempotencyKeyReused
from taskservice.core.idempotency import IdempotencyKey, IdempotencyStore
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Step, Task


class IdempotentTasks:
    """The tasks of `tasks`, opened together, where each writing door is done once per key.

    A repeated key returns what the first returned, and `replayed` is
    true. One with the key of another request raises `IdempotencyKeyReused`. What raises
    is not remembered, as the transaction is dropped.
    """

    def __init__(self, tasks: TaskService, key: IdempotencyKey) -> None:
        self._tasks = tasks
        self._key = key
        self.replayed = False

    @property
    def idempotency(self) -> IdempotencyStore:
        """The receipts of the same owner."""
        return self._tasks.idempotency

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        """Store a new task, once."""
        task: Task = self._once(
            lambda: self._tasks.add(title=title, description=description, completed=completed)
        )
        return task

    def get(self, task_id: UUID) -> Task:
        """Return the task as it is now."""
        return self._tasks.get(task_id)

    def list(self, query: TaskQuery) -> Page:
        """Return the tasks as they are now."""
        return self._tasks.list(query)

    def change(self, task_id: UUID, step: Step) -> Task:
        """Change the task, once."""
        task: Task = self._once(lambda: self._tasks.change(task_id, step))
        return task

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        """Delete the task, once."""
        self._once(lambda: self._tasks.remove(task_id, precondition))

    def _once(self, door: Callable[[], Task | None]) -> Any:
        record = self.idempotency.begin(*self._key)
        if record is None:
            result = door()
            self.idempotency.complete(self._key.key, result)
            return result
        if record.fingerprint != self._key.fingerprint:
            raise IdempotencyKeyReused
        self.replayed = True
        return record.task
