"""The task entity: its fields and operations, which return a new task and have no side effects."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self, TypedDict, Unpack
from uuid import UUID

from taskservice.core.clock import normalize_timestamp
from taskservice.core.errors import FieldError, InvalidTask
from taskservice.core.validation import check_description, check_title, is_owner


class Edits(TypedDict, total=False):
    """The fields that `Task.edit` may set. A missing field keeps its value."""

    title: str
    description: str | None
    completed: bool


@dataclass(frozen=True, kw_only=True)
class Task:
    """One owner's task; the fields are in the order of the JSON.

    `id` is a UUID of version 7. `user_id` is the owner, 1 to 128 characters.
    `title` has 1 to 255 code points, `description` up to 10,000. `completed_at`
    is the time of completion, None if the task is open. Times are aware, in UTC
    and to the microsecond. `version` counts the changes, from 1.
    """

    id: UUID
    user_id: str
    title: str
    description: str | None
    completed: bool
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def create(
        cls,
        owner: str,
        now: datetime,
        new_id: Callable[[datetime], UUID],
        *,
        title: str,
        description: str | None = None,
        completed: bool = False,
    ) -> Self:
        """Return a new task of `owner`, at version 1.

        `new_id` is called with the timestamp that becomes `created_at`. Raises
        `InvalidTask` with all errors.
        """
        _check(user_id=owner, title=title, description=description)
        now = normalize_timestamp(now)
        return cls(
            id=new_id(now),
            user_id=owner,
            title=title,
            description=description,
            completed=completed,
            completed_at=now if completed else None,
            created_at=now,
            updated_at=now,
            version=1,
        )

    @property
    def search_text(self) -> str:
        """Title and description with case folding, for the search; no match spans both."""
        return f"{self.title}\x1f{self.description or ''}".casefold()

    def edit(self, now: datetime, **edits: Unpack[Edits]) -> Self:
        """Return the task with the fields of `edits` set.

        Raises `InvalidTask` with all errors.
        """
        _check(**edits)
        return self._changed(now, edits)

    def complete(self, now: datetime) -> Self:
        """Return the task completed. A completed task keeps its `completed_at`."""
        return self._changed(now, {"completed": True})

    def reopen(self, now: datetime) -> Self:
        """Return the task open, without `completed_at`."""
        return self._changed(now, {"completed": False})

    def _changed(self, now: datetime, edits: Edits) -> Self:
        after = replace(self, **edits)
        if after == self:
            return self
        now = normalize_timestamp(now, after=self.updated_at)
        return replace(
            after,
            completed_at=(self.completed_at or now) if after.completed else None,
            updated_at=now,
            version=self.version + 1,
        )


Step = Callable[[Task, datetime], Task]
"""A task operation as a value, for `TaskService.change`: maps a task and the time to a new task."""


def _check(**values: object) -> None:
    if errors := tuple(_errors(values)):
        raise InvalidTask(errors)


def _errors(values: dict[str, object]) -> Iterator[FieldError]:
    for field, check in _CHECKS.items():
        try:
            if field in values:
                check(values[field])
        except ValueError as error:
            yield FieldError(field, str(error))


def _check_owner(owner: str) -> None:
    if not is_owner(owner):
        raise ValueError("is not a valid user id")


_CHECKS: dict[str, Callable[..., None]] = {
    "user_id": _check_owner,
    "title": check_title,
    "description": check_description,
}
