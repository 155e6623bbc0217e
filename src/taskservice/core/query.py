"""Task queries: filters, sort order and keyset pagination."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self, get_args

from taskservice.core.task import Task

PAGE_LIMIT = 200
"""The maximum number of tasks on a page."""

PAGE_DEFAULT = 100
"""The default number of tasks on a page."""

SortField = Literal["created_at", "updated_at", "title"]
"""A field to sort tasks by."""

SORT_FIELDS: tuple[SortField, ...] = get_args(SortField)
"""All fields to sort tasks by."""

Position = tuple[Any, ...]
"""The position of a task in a sort order: its sort key, which ends with its id."""


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A sort order: by a field, then by id in the same direction.

    `created_at` sorts by id, which is the order of creation to the millisecond.
    `title` sorts by code point.
    """

    field: SortField = "created_at"
    descending: bool = True

    def key(self, task: Task) -> Position:
        """Return the position of `task`."""
        return (task.id,) if self.field == "created_at" else (getattr(task, self.field), task.id)

    def comes_after(self, key: Position, position: Position) -> bool:
        """Return whether `key` comes after `position`."""
        return key < position if self.descending else key > position


@dataclass(frozen=True, kw_only=True)
class TaskQuery:
    """A query for one owner's tasks. A filter that is None admits every task.

    `text` is searched in title and description, ignoring case (`str.casefold`).
    Times `…_after` are inclusive, times `…_before` exclusive; both are aware. A
    page has up to `limit` tasks, 1 to 200, and starts after the position `after`
    (keyset pagination). If `with_total`, the page has the total number of tasks.
    """

    completed: bool | None = None
    text: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    sort: Sort = Sort()
    limit: int = PAGE_DEFAULT
    after: Position | None = None
    with_total: bool = False

    def admits(self, task: Task) -> bool:
        """Return whether `task` matches all filters.

        This is the specification for every adapter, and the oracle of the
        contract suite.
        """
        return (
            (self.completed is None or task.completed == self.completed)
            and (self.text is None or self.text.casefold() in task.search_text)
            and _is_within(task.created_at, self.created_after, self.created_before)
            and _is_within(task.updated_at, self.updated_after, self.updated_before)
        )

    def page(self, tasks: Iterable[Task]) -> "Page":
        """Filter, sort and paginate an owner's `tasks` in memory."""
        found = sorted(filter(self.admits, tasks), key=self.sort.key, reverse=self.sort.descending)
        following = [task for task in found if self._is_after_position(task)]
        return Page.of(following, self, len(found) if self.with_total else None)

    def _is_after_position(self, task: Task) -> bool:
        return self.after is None or self.sort.comes_after(self.sort.key(task), self.after)


@dataclass(frozen=True, kw_only=True)
class Page:
    """One page of an owner's tasks, in order.

    `next` is the query for the next page, or None. `total` is the number of all
    tasks that match the filters, or None unless the query has `with_total`.
    """

    tasks: list[Task]
    next: TaskQuery | None = None
    total: int | None = None

    @classmethod
    def of(cls, found: list[Task], query: TaskQuery, total: int | None = None) -> Self:
        """Return a page of `found`; a task beyond `query.limit` means that there is a next page."""
        tasks = found[: query.limit]
        has_next = len(found) > query.limit
        next_query = replace(query, after=query.sort.key(tasks[-1])) if has_next else None
        return cls(tasks=tasks, next=next_query, total=total)


def _is_within(time: datetime, first: datetime | None, end: datetime | None) -> bool:
    return (first is None or time >= first) and (end is None or time < end)
