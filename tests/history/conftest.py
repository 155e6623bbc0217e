"""Targets to break, and where to tell what came of it."""

from collections.abc import Callable, Iterator

import pytest
from tests.postgres import PostgresServer

TOLD = pytest.StashKey[list[str]]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash.get(TOLD, []):
        terminalreporter.write_line(line)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the tests that strike the targets time in proportion to how often they do."""
    seconds = 120 + 20 * config.getoption("--cycles")
    for item in items:
        if "cycles" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(seconds))


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[object], None]:
    """Tell whoever runs the tests what came of them: it is a line below theirs."""
    lines = request.config.stash.setdefault(TOLD, [])
    return lambda line: lines.append(f"{request.node.name}: {line}")


@pytest.fixture(scope="session")
def database() -> Iterator[PostgresServer]:
    """A PostgreSQL of our own, with its own settings, to be stopped and started."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def cycles(pytestconfig: pytest.Config) -> int:
    """How many times each target is struck."""
    return int(pytestconfig.getoption("--cycles"))
