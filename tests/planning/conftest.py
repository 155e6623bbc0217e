"""A user of the real application over memory, SQLite and a real PostgreSQL."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from tests.contract.conftest import database, role_engine, sqlite, superuser_engine
from tests.http_callers import ApiClient, application

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.clock import system_clock
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import START

__all__ = ["database", "role_engine", "sqlite", "superuser_engine"]

_numbers = count()


class StoppableClock:
    """The time of day, or that at which it was stopped."""

    stopped: datetime | None = None

    def step(self) -> datetime:
        """Stop, a second later than before."""
        self.stopped = (self.stopped or START) + timedelta(seconds=1)
        return self.stopped

    def __call__(self) -> datetime:
        return self.stopped or system_clock()


@pytest.fixture
def clock() -> StoppableClock:
    """The clock of the adapters."""
    return StoppableClock()


@pytest.fixture(params=["memory", "sqlite", "role_engine"])
def open_workspace(request: pytest.FixtureRequest, clock: StoppableClock) -> OpenWorkspace:
    """The port over each adapter in turn."""
    if request.param == "memory":
        return InMemoryStorage(clock).open_workspace
    return SqlStorage(request.getfixturevalue(request.param), clock).open_workspace


@pytest.fixture
def ada(open_workspace: OpenWorkspace) -> ApiClient:
    """A user who has no task yet."""
    return ApiClient(application(open_workspace).test_client(), f"planner-{next(_numbers)}")


@pytest.fixture
def eve(open_workspace: OpenWorkspace) -> ApiClient:
    """Another user who has no task yet."""
    return ApiClient(application(open_workspace).test_client(), f"planner-{next(_numbers)}")


@pytest.fixture
def same_moment(ada: ApiClient, clock: StoppableClock) -> list[dict[str, Any]]:
    """Three tasks that were created in the same millisecond, in the order of their ids."""
    clock.stopped = system_clock()
    tasks = [ada.create(title=title) for title in "ABC"]
    clock.stopped = None
    return tasks
