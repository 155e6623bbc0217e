"""Where the corpus is run: each flavour of the service, on a database of each engine."""

from collections.abc import Iterator

import pytest
from tests.homes import served, sqlite_home
from tests.hostile.flavours import FLAVOURS
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
    with served(postgresql) as home:
        yield {
            "sqlite": sqlite_home(tmp_path_factory.mktemp("hostile")),
            "postgresql": home.service,
        }
