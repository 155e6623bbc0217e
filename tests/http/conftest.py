"""The API in process, over memory."""

from collections.abc import Callable

import pytest
from flask import Flask
from tests.http_callers import Caller, application

from taskservice.adapters.memory import InMemoryTasks
from taskservice.core.service import OpenTasks
from taskservice.testing import ADA, BOB, TickingClock


@pytest.fixture
def open_tasks(clock: TickingClock) -> OpenTasks:
    return InMemoryTasks(clock).open_tasks


@pytest.fixture
def app(open_tasks: OpenTasks) -> Flask:
    return application(open_tasks)


@pytest.fixture
def caller(app: Flask) -> Callable[[str], Caller]:
    return lambda user: Caller(app.test_client(), user)


@pytest.fixture
def ada(caller: Callable[[str], Caller]) -> Caller:
    return caller(ADA)


@pytest.fixture
def bob(caller: Callable[[str], Caller]) -> Caller:
    return caller(BOB)
