"""Optimistic writes of one task that can be retried after a lost connection.

Each remembers the write that got no response, and so recognizes its result.
"""

from typing import Protocol, TypeVar
from uuid import UUID

from taskservice.adapters.sql.storage.task_rows import TaskRows
from taskservice.core.clock import Clock
from taskservice.core.errors import TaskNotFound, Unavailable
from taskservice.core.preconditions import Precondition
from taskservice.core.task import Step, Task

MAX_CAS_ATTEMPTS = 100
"""How often a compare-and-swap is tried; each round one of the concurrent writers succeeds."""
TOO_CONTENDED = "too many concurrent changes of this task"


T_co = TypeVar("T_co", covariant=True)


class Change(Protocol[T_co]):
    """A retryable write; `unacknowledged` is the task whose write got no response, if any."""

    unacknowledged: Task | None

    def __call__(self, rows: TaskRows) -> T_co:
        """Write, unless an earlier attempt has written."""
        ...


class Insert:
    """Inserts a new task. Its id is unique, so a row with this id is this task."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.unacknowledged: Task | None = None

    def __call__(self, rows: TaskRows) -> Task:
        """Insert the row, once."""
        insert = rows.insert_if_absent if self.unacknowledged else rows.insert
        self.unacknowledged = self._task
        insert(self._task)
        return self._task


class CompareAndSwap:
    """Replaces a task with the result of a step, if its version has not changed meanwhile."""

    def __init__(self, task_id: UUID, step: Step, clock: Clock) -> None:
        self._task_id = task_id
        self._step = step
        self._clock = clock
        self.unacknowledged: Task | None = None

    def __call__(self, rows: TaskRows) -> Task:
        """Return the task after the step, or raise `TaskNotFound` and what the step raises."""
        for _ in range(MAX_CAS_ATTEMPTS):
            before = self._find(rows)
            after = self.unacknowledged or self._step(before, self._clock())
            if after == before or self._replace(rows, before, after):
                return after
        raise Unavailable(TOO_CONTENDED)

    def _find(self, rows: TaskRows) -> Task:
        """Return the task. Forget the unacknowledged write if another write took its version."""
        try:
            found = rows.find(self._task_id)
        except TaskNotFound:
            self._require_known_outcome(self.unacknowledged is None)
            raise
        if self.unacknowledged is not None and found != self.unacknowledged:
            self._require_known_outcome(found.version <= self.unacknowledged.version)
            if found.version == self.unacknowledged.version:
                self.unacknowledged = None
        return found

    def _require_known_outcome(self, is_known: bool) -> None:
        if not is_known:
            raise Unavailable("the task was changed by another request meanwhile", "unknown")

    def _replace(self, rows: TaskRows, before: Task, after: Task) -> bool:
        previous, self.unacknowledged = self.unacknowledged, after
        replaced = rows.replace(before, after)
        self.unacknowledged = previous
        return replaced


class Delete:
    """Deletes a task, if its precondition holds for the version that is deleted."""

    def __init__(self, task_id: UUID, precondition: Precondition | None) -> None:
        self._task_id = task_id
        self._precondition = precondition
        self.unacknowledged: Task | None = None

    def __call__(self, rows: TaskRows) -> None:
        """Delete the row, or raise `TaskNotFound` and what the precondition raises."""
        for _ in range(MAX_CAS_ATTEMPTS):
            try:
                task = rows.find(self._task_id)
            except TaskNotFound:
                if self.unacknowledged is None:
                    raise
                return
            if self._precondition is not None:
                self._precondition(task)
            if self._delete(rows, task):
                return
        raise Unavailable(TOO_CONTENDED)

    def _delete(self, rows: TaskRows, task: Task) -> bool:
        # Ids are never reused, so a task at another version proves that the delete did not happen.
        previous = self.unacknowledged if self.unacknowledged == task else None
        self.unacknowledged = task
        deleted = rows.delete(task)
        self.unacknowledged = previous
        return deleted
