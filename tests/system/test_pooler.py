"""Through PgBouncer in transaction mode: nothing that was said of one client is left to the next.

Needs Debian's package pgbouncer: `tox -e pooler` runs it.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine
from tests.contract.batches import batch, command, create
from tests.databases import Database, migrated_database, service_engine
from tests.http_callers import token_of
from tests.keyed import add_once
from tests.pgbouncer import pooled
from tests.postgres import Databases
from tests.processes import gunicorn
from tests.secret_values import SECRET

from taskservice.adapters.sql.connection.sessions import PREPARE_THRESHOLD
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import TaskNotFound
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import remove_task
from taskservice.core.workspace import OpenOwnWorkspace
from taskservice.testing import tasks_of

pytestmark = pytest.mark.pooler

CLIENTS, SERVERS, ROUNDS = 12, 3, 100
LEFT = """
    SELECT current_setting('taskservice.owner', true), current_setting('statement_timeout'),
           current_setting('lock_timeout'), (SELECT count(*) FROM tasks)
"""


@pytest.fixture(scope="module")
def database(postgresql: Databases) -> Iterator[Database]:
    with migrated_database(postgresql) as database:
        yield database


@pytest.fixture(scope="module")
def through(database: Database) -> Iterator[str]:
    """The address through a pooler with few connections."""
    with pooled(database.service, servers=SERVERS) as address:
        yield address


@pytest.fixture
def engine(through: str) -> Iterator[Engine]:
    """The service's engine, as it is by default, with more connections than the pooler has."""
    engine = service_engine(through, pool_size=CLIENTS)
    yield engine
    engine.dispose()


def live(engine: Engine, number: int) -> None:
    """Call every method again and again, and see no task of another user."""
    owner = f"user-{number}"
    for turn in range(ROUNDS):
        with tasks_of(SqlStorage(engine).open_workspace)(owner) as tasks:
            task = tasks.add(NewTask(title=f"{owner} {turn}"))
            assert tasks.change(task.id, Task.complete).user_id == owner
            found = tasks.list(TaskQuery(limit=200, with_total=True))
            assert {one.user_id for one in found.items} == {owner}
            assert found.total == 2
            tasks.remove(task.id)
        with SqlStorage(engine).open_workspace(owner, atomic=True) as workspace:
            again = add_once(workspace, NewTask(title=f"{owner} keyed"))
            assert (again.user_id, again.title) == (owner, f"{owner} keyed")
        live_in_a_batch(partial(SqlStorage(engine).open_workspace, owner), owner)


def live_in_a_batch(open_own: OpenOwnWorkspace, owner: str) -> None:
    """Create two tasks, with a command that fails between them, and delete them for good."""
    title, unused = f"{owner} batch", UUID(int=0)
    commands = create(title), command(remove_task, unused), create(title)
    one, refused, other = batch(open_own, *commands, atomic=False)
    assert isinstance(one, Task)
    assert isinstance(refused, TaskNotFound)
    assert isinstance(other, Task)
    assert {one.user_id, other.user_id} == {owner}
    with open_own(atomic=True) as workspace:
        workspace.lock()
        workspace.tasks.remove_all([one, other])


@pytest.mark.parametrize(("able", "threshold"), [(False, None), (True, PREPARE_THRESHOLD)])
def test_statements_are_prepared_only_where_declared(
    through: str, able: bool, threshold: int | None
) -> None:
    """By default nothing is left with the pooler, which gives it to somebody else."""
    engine = service_engine(through, prepared_statements=able)
    raw = engine.raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.Connection)
    assert driver.prepare_threshold == threshold
    raw.close()
    engine.dispose()


def test_many_owners_share_few_connections(engine: Engine, through: str) -> None:
    """12 owners on 3 connections meet their own rows alone, and leave nothing behind."""
    for number in range(CLIENTS):
        with SqlStorage(engine).open_workspace(f"user-{number}", atomic=True) as workspace:
            add_once(workspace, NewTask(title=f"user-{number} keyed"))
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(partial(live, engine), range(CLIENTS)))
    with psycopg.connect(through, autocommit=True) as stranger:
        for _ in range(4 * SERVERS):
            left = stranger.execute(LEFT).fetchone()
            assert left in {(None, "0", "0", 0), ("", "0", "0", 0)}


def test_the_service_runs_through_it(database: Database, through: str, tmp_path: Path) -> None:
    """gunicorn with default settings: two users at once, every answer their own."""
    settings = {"DATABASE_URL": through, "TASKSERVICE_JWT_SECRET": SECRET}
    with gunicorn(tmp_path, **settings) as service:

        def use(user: str) -> set[str]:
            path, token = f"/api/tasks/{user}/tasks", token_of(user)
            for n in range(50):
                assert service("POST", path, token, {"title": f"{n}"}).status == 201
            return {task["user_id"] for task in service("GET", path, token).json}

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(use, ["ada", "bob"])) == [{"ada"}, {"bob"}]
        assert service("GET", "/readyz").status == 200
