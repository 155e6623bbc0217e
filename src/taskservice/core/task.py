"""The task entity: its fields and operations, which return a new task and have no side effects."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar, Self

from taskservice.core.entity import Entity, created_at, updated_at, version
from taskservice.core.errors import FieldError, TaskNotFound
from taskservice.core.fields import field, with_fields
from taskservice.core.kinds import Boolean, Integer, Line, Text, Timestamp

TITLE_LIMIT = 255
"""The maximum length of a title, in code points."""

DESCRIPTION_LIMIT = 10_000
"""The maximum length of a description, in code points."""


@with_fields
class NewTask:
    """The fields of a task that its owner sets."""

    title: str = field(
        Line(TITLE_LIMIT),
        "The title: one line of text, not only whitespace.",
        example="Buy milk",
        sortable=True,
    )
    description: str | None = field(
        Text(DESCRIPTION_LIMIT), "A longer text, or null.", example=None, default=None
    )
    completed: bool = field(
        Boolean(), "Whether the task is completed.", example=False, default=False
    )
    priority: int | None = field(
        Integer(1, 9, "must be from 1 (highest) to 9 (lowest), or null for none"),
        "From 1 (highest) to 9 (lowest), or null for none. Of three levels, high is 1, "
        "medium 5 and low 9 (RFC 5545, section 3.8.1.9).",
        example=None,
        default=None,
        since=3,
    )


@with_fields
class Task(NewTask, Entity):
    """One owner's task; the fields are in the order of the JSON."""

    completed_at: datetime | None = field(
        Timestamp(), "The time of completion, null while open.", example=None, default=None
    )
    created_at: datetime = created_at()
    updated_at: datetime = updated_at()
    version: int = version()

    type_name: ClassVar = "task"
    new_type: ClassVar = NewTask
    not_found: ClassVar = TaskNotFound

    @property
    def search_text(self) -> str:
        """Title and description with case folding, for the search; no match spans both."""
        return f"{self.title}\x1f{self.description or ''}".casefold()

    def complete(self, now: datetime) -> Self:
        """Return the task completed. A completed task keeps its `completed_at`."""
        return self._changed(now, {"completed": True})

    def reopen(self, now: datetime) -> Self:
        """Return the task open, without `completed_at`."""
        return self._changed(now, {"completed": False})

    def derived(self, now: datetime) -> Self:
        """Return the task with the `completed_at` that follows from `completed`."""
        completed_at = (self.completed_at or now) if self.completed else None
        return (
            self if completed_at == self.completed_at else replace(self, completed_at=completed_at)
        )

    @classmethod
    def rule_errors(cls, values: Mapping[str, Any]) -> Iterator[FieldError]:
        """Yield the errors of `completed` and `completed_at`."""
        match values:
            case {"completed": completed, "completed_at": at} if completed != (at is not None):
                yield FieldError("completed", "must be true if completed_at is set, and only then")
        match values:
            case {"completed_at": datetime() as at, "created_at": created, "updated_at": updated}:
                if not created <= at <= updated:
                    message = "must be between created_at and updated_at"
                    yield FieldError("completed_at", message)
