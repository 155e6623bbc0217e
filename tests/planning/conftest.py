"""A user of the real application over memory, SQLite and a real PostgreSQL."""

from itertools import count

import pytest
from tests.contract.conftest import database, role_engine, sqlite, superuser_engine
from tests.http_callers import ApiClient, application

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.workspace import OpenWorkspace

__all__ = ["database", "role_engine", "sqlite", "superuser_engine"]

_numbers = count()


@pytest.fixture(params=["memory", "sqlite", "role_engine"])
def open_workspace(request: pytest.FixtureRequest) -> OpenWorkspace:
    """The port over each adapter in turn."""
    if request.param == "memory":
        return InMemoryStorage().open_workspace
    return SqlStorage(request.getfixturevalue(request.param)).open_workspace


@pytest.fixture
def ada(open_workspace: OpenWorkspace) -> ApiClient:
    """A user who has no task yet."""
    return ApiClient(application(open_workspace).test_client(), f"planner-{next(_numbers)}")
