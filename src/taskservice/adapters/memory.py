"""The in-memory storage adapter, for tests and development. Its data ends with the process."""

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
class _OwnerState:
    """All data of one owner."""

    tasks: dict[UUID, Task] = field(default_factory=dict)
    records: dict[str, IdempotencyRecord] = field(default_factory=dict)

    def copy(self) -> "_OwnerState":
        return _OwnerState(dict(self.tasks), dict(self.records))


_Begin = Callable[[], AbstractContextManager[_OwnerState]]


class InMemoryTasks:
    """All owners' tasks in one process; `open_tasks` is the port. It is thread-safe.

    Transactions of all owners are serialized by one lock. So a block opened with
    `atomic=True` blocks all others, and must not open tasks itself.
    """

    def __init__(self, clock: Clock = system_clock, new_id: NewId | None = None) -> None:
        self._clock = clock
        self._new_id = new_id or TaskIds()
        self._owners: dict[str, _OwnerState] = {}
        self._lock = Lock()

    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        """Yield the tasks of `owner`; see `OpenTasks`."""
        if atomic:
            with self._transaction(owner) as state:
                yield self._service(owner, lambda: nullcontext(state))
        else:
            yield self._service(owner, lambda: self._transaction(owner))

    def open_owner_data(self, owner: str) -> OwnerData:
        """Return the data of `owner`; see `OpenOwnerData`."""
        return _OwnerData(owner, lambda: self._transaction(owner))

    def _service(self, owner: str, begin: _Begin) -> TaskService:
        return _OwnerTasks(owner, begin, self._clock, self._new_id)

    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_OwnerState]:
        with self._lock:
            working_copy = self._owners.get(owner, _OwnerState()).copy()
            yield working_copy
            self._owners[owner] = working_copy


class _OwnerTasks:
    """One owner's tasks; each method runs in the transaction that `begin` opens."""

    def __init__(self, owner: str, begin: _Begin, clock: Clock, new_id: NewId) -> None:
        self._owner = owner
        self._begin = begin
        self._clock = clock
        self._new_id = new_id
        self.idempotency = _OwnerIdempotencyStore(begin)

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        with self._begin() as state:
            task = Task.create(
                self._owner,
                self._clock(),
                self._new_id,
                title=title,
                description=description,
                completed=completed,
            )
            state.tasks[task.id] = task
            return task

    def get(self, task_id: UUID) -> Task:
        with self._begin() as state:
            return _find(state, task_id)

    def list(self, query: TaskQuery) -> Page:
        with self._begin() as state:
            return query.page(state.tasks.values())

    def change(self, task_id: UUID, step: Step) -> Task:
        with self._begin() as state:
            state.tasks[task_id] = step(_find(state, task_id), self._clock())
            return state.tasks[task_id]

    def remove(self, task_id: UUID, precondition: Precondition | None = None) -> None:
        with self._begin() as state:
            task = _find(state, task_id)
            if precondition:
                precondition(task)
            del state.tasks[task_id]


class _OwnerIdempotencyStore:
    """One owner's idempotency records; the lock of the adapter serves as the lock of a key."""

    def __init__(self, begin: _Begin) -> None:
        self._begin = begin

    def begin(self, key: str, fingerprint: bytes) -> IdempotencyRecord | None:
        with self._begin() as state:
            if record := state.records.get(key):
                return record
            state.records[key] = IdempotencyRecord(fingerprint=fingerprint, task=None)
            return None

    def complete(self, key: str, task: Task | None) -> None:
        with self._begin() as state:
            state.records[key] = replace(state.records[key], task=task)


class _OwnerData:
    """Import, count and erase one owner's data."""

    def __init__(self, owner: str, begin: _Begin) -> None:
        self._owner = owner
        self._begin = begin

    def import_tasks(self, tasks: Sequence[Task]) -> list[Task]:
        with self._begin() as state:
            for task in tasks:
                if task.user_id == self._owner:
                    state.tasks.setdefault(task.id, task)
            return [task for task in tasks if state.tasks.get(task.id) != task]

    def count(self) -> OwnerCounts:
        with self._begin() as state:
            return OwnerCounts(len(state.tasks), len(state.records))

    def erase(self) -> OwnerCounts:
        with self._begin() as state:
            removed = OwnerCounts(len(state.tasks), len(state.records))
            state.tasks.clear()
            state.records.clear()
            return removed


def _find(state: _OwnerState, task_id: UUID) -> Task:
    try:
        return state.tasks[task_id]
    except KeyError:
        raise TaskNotFound(task_id) from None
