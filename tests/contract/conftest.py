"""The homes for tasks that the contract suite runs on: memory, SQLite and a real PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.postgres import Databases
from tests.support import TickingClock

from taskservice.adapters.memory import InMemoryTasks
from taskservice.adapters.sql import schema
from taskservice.adapters.sql.engine import Timeouts, database_url, pooled_engine, single_engine
from taskservice.adapters.sql.migrating import upgrade
from taskservice.adapters.sql.task_service import SqlTasks
from taskservice.core.service import OpenTasks

ROLE = "taskservice_contract"


def served_engine(address: str) -> Engine:
    return pooled_engine(
        database_url(address),
        pool_size=16,
        pool_timeout=10,
        prepared_statements=False,
        timeouts=Timeouts(statement=3, lock=1),
    )


@pytest.fixture(scope="session")
def owner_engine(postgresql: Databases) -> Iterator[Engine]:
    """A migrated database, entered as its tables' owner, with the role that serves it."""
    address = postgresql.create_database()
    owner = single_engine(database_url(address))
    upgrade(owner)
    with owner.connect() as connection:
        connection.execute(text(f"CREATE ROLE {ROLE} LOGIN"))
    schema.grant(owner, ROLE)
    yield owner
    postgresql.drop_database(address)
    postgresql.execute(f"DROP ROLE {ROLE}")


@pytest.fixture(scope="session")
def role_engine(postgresql: Databases, owner_engine: Engine) -> Iterator[Engine]:
    """The same database, entered as the ordinary role that the service runs as."""
    engine = served_engine(postgresql.url(owner_engine.url.database, user=ROLE))
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A migrated database in a file."""
    address = f"sqlite:///{tmp_path / 'tasks.db'}"
    upgrade(single_engine(database_url(address)))
    engine = served_engine(address)
    yield engine
    engine.dispose()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def open_tasks(request: pytest.FixtureRequest, clock: TickingClock) -> OpenTasks:
    """The port, over each adapter in turn, with no task in it."""
    if request.param == "memory":
        return InMemoryTasks(clock).open_tasks
    if request.param == "sqlite":
        return SqlTasks(request.getfixturevalue("sqlite"), clock).open_tasks
    owner_engine, role_engine = map(request.getfixturevalue, ("owner_engine", "role_engine"))
    with owner_engine.connect() as connection:
        connection.execute(text("TRUNCATE tasks, receipts"))
    return SqlTasks(role_engine, clock).open_tasks
