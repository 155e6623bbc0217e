"""Migrated databases for the corpus; PostgreSQL's is served as an ordinary role."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, text
from tests.postgres import Databases

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.engine import Timeouts, database_url, pooled_engine, single_engine
from taskservice.adapters.sql.migrating import upgrade

ROLE = "taskservice_hostile"


def sqlite_home(folder: Path) -> str:
    """Return the address of a new database in a file."""
    address = f"sqlite:///{folder / 'tasks.db'}"
    upgrade(single_engine(database_url(address)))
    return address


@contextmanager
def postgresql_home(server: Databases) -> Iterator[str]:
    """Yield the address of a new database on `server`."""
    address = server.create_database()
    owner = single_engine(database_url(address))
    upgrade(owner)
    with owner.connect() as connection:
        connection.execute(text(f"CREATE ROLE {ROLE} LOGIN"))
    schema.grant(owner, ROLE)
    yield server.url(database_url(address).database, user=ROLE)
    server.drop_database(address)
    server.execute(f"DROP ROLE {ROLE}")


def served_engine(address: str) -> Engine:
    """Return the engine that the service has over the database at `address`."""
    return pooled_engine(
        database_url(address),
        pool_size=5,
        pool_timeout=0.5,
        prepared_statements=False,
        timeouts=Timeouts(statement=3, lock=1),
    )
