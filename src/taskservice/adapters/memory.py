"""Tasks in memory: for unit tests and for trying things out. Gone with the process."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from threading import Lock
from uuid import UUID

from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import TaskNotFound
from taskservice.core.idempotency import IdempotencyRecord
from taskservice.core.ids import NewId, TaskIds
from taskservice.core.owner_data import OwnerCounts, OwnerData
from taskservice.core.preconditions import Precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Step, Task


@dataclass(frozen=True)
class _Held:
    """What is held for one owner."""

    tasks: dict[UUID, Task] = field(default_factory=dict)
    records: dict[str, IdempotencyRecord] = field(default_factory=dict)

    def copy(self) -> "_Held":
        return _Held(dict(self.tasks), dict(self.records))


_Begin = Callable[[], AbstractContextManager[_Held]]


class InMemoryTasks:
    """Every owner's tasks in one process; `open_tasks` is the port. Threads may share it.

    One transaction runs at a time, whoever's it is, so that a block that was
    opened together holds up all others; it must not open tasks itself.
    """

    def __init__(self, clock: Clock = system_clock, new_id: NewId | None = None) -> None:
        self._clock = clock
        self._new_id = new_id or TaskIds()
        self._owners: dict[str, _Held] = {}
        self._lock = Lock()

    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        """Yield the tasks of `owner`; see `OpenTasks`."""
        if atomic:
            with self._transaction(owner) as held:
                yield self._service(owner, lambda: nullcontext(held))
        else:
            yield self._service(owner, lambda: self._transaction(owner))

    def open_owner_data(self, owner: str) -> OwnerData:
        """Return the archive of `owner`; see `OpenOwnerData`."""
        return _OwnerData(owner, lambda: self._transaction(owner))

    def _service(self, owner: str, begin: _Begin) -> TaskService:
        return _OwnTasks(owner, begin, self._clock, self._new_id)

    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_Held]:
        with self._lock:
            working_copy = self._owners.get(owner, _Held()).copy()
            yield working_copy
            self._owners[owner] = working_copy


class _OwnTasks:
    """One owner's tasks; each method works inside what `begin` opens."""

    def __init__(self, owner: str, begin: _Begin, clock: Clock, new_id: NewId) -> None:
        self._owner = owner
        self._begin = begin
        self._clock = clock
        self._new_id = new_id
        self.idempotency = _OwnIdempotencyStore(begin)

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        with self._begin() as held:
            task = Task.create(
                self._owner,
                self._clock(),
                self._new_id,
                title=title,
                description=description,
                completed=completed,
            )
            held.tasks[task.id] = task
            return task

    def get(self, task_id: UUID) -> Task:
        with self._begin() as held:
            return _find(held, task_id)

    def list(self, query: TaskQuery) -> Page:
        with self._begin() as held:
            return query.page(held.tasks.values())

    def change(self, task_id: UUID, step: Step) -> Task:
        with self._begin() as held:
            held.tasks[task_id] = step(_find(held, task_id), self._clock())
            return held.tasks[task_id]

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        with self._begin() as held:
            task = _find(held, task_id)
            if precondition:
                precondition(task)
            del held.tasks[task_id]


class _OwnIdempotencyStore:
    """One owner's receipts; the lock of the store stands in for that of a key."""

    def __init__(self, begin: _Begin) -> None:
        self._begin = begin

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        with self._begin() as held:
            if known := held.records.get(key):
                return known
            held.records[key] = IdempotencyRecord(fingerprint=fingerprint, task=None)
            return None

    def complete(self, key: str, task: Task | None) -> None:
        with self._begin() as held:
            held.records[key] = replace(held.records[key], task=task)


class _OwnerData:
    """All that is held for one owner."""

    def __init__(self, owner: str, begin: _Begin) -> None:
        self._owner = owner
        self._begin = begin

    def import_tasks(self, tasks: Sequence[Task]) -> list[Task]:
        with self._begin() as held:
            for task in tasks:
                if task.user_id == self._owner:
                    held.tasks.setdefault(task.id, task)
            return [task for task in tasks if held.tasks.get(task.id) != task]

    def count(self) -> OwnerCounts:
        with self._begin() as held:
            return OwnerCounts(len(held.tasks), len(held.records))

    def erase(self) -> OwnerCounts:
        with self._begin() as held:
            removed = OwnerCounts(len(held.tasks), len(held.records))
            held.tasks.clear()
            held.records.clear()
            return removed


def _find(held: _Held, task_id: UUID) -> Task:
    try:
        return held.tasks[task_id]
    except KeyError:
        raise TaskNotFound(task_id) from None
