"""A database to break, and how often."""

from collections.abc import Iterator
from typing import cast

import pytest
from tests.faults.builder import HistoryBuilder, seen
from tests.faults.postgres_crashes import FragileServer


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests that strike the targets time in proportion to how often they do."""
    seconds = 120 + 20 * (config.getoption("--cycles") or 10)
    for item in items:
        if "cycles" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(seconds))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[FragileServer]:
    """A PostgreSQL of our own, with its own settings, to be stopped and started."""
    with FragileServer() as server:
        yield server


@pytest.fixture(scope="session")
def cycles(pytestconfig: pytest.Config) -> int | None:
    """How many times each target is struck; by default with each fault once."""
    return cast(int | None, pytestconfig.getoption("--cycles"))


@pytest.fixture
def history() -> HistoryBuilder:
    """A story that begins with a task."""
    history = HistoryBuilder()
    history.perform("make", "create", seen())
    return history
