"""Fixtures for whoever tests a client, a front end or a script against the service.

`pytest_plugins = ["taskservice.testing.fixtures"]`, in the conftest at the
root of your tests, loads them; nothing is loaded where nobody asks for it.
"""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from taskservice.adapters.memory import InMemoryTasks
from taskservice.core.service import OpenTasks
from taskservice.testing.application import ready_application
from taskservice.testing.caller import Caller
from taskservice.testing.clock import TickingClock
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.server import serving


@pytest.fixture
def clock() -> TickingClock:
    """The clock of the home: it ticks when it is read, and may be set."""
    return TickingClock()


@pytest.fixture
def open_tasks(clock: TickingClock) -> OpenTasks:
    """The port over an empty home in memory; override it, and the rest is over your adapter."""
    return InMemoryTasks(clock).open_tasks


@pytest.fixture
def application(open_tasks: OpenTasks) -> Flask:
    """The application over that home; override it to give it settings."""
    return ready_application(open_tasks)


@pytest.fixture
def caller(application: Flask) -> Callable[[str], Caller]:
    """Make a caller of any name, who has a token."""
    return lambda user: Caller(application.test_client(), user)


@pytest.fixture
def ada(caller: Callable[[str], Caller]) -> Caller:
    """A caller."""
    return caller(ADA)


@pytest.fixture
def bob(caller: Callable[[str], Caller]) -> Caller:
    """Another caller."""
    return caller(BOB)


@pytest.fixture
def address(application: Flask) -> Iterator[str]:
    """The application served on a free port of 127.0.0.1, such as http://127.0.0.1:40000."""
    with serving(application) as address:
        yield address
