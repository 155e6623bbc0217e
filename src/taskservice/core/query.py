"""What a list may ask, and what it answers."""

from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from taskservice.core.task import Task

PAGE_LIMIT = 200
PAGE_DEFAULT = 100


@dataclass(frozen=True, kw_only=True)
class TaskQuery:
    """A question to one owner's tasks, newest first.

    `completed` keeps the tasks of that state, or all where it is None;
    `limit` is the length of a page, 1 to 200; `after` is the last task of the
    page before (keyset pagination: a position, never a count).
    """

    completed: bool | None = None
    limit: int = PAGE_DEFAULT
    after: UUID | None = None

    def admits(self, task: Task) -> bool:
        """Tell whether `task` belongs on this page or a later one.

        Every adapter answers as this does: it is the definition, and the
        oracle of the contract suite.
        """
        return (self.completed is None or task.completed == self.completed) and (
            self.after is None or task.id < self.after
        )

    @staticmethod
    def sort_key(task: Task) -> UUID:
        """Return what orders the tasks, largest first: the id is the order of creation."""
        return task.id


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of an owner's tasks, in order; `next` asks for the page that follows, if one does."""

    tasks: list[Task]
    next: TaskQuery | None = None

    @classmethod
    def of(cls, found: list[Task], query: TaskQuery) -> Self:
        """Return the page that `query` asks for; `found` holds one task more where more follow."""
        tasks = found[: query.limit]
        more = len(found) > query.limit
        return cls(tasks=tasks, next=replace(query, after=tasks[-1].id) if more else None)
