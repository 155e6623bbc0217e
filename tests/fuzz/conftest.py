"""The real application over each adapter in turn, and as an ordinary role on PostgreSQL."""

import pytest
from sqlalchemy import Engine, delete
from tests.contract.conftest import database, role_engine, sqlite, superuser_engine
from tests.databases import Database
from tests.fuzz.schemathesis_run import World
from tests.http_callers import SETTINGS
from tests.isolation.conftest import empty

from taskservice.adapters.memory import InMemoryTasks
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.adapters.sql.tables import idempotency_records, tasks
from taskservice.app import create_app

__all__ = ["database", "role_engine", "sqlite", "superuser_engine"]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """The service over each adapter in turn."""
    if request.param == "memory":
        in_memory = InMemoryTasks()
        return World(create_app(in_memory.open_tasks, SETTINGS), in_memory._owners.clear)
    if request.param == "sqlite":
        engine: Engine = request.getfixturevalue("sqlite")
        return World(create_app(SqlTasks(engine).open_tasks, SETTINGS), lambda: wipe(engine))
    database: Database = request.getfixturevalue("database")
    served = SqlTasks(request.getfixturevalue("role_engine"))
    return World(create_app(served.open_tasks, SETTINGS), lambda: empty(database))


def wipe(engine: Engine) -> None:
    """Remove every row of an engine that has no policies."""
    with engine.connect() as connection:
        for table in (tasks, idempotency_records):
            connection.execute(delete(table))
