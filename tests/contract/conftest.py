"""The storage adapters that the contract suite runs on: memory, SQLite and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.databases import (
    Database,
    migrated_database,
    service_engine,
    simulate_pooler,
    sqlite_database,
)
from tests.postgres import Databases

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.admin.partition import partition
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import TickingClock


@pytest.fixture(scope="session")
def database(postgresql: Databases) -> Iterator[Database]:
    """A migrated database on PostgreSQL, with its roles."""
    with migrated_database(postgresql) as database:
        yield database


@pytest.fixture(scope="session")
def superuser_engine(database: Database) -> Engine:
    """The database, entered as a superuser, who sees every row."""
    return database.superuser_engine


@pytest.fixture(scope="session")
def role_engine(database: Database) -> Iterator[Engine]:
    """The same database, entered as the ordinary role that the service runs as."""
    engine = service_engine(database.service)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def pooled_role_engine(database: Database) -> Iterator[Engine]:
    """The same, as through a transaction pooler: nothing lasts longer than a transaction."""
    engine = simulate_pooler(service_engine(database.service))
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A migrated database in a file."""
    engine = service_engine(sqlite_database(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def partitioned_database(postgresql: Databases) -> Iterator[Database]:
    """A database whose tables are in partitions by owner."""
    with migrated_database(postgresql) as database:
        partition(database.owner_engine)
        yield database


@pytest.fixture(scope="session")
def partitioned_engine(partitioned_database: Database) -> Iterator[Engine]:
    """The same database, entered as the ordinary role that the service runs as."""
    engine = service_engine(partitioned_database.service)
    yield engine
    engine.dispose()


# On PostgreSQL: the database, and how it is entered.
ENTRANCES = {
    "postgresql": ("database", "role_engine"),
    "pooler": ("database", "pooled_role_engine"),
    "partitioned": ("partitioned_database", "partitioned_engine"),
}


@pytest.fixture(params=["memory", "sqlite", *ENTRANCES])
def open_workspace(request: pytest.FixtureRequest, clock: TickingClock) -> OpenWorkspace:
    """The port, over each adapter in turn, with no task in it."""
    if request.param == "memory":
        return InMemoryStorage(clock).open_workspace
    if request.param == "sqlite":
        return SqlStorage(request.getfixturevalue("sqlite"), clock).open_workspace
    entered, engine = map(request.getfixturevalue, ENTRANCES[request.param])
    with entered.superuser_engine.connect() as connection:
        connection.execute(text("TRUNCATE tasks, lists, trash, idempotency_keys"))
    return SqlStorage(engine, clock).open_workspace
