"""The list entity: a name for tasks that belong together. A task is in one list, or the inbox."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from taskservice.core.entity import created_at, updated_at, version
from taskservice.core.errors import ListNotFound
from taskservice.core.fields import field, with_fields
from taskservice.core.kinds import Line
from taskservice.core.ordering import Ordered, position
from taskservice.core.query import Query

LIST_NAME_LIMIT = 255
"""The maximum length of a list's name, in code points."""


@with_fields
class NewTaskList:
    """The fields of a list that its owner sets."""

    name: str = field(
        Line(LIST_NAME_LIMIT),
        "The name: one line of text, not only whitespace. Other lists may have the same.",
        example="Groceries",
    )


@with_fields
class TaskList(NewTaskList, Ordered):
    """One owner's list of tasks."""

    position: str = position()
    created_at: datetime = created_at()
    updated_at: datetime = updated_at()
    version: int = version()

    type_name: ClassVar = "list"
    new_type: ClassVar = NewTaskList
    not_found: ClassVar = ListNotFound


@dataclass(frozen=True, kw_only=True)
class TaskListQuery(Query[TaskList]):
    """A query for one owner's lists."""

    entity_type: ClassVar = TaskList
