"""Idempotency: a `TaskService` around a `TaskService` that runs a write once for each key."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from taskservice.core.entity import Step
from taskservice.core.errors import IdempotencyKeyReused
from taskservice.core.idempotency import IdempotencyKey
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, Query
from taskservice.core.task import NewTask, Task
from taskservice.core.workspace import Workspace


class IdempotentTasks:
    """A decorator of the tasks of `workspace`, which must be opened with `atomic=True`.

    A retry with the same key returns the first result, and `replayed` is true.
    A different request with the same key raises `IdempotencyKeyReused`. A write
    that raises stores no record, since its transaction is rolled back.
    """

    def __init__(self, workspace: Workspace, key: IdempotencyKey) -> None:
        self._tasks = workspace.tasks
        self._store = workspace.idempotency
        self._key = key
        self.replayed = False

    def add(self, new: NewTask) -> Task:
        """Store a new task, once for the key."""
        task: Task = self._run_once(lambda: self._tasks.add(new))
        return task

    def get(self, task_id: UUID) -> Task:
        """Return the current task."""
        return self._tasks.get(task_id)

    def list(self, query: Query[Task]) -> Page[Task]:
        """Return the current tasks."""
        return self._tasks.list(query)

    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        """Change the task, once for the key."""
        task: Task = self._run_once(lambda: self._tasks.change(task_id, step))
        return task

    def remove(self, task_id: UUID, precondition: Precondition[Task] | None = None) -> None:
        """Delete the task, once for the key."""
        self._run_once(lambda: self._tasks.remove(task_id, precondition))

    def _run_once(self, write: Callable[[], Task | None]) -> Any:
        record = self._store.begin(*self._key)
        if record is None:
            result = write()
            self._store.complete(self._key.key, result)
            return result
        if record.fingerprint != self._key.fingerprint:
            raise IdempotencyKeyReused
        self.replayed = True
        return record.task
