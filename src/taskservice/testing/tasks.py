"""Opens one owner's tasks, for tests that need nothing else of a workspace."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from taskservice.core.workspace import OpenWorkspace, TaskService


class OpenTasks(Protocol):
    """Opens one owner's tasks, like `OpenWorkspace`: `with open_tasks(owner) as tasks: …`."""

    def __call__(self, owner: str, *, atomic: bool = False) -> AbstractContextManager[TaskService]:
        """Return a context manager that yields the tasks of `owner`."""
        ...


def tasks_of(open_workspace: OpenWorkspace) -> OpenTasks:
    """Return a function that opens the tasks of a workspace."""

    @contextmanager
    def open_tasks(owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        with open_workspace(owner, atomic=atomic) as workspace:
            yield workspace.tasks

    return open_tasks
