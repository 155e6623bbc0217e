"""Tasks in memory: for unit tests and for trying things out. Gone with the process."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from uuid import UUID

from taskservice.core.clock import Clock, system_clock
from taskservice.core.errors import TaskNotFound
from taskservice.core.ids import NewId, TaskIds
from taskservice.core.query import Page, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Step, Task

_Tasks = dict[UUID, Task]
_Begin = Callable[[], AbstractContextManager[_Tasks]]


class InMemoryTasks:
    """Every owner's tasks in one process; `open_tasks` is the port. Threads may share it."""

    def __init__(self, clock: Clock = system_clock, new_id: NewId | None = None) -> None:
        self._clock = clock
        self._new_id = new_id or TaskIds()
        self._owners: dict[str, _Tasks] = {}
        self._lock = Lock()

    @contextmanager
    def open_tasks(self, owner: str, *, together: bool = False) -> Iterator[TaskService]:
        """Yield the tasks of `owner`; see `OpenTasks`."""
        if together:
            with self._transaction(owner) as tasks:
                yield self._service(owner, lambda: nullcontext(tasks))
        else:
            yield self._service(owner, lambda: self._transaction(owner))

    def _service(self, owner: str, begin: _Begin) -> TaskService:
        return _OwnTasks(owner, begin, self._clock, self._new_id)

    @contextmanager
    def _transaction(self, owner: str) -> Iterator[_Tasks]:
        with self._lock:
            working_copy = dict(self._owners.get(owner, {}))
            yield working_copy
            self._owners[owner] = working_copy


class _OwnTasks:
    """One owner's tasks; each method works inside what `begin` opens."""

    def __init__(self, owner: str, begin: _Begin, clock: Clock, new_id: NewId) -> None:
        self._owner = owner
        self._begin = begin
        self._clock = clock
        self._new_id = new_id

    def add(self, *, title: str, description: str | None = None, completed: bool = False) -> Task:
        with self._begin() as tasks:
            task = Task.create(
                self._owner,
                self._clock(),
                self._new_id,
                title=title,
                description=description,
                completed=completed,
            )
            tasks[task.id] = task
            return task

    def get(self, task_id: UUID) -> Task:
        with self._begin() as tasks:
            return _find(tasks, task_id)

    def list(self, query: TaskQuery) -> Page:
        with self._begin() as tasks:
            admitted = sorted(filter(query.admits, tasks.values()), key=query.sort_key)
            return Page.of(admitted[::-1], query)

    def change(self, task_id: UUID, step: Step) -> Task:
        with self._begin() as tasks:
            tasks[task_id] = step(_find(tasks, task_id), self._clock())
            return tasks[task_id]

    def remove(self, task_id: UUID) -> None:
        with self._begin() as tasks:
            del tasks[_find(tasks, task_id).id]


def _find(tasks: _Tasks, task_id: UUID) -> Task:
    try:
        return tasks[task_id]
    except KeyError:
        raise TaskNotFound(task_id) from None
