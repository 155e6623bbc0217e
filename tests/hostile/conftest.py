"""Where the corpus is run: each flavour of the service, on a database of each engine."""

from collections.abc import Iterator

import pytest
from tests.hostile.flavours import FLAVOURS
from tests.hostile.homes import postgresql_home, sqlite_home
from tests.postgres import Databases


@pytest.fixture(scope="module", params=FLAVOURS)
def flavour(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of each flavour in turn."""
    return FLAVOURS[request.param]


@pytest.fixture(scope="module")
def addresses(
    flavour: dict[str, str], tmp_path_factory: pytest.TempPathFactory, postgresql: Databases
) -> Iterator[dict[str, str]]:
    """A migrated database on each engine, new for each flavour: keys are used once."""
    with postgresql_home(postgresql) as address:
        yield {
            "sqlite": sqlite_home(tmp_path_factory.mktemp("hostile")),
            "postgresql": address,
        }
