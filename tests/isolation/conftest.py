"""One database on PostgreSQL for what is tested below the port, and the port over each adapter."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from sqlalchemy import Engine
from tests.contract.conftest import (
    database,
    open_workspace,
    partitioned_database,
    partitioned_engine,
    pooled_role_engine,
    role_engine,
    sqlite,
    superuser_engine,
)
from tests.databases import Database, service_engine
from tests.http_callers import SETTINGS, ApiClient

from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.app import create_app
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA, BOB

__all__ = [
    "database",
    "open_workspace",
    "partitioned_database",
    "partitioned_engine",
    "pooled_role_engine",
    "role_engine",
    "sqlite",
    "superuser_engine",
]


def empty(database: Database) -> None:
    """Remove every row, as only the tables' owner may."""
    with psycopg.connect(database.owner, autocommit=True) as owner:
        owner.execute(f"TRUNCATE {', '.join(table.name for table in OWNED_TABLES)}".encode())


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    """The service's own engine, with one connection, over empty tables."""
    empty(database)
    engine = service_engine(database.service, pool_size=1)
    yield engine
    engine.dispose()


@pytest.fixture
def ada(open_workspace: OpenWorkspace) -> ApiClient:
    """A user of the application over each adapter."""
    return ApiClient(create_app(open_workspace, SETTINGS).test_client(), ADA)


@pytest.fixture
def bob(ada: ApiClient) -> ApiClient:
    """Another user of it."""
    return ApiClient(ada.client, BOB)


@pytest.fixture
def service(database: Database) -> Iterator[Connection]:
    """A bare connection of the role that serves."""
    with psycopg.connect(database.service, autocommit=True) as connection:
        yield connection
