"""The homes for tasks that the contract suite runs on: memory, SQLite and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.homes import Home, served, served_engine, sqlite_home
from tests.postgres import Databases
from tests.support import TickingClock

from taskservice.adapters.memory import InMemoryTasks
from taskservice.adapters.sql.partitioning import partition
from taskservice.adapters.sql.task_service import SqlTasks
from taskservice.core.service import OpenTasks


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


@pytest.fixture(params=["memory", "sqlite", "postgresql", "partitioned"])
def open_tasks(request: pytest.FixtureRequest, clock: TickingClock) -> OpenTasks:
    """The port, over each adapter in turn, with no task in it."""
    if request.param == "memory":
        return InMemoryTasks(clock).open_tasks
    if request.param == "sqlite":
        return SqlTasks(request.getfixturevalue("sqlite"), clock).open_tasks
    if request.param == "partitioned":
        entered: Home = request.getfixturevalue("partitioned_home")
        return _emptied(entered, request.getfixturevalue("partitioned_engine"), clock)
    entered = request.getfixturevalue("home")
    return _emptied(entered, request.getfixturevalue("role_engine"), clock)


def _emptied(home: Home, engine: Engine, clock: TickingClock) -> OpenTasks:
    with home.inspected.connect() as connection:
        connection.execute(text("TRUNCATE tasks, receipts"))
    return SqlTasks(engine, clock).open_tasks
