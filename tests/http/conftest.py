"""The API in process, over memory."""

from collections.abc import Callable

import pytest
from flask import Flask
from tests.http_callers import ApiClient, application

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA, BOB, OpenTasks, TickingClock, tasks_of


@pytest.fixture
def open_workspace(clock: TickingClock) -> OpenWorkspace:
    return InMemoryStorage(clock).open_workspace


@pytest.fixture
def open_tasks(open_workspace: OpenWorkspace) -> OpenTasks:
    return tasks_of(open_workspace)


@pytest.fixture
def app(open_workspace: OpenWorkspace) -> Flask:
    return application(open_workspace)


@pytest.fixture
def caller(app: Flask) -> Callable[[str], ApiClient]:
    return lambda user: ApiClient(app.test_client(), user)


@pytest.fixture
def ada(caller: Callable[[str], ApiClient]) -> ApiClient:
    return caller(ADA)


@pytest.fixture
def bob(caller: Callable[[str], ApiClient]) -> ApiClient:
    return caller(BOB)
