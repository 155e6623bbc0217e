"""What every test may use."""

from collections.abc import Iterator

import pytest
from hypothesis import Phase, settings
from tests.audit import audit, audited
from tests.canaries import leaks, nothing_leaked
from tests.postgres import Databases, given_or_own_server
from tests.support import TickingClock

settings.register_profile("no-shrinking", phases=(Phase.explicit, Phase.generate))

__all__ = ["audit", "audited", "leaks", "nothing_leaked"]


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Databases]:
    """A real PostgreSQL, for the whole run."""
    with given_or_own_server() as server:
        yield server
