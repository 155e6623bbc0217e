"""A process that is killed at a statement of a write: `python -m tests.faults.killed`."""

import itertools
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import Engine, event
from tests.databases import service_engine
from tests.keyed import add_once

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, complete_task, create_task, remove_task
from taskservice.core.workspace import Workspace

OpenOwn = Callable[..., AbstractContextManager[Workspace]]


def prepare(open_own: OpenOwn) -> None:
    """Store a plain task, one that recurs, and one with a sub-task."""
    with open_own() as workspace:
        workspace.tasks.add(NewTask(title="plain"))
        workspace.tasks.add(NewTask(title="daily", due=date(2026, 3, 1), recurrence="FREQ=DAILY"))
        parent = workspace.tasks.add(NewTask(title="parent"))
    create_task(open_own, NewTask(title="below", parent_id=parent.id))


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


def _named(title: str, open_own: OpenOwn) -> Task:
    with open_own() as workspace:
        return next(task for task in workspace.tasks.list(TaskQuery()).items if task.title == title)


WRITES: dict[str, tuple[Callable[[OpenOwn], None], int]] = {
    "create": (_create, 1),
    "create with a key": (_create_with_key, 1),
    "change": (_change, 1),
    "remove": (_remove, 1),
    "remove a parent": (_promote, 2),
    "close a task that recurs": (_close, 2),
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
