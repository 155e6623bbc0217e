"""The query of tasks: its filters."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from taskservice.core.filters import Operator, filter_by
from taskservice.core.kinds import SearchText
from taskservice.core.query import Query
from taskservice.core.task import Task

SEARCH_LIMIT = 255
"""The maximum length of a search text, in code points."""

_MIDNIGHT = "2026-02-09T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class TaskQuery(Query[Task]):
    """A query for one owner's tasks. A filter that is None admits every task.

    Times `…_after` are inclusive, times `…_before` exclusive; both are aware.
    """

    entity_type: ClassVar = Task

    completed: bool | None = filter_by(
        "completed",
        Operator.EQUALS,
        "Only completed tasks (true) or only open tasks (false). Empty counts as absent.",
        example=False,
    )
    text: str | None = filter_by(
        "search_text",
        Operator.CONTAINS,
        "Only tasks with this text in title or description. Case is ignored. Empty counts "
        "as absent.",
        example="milk",
        kind=SearchText(SEARCH_LIMIT),
        parameter="q",
    )
    created_after: datetime | None = filter_by(
        "created_at",
        Operator.AT_LEAST,
        "Only tasks created at this time or later.",
        example=_MIDNIGHT,
    )
    created_before: datetime | None = filter_by(
        "created_at", Operator.BELOW, "Only tasks created before this time.", example=_MIDNIGHT
    )
    updated_after: datetime | None = filter_by(
        "updated_at",
        Operator.AT_LEAST,
        "Only tasks changed at this time or later.",
        example=_MIDNIGHT,
    )
    updated_before: datetime | None = filter_by(
        "updated_at", Operator.BELOW, "Only tasks changed before this time.", example=_MIDNIGHT
    )
