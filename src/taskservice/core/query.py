"""What a list may ask, and what it answers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self, get_args

from taskservice.core.task import Task

PAGE_LIMIT = 200
"""How many tasks a page holds at most."""

PAGE_DEFAULT = 100
"""How many tasks a page holds where nobody says."""

SortField = Literal["created_at", "updated_at", "title"]
"""A field that tasks can be sorted by."""

SORT_FIELDS: tuple[SortField, ...] = get_args(SortField)
"""All of these fields."""

Position = tuple[Any, ...]
"""Where a task stands in a sort: its sort key, which ends with its id."""


@dataclass(frozen=True, kw_only=True)
class Sort:
    """An order of tasks: by a field, and by id in the same direction where that is equal.

    `created_at` is the order of creation, which is that of the ids, exact to
    the millisecond; `title` is by code point.
    """

    field: SortField = "created_at"
    descending: bool = True

    def key(self, task: Task) -> Position:
        """Return where `task` stands."""
        return (task.id,) if self.field == "created_at" else (getattr(task, self.field), task.id)

    def comes_after(self, key: Position, position: Position) -> bool:
        """Tell whether `key` stands behind `position`."""
        return key < position if self.descending else key > position


@dataclass(frozen=True, kw_only=True)
class TaskQuery:
    """A question to one owner's tasks. A filter that is None admits every task.

    `text` is found in title or description, whatever the case of either (as
    `str.casefold` folds it). What is `…_after` begins with that moment, what
    is `…_before` ends in front of it; moments are aware. A page holds up to `limit` tasks, 1 to
    200, and begins behind the position `after` (keyset pagination). Only a
    query that is `counted` is answered with the number of all tasks it admits.
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
    counted: bool = False

    def admits(self, task: Task) -> bool:
        """Tell whether `task` is among those asked for, on whichever page.

        Every adapter answers as this does: it is the definition, and the
        oracle of the contract suite.
        """
        return (
            (self.completed is None or task.completed == self.completed)
            and (self.text is None or self.text.casefold() in task.search_text)
            and _is_within(task.created_at, self.created_after, self.created_before)
            and _is_within(task.updated_at, self.updated_after, self.updated_before)
        )

    def page(self, tasks: Iterable[Task]) -> "Page":
        """Return the page of an owner's `tasks` that this query asks for."""
        found = sorted(filter(self.admits, tasks), key=self.sort.key, reverse=self.sort.descending)
        behind = [task for task in found if self._is_ahead(task)]
        return Page.of(behind, self, len(found) if self.counted else None)

    def _is_ahead(self, task: Task) -> bool:
        return self.after is None or self.sort.comes_after(self.sort.key(task), self.after)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some of an owner's tasks, in order.

    `next` asks for the page that follows, if one does; `total` is the number
    of all tasks that the query admits, where it was `counted`.
    """

    tasks: list[Task]
    next: TaskQuery | None = None
    total: int | None = None

    @classmethod
    def of(cls, found: list[Task], query: TaskQuery, total: int | None = None) -> Self:
        """Return the page that `query` asks for; `found` holds one task more where more follow."""
        tasks = found[: query.limit]
        more = len(found) > query.limit
        following = replace(query, after=query.sort.key(tasks[-1])) if more else None
        return cls(tasks=tasks, next=following, total=total)


def _is_within(moment: datetime, first: datetime | None, end: datetime | None) -> bool:
    return (first is None or moment >= first) and (end is None or moment < end)
