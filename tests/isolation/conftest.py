"""One database on PostgreSQL for what is tested below the port."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from sqlalchemy import Engine
from tests.homes import Home, served, served_engine
from tests.postgres import Databases


@pytest.fixture(scope="module")
def home(postgresql: Databases) -> Iterator[Home]:
    """A migrated database, with its roles."""
    with served(postgresql) as home:
        yield home


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    """The service's own engine, with one connection, over empty tables."""
    with psycopg.connect(home.owner, autocommit=True) as owner:
        owner.execute("TRUNCATE tasks, receipts")
    engine = served_engine(home.service, pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture
def service(home: Home) -> Iterator[Connection]:
    """A bare connection of the role that serves."""
    with psycopg.connect(home.service, autocommit=True) as connection:
        yield connection
