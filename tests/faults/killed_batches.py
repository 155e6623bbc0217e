"""Batches to kill at a statement; see `killed`. Their commands are such that writes wait."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID, uuid4

from taskservice.core.batch import Batch, Command, run_batch
from taskservice.core.entity import Edit
from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.preconditions import at_version
from taskservice.core.task import NewTask
from taskservice.core.tasks import change_task, create_task, remove_task
from taskservice.core.workspace import Workspace, joining

OpenOwn = Callable[..., AbstractContextManager[Workspace]]
Named = Callable[[str], UUID]
"""Returns the id of the task with a title."""

STALE = 7
"""A version that no task has."""


def run_atomic(open_own: OpenOwn, named: Named) -> None:
    """Create, change, create, and remove: before a statement that looks, new tasks are sent."""
    commands = [_create("one"), _create("two"), _edit(named("plain"))]
    commands += [_create("three"), _remove(named("edited"))]
    run_batch(open_own, Batch(commands))


def run_each(open_own: OpenOwn, named: Named) -> None:
    """Create and change, with commands that fail between: one is stale, one is of no task."""
    stale = _edit(named("edited"), STALE)
    commands = [_create("one"), stale, _edit(named("plain")), _create("two"), _remove(uuid4())]
    results = run_batch(open_own, Batch(commands, is_atomic=False))
    assert [isinstance(result, Exception) for result in results] == [0, 1, 0, 0, 1]


def run_once(open_own: OpenOwn, named: Named) -> None:
    """Run the atomic batch with an idempotency key."""
    with open_own(atomic=True) as workspace:
        if begin(workspace.idempotency, IdempotencyKey("batch", b"fingerprint")) is None:
            run_atomic(joining(workspace), named)
            workspace.idempotency.complete("batch", b"done")


def _create(title: str) -> Command:
    return Command(lambda open_own, _: create_task(open_own, NewTask(title=title)))


def _edit(task_id: UUID, version: int | None = None) -> Command:
    condition = None if version is None else at_version({version})
    edit = Edit({"description": "changed"})
    return Command(lambda open_own, _: change_task(open_own, task_id, edit, condition))


def _remove(task_id: UUID) -> Command:
    return Command(lambda open_own, _: remove_task(open_own, task_id))


WRITES: dict[str, tuple[Callable[[OpenOwn, Named], None], int]] = {
    "atomic batch": (run_atomic, 5),
    "batch in mode each": (run_each, 3),
    "batch with a key": (run_once, 5),
}
"""The batches, and how many changes each makes."""
