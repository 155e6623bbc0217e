"""A browser, and a service over PostgreSQL as it is deployed."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest
from tests.chromium import Browser, chromium
from tests.databases import Database, migrated_database
from tests.postgres import Databases
from tests.processes import Service, gunicorn
from tests.secret_values import SECRET


class Deployed(NamedTuple):
    """A service that runs, and its database."""

    service: Service
    database: Database

    @property
    def address(self) -> str:
        return self.service.address


@pytest.fixture(scope="session")
def chromium_window() -> Iterator[Browser]:
    with chromium() as window:
        yield window


@pytest.fixture
def browser(chromium_window: Browser) -> Browser:
    """The window, with nothing kept from the test before."""
    chromium_window.tell("Network.clearBrowserCache")
    return chromium_window


@pytest.fixture(scope="session")
def database(postgresql: Databases) -> Iterator[Database]:
    with migrated_database(postgresql) as made:
        yield made


@pytest.fixture(scope="session")
def deployed(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    """One service for all that look at its pages; behind one proxy, as most are."""
    settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
    folder = tmp_path_factory.mktemp("deployed")
    with gunicorn(folder, **settings, TASKSERVICE_PROXIES="1") as service:
        yield Deployed(service, database)
