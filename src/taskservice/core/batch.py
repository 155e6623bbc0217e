"""Batch: several operations on tasks in one transaction, all of them or each by itself."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from taskservice.core.errors import (
    CommandFailed,
    FieldError,
    InvalidEntity,
    TaskServiceError,
    Unavailable,
)
from taskservice.core.subtasks import TOO_MANY, TREE_LIMIT
from taskservice.core.task import Task
from taskservice.core.workspace import OpenOwnWorkspace, Workspace, joining

COMMANDS_LIMIT = 100
"""The most commands of a batch."""

CHANGES_LIMIT = TREE_LIMIT
"""The most changes of all commands together."""

References = Mapping[str, UUID]
"""The ids of the tasks that earlier commands of a batch created, by name."""


class Command(NamedTuple):
    """An operation to run on a task. The task that it creates may have a name, `ref`."""

    run: Callable[[OpenOwnWorkspace, References], Task | None]
    ref: str | None = None


class Batch(NamedTuple):
    """Commands to run in their order. If it `is_atomic`, all of them succeed or none is done.

    Otherwise one that fails leaves the others alone. Of a `dry_run` nothing is kept.
    """

    commands: Sequence[Command]
    is_atomic: bool = True
    dry_run: bool = False


Result = Task | TaskServiceError | None
"""What a command returned, or why it failed."""


class _DryRun(Exception):
    """Ends the transaction of a dry run."""


def run_batch(open_workspace: OpenOwnWorkspace, batch: Batch) -> Sequence[Result]:
    """Run the commands in one transaction, and return the result of each.

    One with which they would make more than `CHANGES_LIMIT` changes fails, and so do those
    behind it. A dry run must not join a transaction. Raises `Unavailable`, and if the batch
    is atomic `CommandFailed` for the first one that fails. Nothing is changed then.
    """
    results: list[Result] = []
    run = _run_all if batch.is_atomic else _run_each
    with suppress(_DryRun), open_workspace(atomic=True) as workspace:
        workspace.lock()
        results += run(workspace, batch.commands)
        if batch.dry_run:
            raise _DryRun
    return results


def _run_all(workspace: Workspace, commands: Sequence[Command]) -> Iterator[Result]:
    references: dict[str, UUID] = {}
    for index, command in enumerate(commands):
        try:
            yield _run(workspace, command, references)
        except Unavailable:
            raise
        except TaskServiceError as error:
            raise CommandFailed(index, error) from error


def _run_each(workspace: Workspace, commands: Sequence[Command]) -> Iterator[Result]:
    references: dict[str, UUID] = {}
    for command in commands:
        try:
            with workspace.savepoint():
                result = _run(workspace, command, references)
        except Unavailable:
            raise
        except TaskServiceError as error:
            yield error
        else:
            yield result


def _run(workspace: Workspace, command: Command, references: dict[str, UUID]) -> Task | None:
    _check_size(workspace)
    task = command.run(joining(workspace), references)
    _check_size(workspace)
    if task is not None and command.ref is not None:
        references[command.ref] = task.id
    return task


def _check_size(workspace: Workspace) -> None:
    if workspace.count_changes() > CHANGES_LIMIT:
        raise InvalidEntity([FieldError("op", TOO_MANY)])
