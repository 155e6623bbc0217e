"""A user of the real application over memory, SQLite and a real PostgreSQL."""

from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import pytest
from tests.contract.conftest import database, role_engine, sqlite, superuser_engine
from tests.http_callers import ApiClient, application

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.clock import system_clock
from taskservice.core.owner_data import OpenOwnerData
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


class Ports(NamedTuple):
    """The two ports of an adapter."""

    open_workspace: OpenWorkspace
    open_owner_data: OpenOwnerData


@pytest.fixture(params=["memory", "sqlite", "role_engine"])
def ports(request: pytest.FixtureRequest, clock: StoppableClock) -> Ports:
    """The ports of each adapter in turn."""
    if request.param == "memory":
        storage = InMemoryStorage(clock)
        return Ports(storage.open_workspace, storage.open_owner_data)
    engine = request.getfixturevalue(request.param)
    return Ports(SqlStorage(engine, clock).open_workspace, partial(SqlOwnerData, engine))


@pytest.fixture
def open_workspace(ports: Ports) -> OpenWorkspace:
    """The port over each adapter in turn."""
    return ports.open_workspace


@pytest.fixture
def open_owner_data(ports: Ports) -> OpenOwnerData:
    """The data of the same adapter."""
    return ports.open_owner_data


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
