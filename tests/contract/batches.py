"""Batches below HTTP."""

from collections.abc import Callable, Sequence
from typing import Any

from taskservice.core.batch import Batch, Command, Result, run_batch
from taskservice.core.entity import Edit
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import change_task, create_task
from taskservice.core.workspace import OpenOwnWorkspace


def batch(open_own: OpenOwnWorkspace, *commands: Command, atomic: bool) -> Sequence[Result]:
    """Run a batch."""
    return run_batch(open_own, Batch(commands, atomic))


def command(run: Callable[..., Any], *args: Any, **kwargs: Any) -> Command:
    """Return the command that runs an operation."""
    return Command(lambda open_own, _: run(open_own, *args, **kwargs))


def create(title: str = "x", **fields: Any) -> Command:
    """Return the command that creates a task."""
    return command(create_task, NewTask(title=title, **fields))


def edit(task: Task, **values: Any) -> Command:
    """Return the command that changes a task."""
    return command(change_task, task.id, Edit(values))
