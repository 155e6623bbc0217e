"""A service from a scratch package, over each storage in turn."""

from collections.abc import Iterator
from itertools import count

import pytest
from tests.growth.scratch import Client, Scratch
from tests.postgres import Databases
from tests.processes import Service

_numbers = count()


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """ "memory", or the address of a new database without tables."""
    if request.param == "memory":
        return "memory"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('database') / 'tasks.db'}"
    server: Databases = request.getfixturevalue("postgresql")
    return server.create_database()


@pytest.fixture(scope="module")
def service(scratch: Scratch, storage: str) -> Iterator[Service]:
    """The scratch package of the module, served over a storage."""
    with scratch.served(storage) as service:
        yield service


@pytest.fixture
def client(service: Service) -> Client:
    """A user who has nothing yet."""
    return Client(service, f"user-{next(_numbers)}")
