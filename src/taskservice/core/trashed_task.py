"""The trashed task: a task that was removed, whole, with when and with which other one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from taskservice.core.clock import normalize_timestamp
from taskservice.core.entity import Find
from taskservice.core.errors import FieldError
from taskservice.core.fields import field, fields_of, with_fields
from taskservice.core.filters import Operator, filter_by
from taskservice.core.kinds import Identifier, Timestamp
from taskservice.core.query import Query, Sort
from taskservice.core.task import Task


@with_fields
class TrashedTask(Task):
    """A task in the trash. What it refers to may be gone."""

    trashed_at: datetime = field(
        Timestamp(),
        "The time at which the task was deleted.",
        example="2026-02-10T08:00:00.123456Z",
        sortable=True,
    )
    trashed_with: UUID | None = field(
        Identifier(),
        "The task with whose sub-tasks this one was deleted, which may be itself, or null. "
        "Restoring that one restores this one too.",
        example=None,
    )

    type_name: ClassVar = "trashed-task"
    is_detached: ClassVar = True

    @property
    def task(self) -> Task:
        """The task as it was."""
        return Task(**{name: getattr(self, name) for name in fields_of(Task)})

    @property
    def changed_at(self) -> datetime:
        """The time of the last change, which is the deletion."""
        return self.trashed_at

    def restored(self, task: Task, now: datetime) -> Task:
        """Return a task, which is this one with its new place, as the next version."""
        updated_at = normalize_timestamp(now, after=self.trashed_at)
        return replace(task, updated_at=updated_at, version=self.version + 1)

    @classmethod
    def change_type(cls, name: str) -> str:
        """Return the type of a change: a removal put the task here, and a purge removes it."""
        return Task.change_type({"created": "removed", "removed": "purged"}[name])

    @classmethod
    def placement_errors(
        cls, values: Mapping[str, Any], find: Find, height: int = 1
    ) -> Iterator[FieldError]:
        """Yield nothing, as the task has no place."""
        yield from ()

    @classmethod
    def rule_errors(cls, values: Mapping[str, Any]) -> Iterator[FieldError]:
        """Yield the errors of the task, and that of the time."""
        yield from super().rule_errors(values)
        match values:
            case {"trashed_at": datetime() as at, "updated_at": updated} if at < updated:
                yield FieldError("trashed_at", "must not be before updated_at")


@dataclass(frozen=True, kw_only=True)
class TrashQuery(Query[TrashedTask]):
    """A query for the tasks in one owner's trash."""

    sort: Sort = Sort(field="trashed_at")

    entity_type: ClassVar = TrashedTask

    trashed_before: datetime | None = filter_by(
        "trashed_at", Operator.BELOW, "Only tasks deleted before this time.", example=None
    )
    trashed_with: UUID | None = filter_by(
        "trashed_with", Operator.EQUALS, "Only tasks deleted with this one.", example=None
    )
