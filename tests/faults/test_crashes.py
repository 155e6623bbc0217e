"""After a crash PostgreSQL gives a transaction's id to another, where no commit was written down.

What became of the first is then not to be read from the id.
"""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import date

import pytest
from sqlalchemy import Engine
from tests.databases import migrated_database, service_engine
from tests.keyed import add_once
from tests.postgres import PostgresServer

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import Unavailable
from taskservice.core.task import NewTask
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, complete_task
from taskservice.core.workspace import Workspace
from taskservice.testing import tasks_of

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
    (task,) = workspace.tasks.list(TaskQuery()).items
    complete_task(lambda **_: nullcontext(workspace), task.id, Completion(True))


WRITES: dict[str, Callable[[Workspace], object]] = {
    "with a key": lambda workspace: add_once(workspace, NewTask(title="undone")),
    "without a key": complete,
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
    with tasks_of(tasks.open_workspace)("ada") as own:
        new = NewTask(title="there", due=date(2026, 3, 1), recurrence="FREQ=DAILY")
        task = own.add(new)
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
    with tasks_of(tasks.open_workspace)("ada") as own:
        assert own.list(TaskQuery()).items == [task]
