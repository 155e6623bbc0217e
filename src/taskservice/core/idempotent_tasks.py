"""Idempotency: a `TaskService` around a `TaskService` that runs a write once for each key."""

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
    """A decorator of `tasks`, which must be opened with `atomic=True`.

    A retry with the same key returns the first result, and `replayed` is true.
    A different request with the same key raises `IdempotencyKeyReused`. A write
    that raises stores no record, since its transaction is rolled back.
    """

    def __init__(self, tasks: TaskService, key: IdempotencyKey) -> None:
        self._tasks = tasks
        self._key = key
        self.replayed = False

    @property
    def idempotency(self) -> IdempotencyStore:
        """The idempotency store of the same owner."""
        return self._tasks.idempotency

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        """Store a new task, once for the key."""
        task: Task = self._run_once(
            lambda: self._tasks.add(title=title, description=description, completed=completed)
        )
        return task

    def get(self, task_id: UUID) -> Task:
        """Return the current task."""
        return self._tasks.get(task_id)

    def list(self, query: TaskQuery) -> Page:
        """Return the current tasks."""
        return self._tasks.list(query)

    def change(self, task_id: UUID, step: Step) -> Task:
        """Change the task, once for the key."""
        task: Task = self._run_once(lambda: self._tasks.change(task_id, step))
        return task

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        """Delete the task, once for the key."""
        self._run_once(lambda: self._tasks.remove(task_id, precondition))

    def _run_once(self, write: Callable[[], Task | None]) -> Any:
        record = self.idempotency.begin(*self._key)
        if record is None:
            result = write()
            self.idempotency.complete(self._key.key, result)
            return result
        if record.fingerprint != self._key.fingerprint:
            raise IdempotencyKeyReused
        self.replayed = True
        return record.task
