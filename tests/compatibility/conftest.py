"""A database of an earlier version, upgraded to the newest schema."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain

import pytest
from sqlalchemy import Connection, Engine
from tests.databases import service_engine
from tests.postgres import Databases

from taskservice.adapters.sql.admin.partition import _FOREIGN_KEYS, _Plan
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine

PARTITIONS = 4

Store = Callable[[Engine, int], None]
"""Stores a sample at an earlier version, in so many partitions, 0 for none, and upgrades."""

Upgrade = Callable[[Store], AbstractContextManager[Engine]]
"""Yields the service's engine over a database with a sample."""


def partition(connection: Connection, tables: Sequence[str], partitions: int) -> None:
    """Split tables into `partitions`, none if it is 0."""
    plans = [_Plan.of(connection, table, partitions) for table in tables if partitions]
    for plan in plans:
        for (drop,) in connection.execute(_FOREIGN_KEYS, {"table": plan.table}).all():
            connection.exec_driver_sql(drop)
    for statement in (
        *chain.from_iterable(plan.statements for plan in plans),
        *chain.from_iterable(plan.protection for plan in plans),
    ):
        connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "partitioned"])
def upgraded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    """A function that stores a sample, upgrades the database, and opens it."""

    @contextmanager
    def open_upgraded(store: Store) -> Iterator[Engine]:
        if request.param == "sqlite":
            address = f"sqlite:///{tmp_path_factory.mktemp('sample') / 'tasks.db'}"
        else:
            server: Databases = request.getfixturevalue("postgresql")
            address = server.create_database()
        superuser = unpooled_engine(database_url(address))
        store(superuser, PARTITIONS if request.param == "partitioned" else 0)
        engine = service_engine(address, allow_privileged_role=True)
        yield engine
        engine.dispose()

    return open_upgraded
