"""One database on PostgreSQL for what is tested below the port, and the port over each adapter."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from sqlalchemy import Engine
from tests.contract.conftest import (
    home,
    open_tasks,
    owner_engine,
    partitioned_engine,
    partitioned_home,
    pooled_role_engine,
    role_engine,
    sqlite,
)
from tests.databases import Home, served_engine

__all__ = [
    "home",
    "open_tasks",
    "owner_engine",
    "partitioned_engine",
    "partitioned_home",
    "pooled_role_engine",
    "role_engine",
    "sqlite",
]


def empty(home: Home) -> None:
    """Remove every row, as only the tables' owner may."""
    with psycopg.connect(home.owner, autocommit=True) as owner:
        owner.execute("TRUNCATE tasks, receipts")


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    """The service's own engine, with one connection, over empty tables."""
    empty(home)
    engine = served_engine(home.service, pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture
def service(home: Home) -> Iterator[Connection]:
    """A bare connection of the role that serves."""
    with psycopg.connect(home.service, autocommit=True) as connection:
        yield connection
