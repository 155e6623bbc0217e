"""Old code on a newer schema keeps its promises: the database is upgraded while it runs on.

Every method of the port, on databases that a later version has brought a
column and a table to.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from tests.databases import Database, migrated_database, service_engine, sqlite_database
from tests.postgres import Databases

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import TickingClock
from taskservice.testing.contract import (
    Concurrency,
    Idempotency,
    Listing,
    OneOwner,
    Placement,
    Queries,
    Series,
    TwoOwners,
)

LATER = """
    ALTER TABLE tasks ADD COLUMN later_column integer;
    CREATE TABLE later_table (user_id text NOT NULL, id text NOT NULL, PRIMARY KEY (user_id, id));
    UPDATE taskservice_schema_version SET version_num = '9999'
"""


def bring_forward(engine: Engine) -> None:
    """Do what a later version's `db upgrade` does: add, and say so."""
    with engine.begin() as connection:
        for statement in LATER.split(";"):
            connection.execute(text(statement))
    schema.require_current(engine)


@pytest.fixture(scope="module")
def database(postgresql: Databases) -> Iterator[Database]:
    with migrated_database(postgresql) as database:
        bring_forward(database.owner_engine)
        yield database


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    address = sqlite_database(tmp_path)
    bring_forward(unpooled_engine(database_url(address)))
    engine = service_engine(address)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def open_workspace(request: pytest.FixtureRequest, clock: TickingClock) -> OpenWorkspace:
    """The port over each engine, with no task in it."""
    if request.param == "sqlite":
        return SqlStorage(request.getfixturevalue("sqlite"), clock).open_workspace
    with request.getfixturevalue("database").superuser_engine.connect() as connection:
        connection.execute(text("TRUNCATE tasks, trash, lists, idempotency_keys"))
    return SqlStorage(request.getfixturevalue("later_engine"), clock).open_workspace


@pytest.fixture(scope="module")
def later_engine(database: Database) -> Iterator[Engine]:
    engine = service_engine(database.service)
    yield engine
    engine.dispose()


class TestPromises(OneOwner, Idempotency):
    """What each method does, on the newer schema."""


@pytest.mark.lengthy
class TestPromisesAtLength(Concurrency, Listing, Placement, Queries, Series, TwoOwners):
    """The rest of the contract (tox -e contract)."""
