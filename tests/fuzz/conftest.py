"""The real application over each adapter in turn, and as an ordinary role on PostgreSQL."""

import pytest
from sqlalchemy import Engine, delete
from tests.contract.conftest import database, role_engine, sqlite, superuser_engine
from tests.databases import Database
from tests.fuzz.schemathesis_run import World
from tests.http_callers import SETTINGS
from tests.isolation.conftest import empty

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.app import create_app

__all__ = ["database", "role_engine", "sqlite", "superuser_engine"]


LENGTHY = [pytest.param(name, marks=pytest.mark.lengthy) for name in ("memory", "sqlite")]
"""Storage adapters differ below the port, which the contract compares: one runs each time."""


@pytest.fixture(params=[*LENGTHY, "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    """The service over each adapter in turn."""
    if request.param == "memory":
        in_memory = InMemoryStorage()
        return World(create_app(in_memory.open_workspace, SETTINGS), in_memory._owners.clear)
    if request.param == "sqlite":
        engine: Engine = request.getfixturevalue("sqlite")
        return World(create_app(SqlStorage(engine).open_workspace, SETTINGS), lambda: wipe(engine))
    database: Database = request.getfixturevalue("database")
    served = SqlStorage(request.getfixturevalue("role_engine"))
    return World(create_app(served.open_workspace, SETTINGS), lambda: empty(database))


def wipe(engine: Engine) -> None:
    """Remove every row of an engine that has no policies."""
    with engine.connect() as connection:
        for table in reversed(OWNED_TABLES):
            connection.execute(delete(table))
