"""What every test may use."""

from collections.abc import Iterator

import pytest
from tests.postgres import Databases, given_or_own_server
from tests.support import TickingClock

pytest_plugins = ["tests.canaries"]


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """A real PostgreSQL, for the whole run."""
    with given_or_own_server() as server:
        yield server
