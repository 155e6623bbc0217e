"""The port that carries one owner's belongings whole, to another place or out of the world."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from taskservice.core.clock import normalize_timestamp
from taskservice.core.errors import FieldError, InvalidTask, TaskServiceError
from taskservice.core.ids import first_id, last_id
from taskservice.core.query import PAGE_LIMIT, Sort, TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Task
from taskservice.core.timestamps import YEARS
from taskservice.core.validation import check_description, check_title, is_owner

VERSION_LIMIT = 2**30
"""The last version that is taken in; homes hold up to 2**31 - 1, a billion changes more."""

OLDEST_FIRST = Sort(field="created_at", descending=False)
"""The order in which belongings are carried."""


class OwnerCounts(NamedTuple):
    """How much there is of one owner."""

    tasks: int
    idempotency_records: int


class ErasureIncomplete(TaskServiceError):
    """Everything was `removed`, and its bytes can still be read in the database's files."""

    def __init__(self, removed: OwnerCounts, reason: str) -> None:
        super().__init__(f"the deleted data is still in the database files: {reason}")
        self.removed = removed


class OwnerData(Protocol):
    """All that is kept of one owner. Each method happens whole or not at all."""

    def restore(self, tasks: Sequence[Task]) -> list[Task]:
        """Store the owner's `tasks`, each of them whole, as it stands; return what was not stored.

        One that is there already, equal, counts as stored. One that is there
        in another state is not, and what is there stays; nor is another
        owner's. Raises `Unavailable`, as all methods do, when the home for
        tasks cannot be reached.
        """
        ...

    def count(self) -> OwnerCounts:
        """Return how much there is."""
        ...

    def erase(self) -> OwnerCounts:
        """Remove everything, what keys were used for included; return how much it was.

        A home that promises more, such as to overwrite what was there, raises
        `ErasureIncomplete` where it could not yet. Called again, it goes on with that.
        """
        ...


OpenOwnerData = Callable[[str], OwnerData]
"""Names the owner, here and nowhere else."""


def every_task(tasks: TaskService) -> Iterator[Task]:
    """Yield one owner's tasks, the oldest first, a page at a time.

    A task that stood throughout comes once, whatever is written meanwhile.
    """
    query: TaskQuery | None = TaskQuery(sort=OLDEST_FIRST, limit=PAGE_LIMIT)
    while query is not None:
        page = tasks.list(query)
        yield from page.tasks
        query = page.next


def validate(task: Task) -> None:
    """Raise `InvalidTask`, with every fault, unless this service could have made `task`."""
    if errors := tuple(_errors(task)):
        raise InvalidTask(errors)


def _errors(task: Task) -> Iterator[FieldError]:
    for field, check in _CHECKS.items():
        try:
            check(task)
        except ValueError as error:
            yield FieldError(field, str(error))


def _check_id(task: Task) -> None:
    if not first_id(task.created_at) <= task.id <= last_id(task.created_at) or not _is_made(task):
        raise ValueError("is not one that was made at created_at")


def _is_made(task: Task) -> bool:
    return (task.id.version, task.id.variant) == (7, UUID(int=1 << 63).variant)


def _check_owner(task: Task) -> None:
    if not is_owner(task.user_id):
        raise ValueError("is not the name of an owner")


def _check_completed(task: Task) -> None:
    if task.completed != (task.completed_at is not None):
        raise ValueError("does not agree with completed_at")


def _check_completed_at(task: Task) -> None:
    if task.completed_at is not None:
        _check_moment(task.completed_at)
        if not task.created_at <= task.completed_at <= task.updated_at:
            raise ValueError("must be from created_at to updated_at")


def _check_created_at(task: Task) -> None:
    _check_moment(task.created_at)


def _check_updated_at(task: Task) -> None:
    _check_moment(task.updated_at)
    if task.updated_at < task.created_at:
        raise ValueError("must not be before created_at")


def _check_moment(value: datetime) -> None:
    if value.year not in YEARS or value != normalize_timestamp(value):
        raise ValueError("must be a moment from 1970 to 9998 that is no whole second")


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
