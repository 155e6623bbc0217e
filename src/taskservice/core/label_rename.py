"""Renaming a label: on all tasks of an owner that have it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from taskservice.core.errors import FieldError, InvalidEntity
from taskservice.core.query import PAGE_LIMIT
from taskservice.core.subtasks import TOO_MANY_WITHOUT_LIMIT, TREE_LIMIT
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import OpenOwnWorkspace, TaskService, all_pages


class RenamedLabel(NamedTuple):
    """A label after a renaming: the numbers of open tasks and of all tasks that have it.

    `more` tells whether there are other tasks to change.
    """

    label: str
    open: int
    all: int
    more: bool


@dataclass(frozen=True)
class LabelRename:
    """A step: a task with `label` or `new`, whatever the case, has `new` in their place, once.

    At most `limit` tasks are changed; without one, more than `TREE_LIMIT` are an error.
    """

    label: str
    new: str
    limit: int | None = None

    def __call__(self, task: Task, now: datetime) -> Task:
        """Return the task with the label."""
        return task.edit(now, labels=self._renamed(task.labels))

    def changes(self, task: Task) -> bool:
        """Return whether the labels of a task are others then."""
        return self._renamed(task.labels) != task.labels

    def _renamed(self, labels: tuple[str, ...]) -> tuple[str, ...]:
        folded = {self.label.casefold(), self.new.casefold()}
        renamed = (self.new if one.casefold() in folded else one for one in labels)
        return tuple(dict.fromkeys(renamed))


def rename_label(open_workspace: OpenOwnWorkspace, rename: LabelRename) -> RenamedLabel:
    """Rename a label on the tasks that have it.

    Raises `InvalidEntity` if they are too many and there is no limit.
    """
    limit = rename.limit or TREE_LIMIT
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        found = [*islice(_to_change(workspace.tasks, rename), limit + 1)]
        more = len(found) > limit
        if more and rename.limit is None:
            raise InvalidEntity([FieldError("label", TOO_MANY_WITHOUT_LIMIT)])
        workspace.tasks.change_all(found[:limit], rename)
        opened = _count(workspace.tasks, rename.new, completed=False)
        return RenamedLabel(rename.new, opened, _count(workspace.tasks, rename.new), more)


def _to_change(tasks: TaskService, rename: LabelRename) -> Iterator[Task]:
    """Yield the tasks with the label, then those with another spelling of the new one."""
    with_label = _tasks_with(rename.label)
    yield from filter(rename.changes, all_pages(tasks, with_label))
    for task in filter(rename.changes, all_pages(tasks, _tasks_with(rename.new))):
        if not with_label.admits(task):
            yield task


def _tasks_with(label: str) -> TaskQuery:
    return TaskQuery(labels_any=(label,), limit=PAGE_LIMIT)


def _count(tasks: TaskService, label: str, completed: bool | None = None) -> int:
    query = replace(_tasks_with(label), completed=completed, limit=1, with_total=True)
    return tasks.list(query).total or 0
