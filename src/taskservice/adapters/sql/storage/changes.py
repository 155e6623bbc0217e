"""Changes of one task that may be asked for again, where the answer to the first was lost.

Each keeps in mind what it has sent and had no answer to, and so knows it when it finds it.
"""

from typing import Protocol, TypeVar
from uuid import UUID

from taskservice.adapters.sql.storage.rows import OwnerRows
from taskservice.core.clock import Clock
from taskservice.core.errors import TaskNotFound, Unavailable
from taskservice.core.preconditions import Precondition
from taskservice.core.task import Step, Task

ATTEMPTS = 100
"""How often a change is tried while others change the same task; one of them succeeds each time."""
TOO_CONTENDED = "too many others change this task at the same time"


T_co = TypeVar("T_co", covariant=True)


class Change(Protocol[T_co]):
    """What may be asked for again; `sent` is what may have been done, None where nothing was."""

    sent: Task | None

    def __call__(self, rows: OwnerRows) -> T_co:
        """Make the change, unless it is found to have been made."""
        ...


class Insert:
    """A new task: its id was never used, so that a row with it is this one."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self.sent: Task | None = None

    def __call__(self, rows: OwnerRows) -> Task:
        """Insert the row, once."""
        insert = rows.insert_unless_there if self.sent else rows.insert
        self.sent = self._task
        insert(self._task)
        return self._task


class CompareAndSwap:
    """A step of one task, from the version that it has seen to the next (compare and swap)."""

    def __init__(self, task_id: UUID, step: Step, clock: Clock) -> None:
        self._task_id = task_id
        self._step = step
        self._clock = clock
        self.sent: Task | None = None

    def __call__(self, rows: OwnerRows) -> Task:
        """Return the task after the step, or raise `TaskNotFound` and what the step raises."""
        for _ in range(ATTEMPTS):
            before = self._find(rows)
            after = self.sent or self._step(before, self._clock())
            if after == before or self._replace(rows, before, after):
                return after
        raise Unavailable(TOO_CONTENDED)

    def _find(self, rows: OwnerRows) -> Task:
        """Return the task; what was sent is forgotten where another's version has its place."""
        try:
            found = rows.find(self._task_id)
        except TaskNotFound:
            self._require_known(self.sent is None)
            raise
        if self.sent is not None and found != self.sent:
            self._require_known(found.version <= self.sent.version)
            if found.version == self.sent.version:
                self.sent = None
        return found

    def _require_known(self, is_known: bool) -> None:
        if not is_known:
            raise Unavailable("others have changed the task meanwhile", "unknown")

    def _replace(self, rows: OwnerRows, before: Task, after: Task) -> bool:
        was_sent, self.sent = self.sent, after
        replaced = rows.replace(before, after)
        self.sent = was_sent
        return replaced


class Delete:
    """The end of one task; a precondition looks at it as it is when it goes."""

    def __init__(self, task_id: UUID, precondition: Precondition | None) -> None:
        self._task_id = task_id
        self._precondition = precondition
        self.sent: Task | None = None

    def __call__(self, rows: OwnerRows) -> None:
        """Delete the row, or raise `TaskNotFound` and what the precondition raises."""
        for _ in range(ATTEMPTS):
            try:
                task = rows.find(self._task_id)
            except TaskNotFound:
                if self.sent is None:
                    raise
                return
            if self._precondition is not None:
                self._precondition(task)
            if self._delete(rows, task):
                return
        raise Unavailable(TOO_CONTENDED)

    def _delete(self, rows: OwnerRows, task: Task) -> bool:
        # An id never comes back: what stands at another version was not deleted.
        was_sent = self.sent if self.sent == task else None
        self.sent = task
        deleted = rows.delete(task)
        self.sent = was_sent
        return deleted
