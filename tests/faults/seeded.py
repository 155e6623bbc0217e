"""The service with a bug, which SEEDED_BUG names: what the checker has to notice.

It is started as the service is: `gunicorn tests.faults.seeded:app`.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from threading import Timer, local
from typing import Any
from unittest.mock import patch
from uuid import UUID

from tests.faults import seeded_batches, seeded_log, seeded_trash

from taskservice import app as wiring
from taskservice.adapters.http.api import commands, sync_tokens
from taskservice.adapters.sql.storage import repository
from taskservice.adapters.sql.storage.log import LoggedWrite
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.repository import SqlRepository, SqlStorage, SqlTasks
from taskservice.config import Settings
from taskservice.core import batch, series, subtasks, tasks, trash, undo
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.entity import Step
from taskservice.core.errors import TaskNotFound, Unavailable
from taskservice.core.moves import Siblings
from taskservice.core.preconditions import Precondition
from taskservice.core.successors import successor
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import TaskList
from taskservice.core.tasks import Completion
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import OpenOwnWorkspace, TaskService, Workspace, get_checked

NAME = "SEEDED_BUG"
SHORT, LONG = 0.02, 0.1
COMPLETE = tasks.complete_task
PROMOTE, REMOVE = subtasks.promote_subtasks, tasks.remove_task
BELOW = subtasks._subtasks_to_relocate
CHANGE, CHANGES_SERIES = tasks.change_task, series.changes_series
INSERT = SqlRepository.insert


class TaskServiceWrapper:
    """A `TaskService` around another, which it is but for a bug."""

    def __init__(self, tasks: TaskService) -> None:
        self.tasks: TaskService = tasks

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tasks, name)


class RetriesBlindly(TaskServiceWrapper):
    """Creates again what it does not know to be created."""

    def add(self, new: NewTask) -> Task:
        """Add the task, at least once."""
        with suppress(Unavailable):
            return self.tasks.add(new)
        return self.tasks.add(new)


class ReadsBack(TaskServiceWrapper):
    """Answers with what it finds after the COMMIT."""

    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        """Change the task, and look again."""
        self.tasks.change(task_id, step)
        time.sleep(SHORT)
        return self.tasks.get(task_id)


class DecidesEarly(TaskServiceWrapper):
    """Changes a task from what it was before others changed it."""

    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        """Read, decide, and write whatever others have written meanwhile."""
        before = self.tasks.get(task_id)
        time.sleep(SHORT)

        def overwrite(task: Task, now: datetime) -> Task:
            return replace(step(before, now), version=task.version + 1)

        return self.tasks.change(task_id, overwrite)


class DeniesAll(TaskServiceWrapper):
    """Says of each write that fails that it was not applied."""

    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        """Change the task, or deny it."""
        try:
            return self.tasks.change(task_id, step)
        except Unavailable as error:
            error.outcome = "not_applied"
            raise


class KeepsLabels(TaskServiceWrapper):
    """Changes a task but for its labels."""

    def change(self, task_id: UUID, step: Step[Task]) -> Task:
        """Change the task, and leave its labels."""
        return self.tasks.change(
            task_id, lambda task, now: replace(step(task, now), labels=task.labels)
        )


def toggled(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    completion: Completion,
    precondition: Precondition[Task] | None = None,
) -> Task:
    """Reopen a completed task that is to be completed."""
    with open_workspace() as workspace:
        is_open = not workspace.tasks.get(task_id).completed
    completed = completion.completed and is_open
    return COMPLETE(open_workspace, task_id, Completion(completed), precondition)


def promoted_apart(
    open_workspace: OpenOwnWorkspace,
    task_id: UUID,
    precondition: Precondition[Task] | None = None,
    **options: bool,
) -> None:
    """Put the sub-tasks where the task is in one transaction, and delete it in another."""
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        PROMOTE(workspace, get_checked(workspace.tasks, task_id, precondition))
    time.sleep(LONG)
    REMOVE(open_workspace, task_id, precondition, **options)


def all_but_first(workspace: Workspace, task: Task, after: Task) -> Sequence[Task]:
    """Return the sub-tasks that go along to another list, one too few."""
    return BELOW(workspace, task, after)[1:]


def not_moved(_: Siblings[Task], task: Task, *__: object) -> Task:
    """Say that a task stands already where it is to be moved."""
    return task


def succeeded_apart(open_workspace: OpenOwnWorkspace, task_id: UUID, *given: Any) -> Task:
    """Change a task in one transaction, and store its successor in another."""
    made: list[Task] = []
    MADE.tasks = made
    changed = CHANGE(open_workspace, task_id, *given)
    for one in made[-1:]:
        time.sleep(LONG)
        with open_workspace(atomic=True) as workspace, suppress(TaskNotFound):
            workspace.tasks.get(task_id)
            INSERT(workspace.tasks, one)  # type: ignore[arg-type]
    return changed


def stored_later(_: SqlRepository[Task], task: Task) -> None:
    """Keep a successor for another transaction."""
    MADE.tasks.append(task)


MADE = local()


def removed_anyway(workspace: Workspace, task: Task) -> bool:
    """Remove the successor of a task, also if it was changed."""
    if task.next_id is not None:
        with suppress(TaskNotFound):
            workspace.tasks.remove(task.next_id)
    return True


def begins_again(before: Task, after: Task) -> bool:
    """Say that a task which is closed again is closed now."""
    return CHANGES_SERIES(before, after) or (after.completed and after.recurrence is not None)


def closed_again(closing: Any, task: Task, now: datetime) -> Task:
    """Make a successor of a task that is to be closed, whether it is closed already or not."""
    after: Task = closing._step(task, now)
    closing.successor = successor(after, closing._new_id) if after.completed else None
    if closing.successor is None or task.completed:
        return after
    return replace(after, next_id=closing.successor.id)


@contextmanager
def acknowledged_early(
    storage: SqlStorage, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
) -> Iterator[Workspace]:
    """Yield a workspace whose COMMIT comes after the answer."""
    transaction = OPEN(storage, owner, atomic=True, origin=origin)
    yield transaction.__enter__()

    def commit() -> None:
        with suppress(Unavailable):
            transaction.__exit__(None, None, None)

    Timer(LONG, commit).start()


OPEN = SqlStorage.open_workspace


def wrap_tasks(kind: type[TaskServiceWrapper]) -> Callable[..., Any]:
    """Return an `open_workspace` with `kind` around the tasks outside of transactions."""

    @contextmanager
    def open_workspace(
        storage: SqlStorage, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Any]:
        with OPEN(storage, owner, atomic=atomic, origin=origin) as workspace:
            repositories = {Task: kind(workspace.tasks), TaskList: workspace.lists}
            yield workspace if atomic else workspace._replace(repository=repositories.get)

    return open_workspace


def unresolved() -> Any:
    """Have the adapter ask nobody what became of a write whose answer was lost."""
    return patch.object(repository, "retry_on_disconnect", lambda ask: ask())


BUGS: dict[str, tuple[Any, ...]] = {
    "none": (),
    "acknowledges before COMMIT": (patch.object(SqlStorage, "open_workspace", acknowledged_early),),
    "retries without a key": (
        unresolved(),
        patch.object(SqlStorage, "open_workspace", wrap_tasks(RetriesBlindly)),
    ),
    "toggles": (patch.object(tasks, "complete_task", toggled),),
    "reads back": (unresolved(), patch.object(SqlStorage, "open_workspace", wrap_tasks(ReadsBack))),
    "keeps labels": (patch.object(SqlStorage, "open_workspace", wrap_tasks(KeepsLabels)),),
    "promotes apart": (patch.object(tasks, "remove_task", promoted_apart),),
    "leaves a sub-task": (patch.object(subtasks, "_subtasks_to_relocate", all_but_first),),
    "loses moves": (patch.object(Siblings, "move", not_moved),),
    "successor outside the transaction": (
        patch.object(tasks, "change_task", succeeded_apart),
        patch.object(SqlRepository, "insert", stored_later),
    ),
    "undo deletes an edited successor": (
        patch.object(series, "_remove_successor", removed_anyway),
    ),
    "a second successor on a retry": (
        patch.object(tasks, "changes_series", begins_again),
        patch.object(series._Closing, "__call__", closed_again),
    ),
    "closes without a successor": (patch.object(series, "successor", lambda *_: None),),
    "a number taken outside the lock": (
        patch.object(LoggedWrite, "count", seeded_log.numbered_early),
    ),
    "a log row written after COMMIT": (
        patch.object(LoggedWrite, "count", seeded_log.logged_later),
    ),
    "a delta token without its second position": (
        patch.object(sync_tokens, "encode", seeded_log.without_seen),
    ),
    "a restore that keeps the version": (
        patch.object(TrashedTask, "restored", seeded_trash.keeps_version),
    ),
    "a restore that is lost": (patch.object(trash, "restore_task", seeded_trash.rolled_back),),
    "a purge that leaves a title in the log": (
        patch.object(mapping_of(TrashedTask), "delete", seeded_trash.unscrubbed()),
    ),
    "a list that sees the trash": (patch.object(SqlTasks, "list", seeded_trash.list_with_trash),),
    "an undo that blanks a later edit": (patch.object(undo, "state_at", lambda task, _: task),),
    "a removal that leaves the row in tasks": (
        patch.object(SqlTasks, "trash", seeded_trash.kept_in_tasks),
    ),
    "a savepoint that keeps a failed command's writes": (
        patch.object(repository, "_savepoint", seeded_batches.kept),
        patch.object(commands, "change_task", seeded_batches.checked_after(CHANGE)),
        patch.object(commands, "complete_task", seeded_batches.checked_after(COMPLETE)),
    ),
    "a batch committed in two parts": (
        patch.object(batch, "run_batch", seeded_batches.in_two_parts),
    ),
    "a keyed batch that is done twice": (
        patch.object(batch, "run_batch", seeded_batches.without_key),
    ),
    "a dry run that is committed": (patch.object(batch, "run_batch", seeded_batches.committed),),
    "decides early": (patch.object(SqlStorage, "open_workspace", wrap_tasks(DecidesEarly)),),
    "denies all": (unresolved(), patch.object(SqlStorage, "open_workspace", wrap_tasks(DeniesAll))),
}


def seeded(bug: str) -> Any:
    """Return the application with a bug."""
    for one in BUGS[bug]:
        one.start()
    return wiring.production_app(Settings.from_environment(os.environ))


if NAME in os.environ:
    app = seeded(os.environ[NAME])
