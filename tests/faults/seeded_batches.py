"""Bugs of the batch; see `seeded`."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from taskservice.adapters.http.protocol.request import current_request
from taskservice.core import batch
from taskservice.core.batch import Batch, Command, References, Result
from taskservice.core.errors import Unavailable
from taskservice.core.preconditions import Precondition
from taskservice.core.task import Task
from taskservice.core.workspace import OpenOwnWorkspace

LONG = 0.1
RUN = batch.run_batch
_turns = itertools.count()


@contextmanager
def kept(*_: Any) -> Iterator[None]:
    """Keep what a block wrote, if it raises too."""
    yield


def checked_after(change: Callable[..., Task]) -> Callable[..., Task]:
    """Return a change of a task that checks the precondition last: a savepoint makes that right."""

    def changed_first(
        open_workspace: OpenOwnWorkspace,
        task_id: UUID,
        given: object,
        precondition: Precondition[Task] | None = None,
    ) -> Task:
        with open_workspace() as workspace:
            before = workspace.tasks.get(task_id)
        after = change(open_workspace, task_id, given)
        if precondition is not None:
            precondition(before)
        return after

    return changed_first


def in_two_parts(open_workspace: OpenOwnWorkspace, asked: Batch) -> Sequence[Result]:
    """Run half of the commands in one transaction, and the others in another one."""
    middle = len(asked.commands) // 2
    first, second = asked.commands[:middle], asked.commands[middle:]
    results = RUN(open_workspace, asked._replace(commands=first))
    made = {
        command.ref: result.id
        for command, result in zip(first, results, strict=True)
        if command.ref is not None and isinstance(result, Task)
    }
    time.sleep(LONG)
    others = [_knowing(made, command) for command in second]
    return [*results, *RUN(open_workspace, asked._replace(commands=others))]


def _knowing(made: References, command: Command) -> Command:
    return command._replace(
        run=lambda open_workspace, references: command.run(open_workspace, {**made, **references})
    )


def without_key(open_workspace: OpenOwnWorkspace, asked: Batch) -> Sequence[Result]:
    """Commit a batch with a key before the key is stored, which then fails every other time."""
    request = current_request()
    keyed, request.workspace = request.workspace, None
    try:
        results = RUN(open_workspace, asked)
    finally:
        request.workspace = keyed
    if keyed is not None and next(_turns) % 2 == 0:
        raise Unavailable("the key was not stored", "unknown")
    return results


def committed(open_workspace: OpenOwnWorkspace, asked: Batch) -> Sequence[Result]:
    """Keep what a dry run does."""
    return RUN(open_workspace, asked._replace(dry_run=False))
