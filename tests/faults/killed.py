"""A process that is killed at a statement of a write: `python -m tests.faults.killed`."""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Engine, event
from tests.databases import service_engine
from tests.faults import killed_batches
from tests.faults.killed_batches import Named, OpenOwn
from tests.keyed import add_once

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.entity import Edit
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, complete_task, create_task, remove_task
from taskservice.core.trash import purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.undo import undo


def prepare(open_own: OpenOwn) -> None:
    """Store a plain task, some that recur or have a sub-task, and some of these in the trash."""
    rule: dict[str, Any] = {"due": date(2026, 3, 1), "recurrence": "FREQ=DAILY"}
    with open_own() as workspace:
        workspace.tasks.add(NewTask(title="plain"))
        workspace.tasks.add(NewTask(title="daily", **rule))
        done = workspace.tasks.add(NewTask(title="done", **rule))
        edited = workspace.tasks.add(NewTask(title="edit"))
        workspace.tasks.change(edited.id, Edit({"title": "edited"}))
        root = workspace.tasks.add(NewTask(title="trashed"))
        # Behind the others, so that none must make room for the task below.
        parent = workspace.tasks.add(NewTask(title="parent"))
    create_task(open_own, NewTask(title="below", parent_id=parent.id))
    create_task(open_own, NewTask(title="trashed below", parent_id=root.id))
    remove_task(open_own, root.id, with_subtasks=True)
    complete_task(open_own, done.id, Completion(True))


def _create(open_own: OpenOwn) -> None:
    with open_own() as workspace:
        workspace.tasks.add(NewTask(title="new"))


def _create_with_key(open_own: OpenOwn) -> None:
    with open_own(atomic=True) as workspace:
        add_once(workspace, NewTask(title="new"))


def _change(open_own: OpenOwn) -> None:
    task = _named("plain", open_own)
    with open_own() as workspace:
        workspace.tasks.change(task.id, Task.complete)


def _remove(open_own: OpenOwn) -> None:
    remove_task(open_own, _named("plain", open_own).id)


def _promote(open_own: OpenOwn) -> None:
    remove_task(open_own, _named("parent", open_own).id)


def _close(open_own: OpenOwn) -> None:
    complete_task(open_own, _named("daily", open_own).id, Completion(True))


def _restore(open_own: OpenOwn) -> None:
    restore_task(open_own, _trashed(open_own).id)


def _purge(open_own: OpenOwn) -> None:
    purge_task(open_own, _trashed(open_own).id)


def _undo(title: str, open_own: OpenOwn) -> None:
    task = _named(title, open_own)
    with open_own() as workspace:
        (last,) = workspace.changes.of_entity(task.id, None, 1)
    undo(open_own, task.id, last.sequence)


def _batch(run: Callable[[OpenOwn, Named], None], open_own: OpenOwn) -> None:
    run(open_own, lambda title: _named(title, open_own).id)


def _named(title: str, open_own: OpenOwn) -> Task:
    """Return the first of a series, if there are several."""
    query = TaskQuery(sort=Sort(field="created_at", descending=False))
    with open_own() as workspace:
        return next(task for task in workspace.tasks.list(query).items if task.title == title)


def _trashed(open_own: OpenOwn) -> TrashedTask:
    with open_own() as workspace:
        found = workspace.trash.list(TrashQuery()).items
        return next(task for task in found if task.id == task.trashed_with)


WRITES: dict[str, tuple[Callable[[OpenOwn], None], int]] = {
    "create": (_create, 1),
    "create with a key": (_create_with_key, 1),
    "change": (_change, 1),
    "remove": (_remove, 1),
    "remove a parent": (_promote, 2),
    "restore a tree": (_restore, 2),
    "purge": (_purge, 1),
    "undo an edit": (partial(_undo, "edited"), 1),
    "close a task that recurs": (_close, 2),
    "undo the closing of a task that recurs": (partial(_undo, "done"), 2),
    **{
        name: (partial(_batch, run), changes)
        for name, (run, changes) in killed_batches.WRITES.items()
    },
}
"""What is done to what is prepared, and how many changes it makes."""


def strike_at(engine: Engine, number: int, moment: str, strike: Callable[[], object]) -> None:
    """Strike `before` or `after` a statement, by its number."""
    numbers = itertools.count()

    def listen(*_: Any) -> None:
        if next(numbers) == number:
            strike()

    event.listen(engine, f"{moment}_cursor_execute", listen)


def kill_itself() -> None:
    """End this process at once."""
    os.kill(os.getpid(), signal.SIGKILL)


def main(owner: str, write: str, number: str, moment: str) -> None:
    """Do a write, up to a statement of it."""
    engine = service_engine(os.environ["DATABASE_URL"])
    strike_at(engine, int(number), moment, kill_itself)
    do, _ = WRITES[write]
    do(partial(SqlStorage(engine).open_workspace, owner))


if __name__ == "__main__":
    main(*sys.argv[1:])
