"""Owner data: the port that imports, counts and erases everything of one owner."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import RFC_4122, UUID

from taskservice.core.clock import normalize_timestamp
from taskservice.core.errors import FieldError, InvalidTask, TaskServiceError
from taskservice.core.ids import first_id, last_id
from taskservice.core.query import PAGE_LIMIT, Sort, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Task
from taskservice.core.timestamps import YEARS
from taskservice.core.validation import check_description, check_title, is_owner

VERSION_LIMIT = 2**30
"""The highest version that may be imported; adapters store versions up to 2**31 - 1."""

_OLDEST_FIRST = Sort(field="created_at", descending=False)


class OwnerCounts(NamedTuple):
    """The number of tasks and idempotency records of one owner."""

    tasks: int
    idempotency_records: int


class ErasureIncomplete(TaskServiceError):
    """The `removed` rows are deleted, but their bytes can still be read in the database files."""

    def __init__(self, removed: OwnerCounts, reason: str) -> None:
        super().__init__(f"the deleted data is still in the database files: {reason}")
        self.removed = removed


class OwnerData(Protocol):
    """All data of one owner. Each method is atomic.

    Any method raises `Unavailable` if the storage cannot be reached.
    """

    def import_tasks(self, tasks: Sequence[Task]) -> list[Task]:
        """Store the owner's `tasks` with all their fields; return those that were not stored.

        A task that is already stored and equal counts as stored. A task that
        is already stored but differs is not overwritten, and is returned. So is
        a task of another owner.
        """
        ...

    def count(self) -> OwnerCounts:
        """Return the number of tasks and idempotency records."""
        ...

    def erase(self) -> OwnerCounts:
        """Delete all tasks and idempotency records; return their numbers.

        An adapter may also overwrite the deleted data. It raises
        `ErasureIncomplete` if it cannot do that yet; another call tries again.
        """
        ...


OpenOwnerData = Callable[[str], OwnerData]
"""Returns the `OwnerData` of the named owner."""


def iterate_tasks(tasks: TaskService) -> Iterator[Task]:
    """Yield one owner's tasks, the oldest first, page by page.

    A task that exists from start to end is yielded exactly once, despite
    concurrent writes.
    """
    query: TaskQuery | None = TaskQuery(sort=_OLDEST_FIRST, limit=PAGE_LIMIT)
    while query is not None:
        page = tasks.list(query)
        yield from page.tasks
        query = page.next


def validate(task: Task) -> None:
    """Raise `InvalidTask`, with all errors, unless this service could have created `task`."""
    if errors := tuple(_errors(task)):
        raise InvalidTask(errors)


def _errors(task: Task) -> Iterator[FieldError]:
    for field, check in _CHECKS.items():
        try:
            check(task)
        except ValueError as error:
            yield FieldError(field, str(error))


def _check_id(task: Task) -> None:
    if not first_id(task.created_at) <= task.id <= last_id(task.created_at) or not _is_uuid7(
        task.id
    ):
        raise ValueError("must be a UUIDv7 whose timestamp is created_at")


def _is_uuid7(task_id: UUID) -> bool:
    return (task_id.version, task_id.variant) == (7, RFC_4122)


def _check_owner(task: Task) -> None:
    if not is_owner(task.user_id):
        raise ValueError("is not a valid user id")


def _check_completed(task: Task) -> None:
    if task.completed != (task.completed_at is not None):
        raise ValueError("must be true if completed_at is set, and only then")


def _check_completed_at(task: Task) -> None:
    if task.completed_at is not None:
        _check_timestamp(task.completed_at)
        if not task.created_at <= task.completed_at <= task.updated_at:
            raise ValueError("must be between created_at and updated_at")


def _check_created_at(task: Task) -> None:
    _check_timestamp(task.created_at)


def _check_updated_at(task: Task) -> None:
    _check_timestamp(task.updated_at)
    if task.updated_at < task.created_at:
        raise ValueError("must not be before created_at")


def _check_timestamp(value: datetime) -> None:
    if value.year not in YEARS or value != normalize_timestamp(value):
        raise ValueError(
            "must be in the years 1970 to 9998, and have a fraction of a second that is not 0"
        )


def _check_version(task: Task) -> None:
    if not 1 <= task.version <= VERSION_LIMIT:
        raise ValueError(f"must be from 1 to {VERSION_LIMIT}")


_CHECKS: dict[str, Callable[[Task], None]] = {
    "id": _check_id,
    "user_id": _check_owner,
    "title": lambda task: check_title(task.title),
    "description": lambda task: check_description(task.description),
    "completed": _check_completed,
    "completed_at": _check_completed_at,
    "created_at": _check_created_at,
    "updated_at": _check_updated_at,
    "version": _check_version,
}
