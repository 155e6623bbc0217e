"""The storage adapters that the contract suite runs on: memory, SQLite and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.databases import Home, behind_a_pooler, served, served_engine, sqlite_home
from tests.postgres import Databases

from taskservice.adapters.memory import InMemoryTasks
from taskservice.adapters.sql.admin.partition import partition
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.core.service import OpenTasks
from taskservice.testing import TickingClock


@pytest.fixture(scope="session")
def home(postgresql: Databases) -> Iterator[Home]:
    """A migrated database on PostgreSQL, with its roles."""
    with served(postgresql) as home:
        yield home


@pytest.fixture(scope="session")
def owner_engine(home: Home) -> Engine:
    """The database, entered as a superuser, who sees every row."""
    return home.inspected


@pytest.fixture(scope="session")
def role_engine(home: Home) -> Iterator[Engine]:
    """The same database, entered as the ordinary role that the service runs as."""
    engine = served_engine(home.service)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def pooled_role_engine(home: Home) -> Iterator[Engine]:
    """The same, as through a transaction pooler: nothing lasts longer than a transaction."""
    engine = behind_a_pooler(served_engine(home.service))
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A migrated database in a file."""
    engine = served_engine(sqlite_home(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def partitioned_home(postgresql: Databases) -> Iterator[Home]:
    """A database whose tables are in partitions by owner."""
    with served(postgresql) as home:
        partition(home.maintained)
        yield home


@pytest.fixture(scope="session")
def partitioned_engine(partitioned_home: Home) -> Iterator[Engine]:
    """The same database, entered as the ordinary role that the service runs as."""
    engine = served_engine(partitioned_home.service)
    yield engine
    engine.dispose()


# On PostgreSQL: the database, and how it is entered.
ENTRANCES = {
    "postgresql": ("home", "role_engine"),
    "pooler": ("home", "pooled_role_engine"),
    "partitioned": ("partitioned_home", "partitioned_engine"),
}


@pytest.fixture(params=["memory", "sqlite", *ENTRANCES])
def open_tasks(request: pytest.FixtureRequest, clock: TickingClock) -> OpenTasks:
    """The port, over each adapter in turn, with no task in it."""
    if request.param == "memory":
        return InMemoryTasks(clock).open_tasks
    if request.param == "sqlite":
        return SqlTasks(request.getfixturevalue("sqlite"), clock).open_tasks
    entered, engine = map(request.getfixturevalue, ENTRANCES[request.param])
    with entered.inspected.connect() as connection:
        connection.execute(text("TRUNCATE tasks, receipts"))
    return SqlTasks(engine, clock).open_tasks
