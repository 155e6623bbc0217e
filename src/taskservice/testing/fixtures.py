"""pytest fixtures for tests of clients, front ends and scripts against the service.

`pytest_plugins = ["taskservice.testing.fixtures"]`, in the conftest at the
root of your tests, loads them. They are not loaded automatically.
"""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.api_client import ApiClient
from taskservice.testing.application import ready_application
from taskservice.testing.clock import TickingClock
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.server import serving
from taskservice.testing.tasks import OpenTasks, tasks_of


@pytest.fixture
def clock() -> TickingClock:
    """The clock of the storage adapter: it advances on each read, and may be set."""
    return TickingClock()


@pytest.fixture
def open_workspace(clock: TickingClock) -> OpenWorkspace:
    """The port over an empty in-memory adapter; override it to use your adapter."""
    return InMemoryStorage(clock).open_workspace


@pytest.fixture
def open_tasks(open_workspace: OpenWorkspace) -> OpenTasks:
    """A function that opens the tasks of an owner, to arrange and to verify."""
    return tasks_of(open_workspace)


@pytest.fixture
def application(open_workspace: OpenWorkspace) -> Flask:
    """The application over `open_workspace`; override it to change settings."""
    return ready_application(open_workspace)


@pytest.fixture
def caller(application: Flask) -> Callable[[str], ApiClient]:
    """Return a function that makes a client with a token of any user."""
    return lambda user: ApiClient(application.test_client(), user)


@pytest.fixture
def ada(caller: Callable[[str], ApiClient]) -> ApiClient:
    """A client of the user `ADA`."""
    return caller(ADA)


@pytest.fixture
def bob(caller: Callable[[str], ApiClient]) -> ApiClient:
    """A client of the user `BOB`."""
    return caller(BOB)


@pytest.fixture
def address(application: Flask) -> Iterator[str]:
    """The base URL of the application, served on a free port, such as http://127.0.0.1:40000."""
    with serving(application) as address:
        yield address
