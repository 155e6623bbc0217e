"""After a crash PostgreSQL gives a transaction's id to another, where no commit was written down.

What became of the first is then not to be read from the id.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.databases import migrated_database, service_engine
from tests.keyed import add_once
from tests.postgres import PostgresServer

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.batch import Batch, Command, run_batch
from taskservice.core.entity import Edit
from taskservice.core.errors import Unavailable
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, change_task, complete_task, create_task, remove_task
from taskservice.core.trash import purge_all, restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.undo import undo
from taskservice.core.workspace import Workspace
from taskservice.testing import tasks_of

TITLE = {"title": "undone"}
MANY = 20
"""More transactions than were under way when the database crashed."""


@pytest.fixture
def engine(postgres_server: PostgresServer) -> Iterator[Engine]:
    """The service's engine on a database that can crash."""
    with migrated_database(postgres_server) as database:
        engine = service_engine(database.service)
        yield engine
        engine.dispose()


def complete(workspace: Workspace) -> None:
    """Complete the task that is there, which makes its successor."""
    complete_task(joined(workspace), task_in(workspace).id, Completion(True))


def remove(workspace: Workspace) -> None:
    """Move the task that is there to the trash."""
    remove_task(joined(workspace), task_in(workspace).id)


def restore(workspace: Workspace) -> None:
    """Restore the task in the trash."""
    restore_task(joined(workspace), trashed_in(workspace).id)


def undo_edit(workspace: Workspace) -> None:
    """Undo the change of the task that is there."""
    task = task_in(workspace)
    (last,) = workspace.changes.of_entity(task.id, None, 1)
    undo(joined(workspace), task.id, last.sequence)


def run_commands(workspace: Workspace) -> None:
    """Create a task, which waits, and change another one, each by itself."""
    task_id = task_in(workspace).id
    commands = [
        Command(lambda open_workspace, _: create_task(open_workspace, NewTask(title="undone"))),
        Command(lambda open_workspace, _: change_task(open_workspace, task_id, Edit(TITLE))),
    ]
    run_batch(joined(workspace), Batch(commands, is_atomic=False))


def joined(workspace: Workspace) -> Any:
    """Return what opens this workspace, whose transaction is open already."""
    return lambda **_: nullcontext(workspace)


def task_in(workspace: Workspace) -> Task:
    (task,) = workspace.tasks.list(TaskQuery()).items
    return task


def trashed_in(workspace: Workspace) -> TrashedTask:
    (task,) = workspace.trash.list(TrashQuery()).items
    return task


WRITES: dict[str, Callable[[Workspace], object]] = {
    "with a key": lambda workspace: add_once(workspace, NewTask(title="undone")),
    "without a key": complete,
    "removal": remove,
    "restoration": restore,
    "purge": lambda workspace: purge_all(joined(workspace)),
    "undo": undo_edit,
    "batch": run_commands,
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("others", [0, MANY])
def test_a_commit_that_a_crash_undid_was_not_applied(
    engine: Engine,
    postgres_server: PostgresServer,
    others: int,
    write: Callable[[Workspace], object],
) -> None:
    """Whether the id is free by then, or another transaction has committed under it."""
    tasks = SqlStorage(engine)
    with tasks.open_workspace("ada") as own:
        trashed = own.tasks.add(NewTask(title="trashed"))
        own.tasks.trash(trashed.id)
        new = NewTask(title="there", due=date(2026, 3, 1), recurrence="FREQ=DAILY")
        task = own.tasks.add(new)
        task = own.tasks.change(task.id, Edit({"title": "changed"}))
    with (
        pytest.raises(Unavailable) as caught,
        tasks.open_workspace("ada", atomic=True) as workspace,
    ):
        write(workspace)
        postgres_server.restart("immediate")
        for number in range(others):
            with tasks_of(tasks.open_workspace)("bob") as own:
                own.add(NewTask(title=f"{number}"))
    assert caught.value.outcome == "not_applied"
    with tasks.open_workspace("ada") as own:
        assert task_in(own) == task
        assert trashed_in(own).task == trashed
