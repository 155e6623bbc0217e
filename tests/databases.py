"""Databases as they are run: a role that owns and migrates, and an ordinary one that serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NamedTuple

from sqlalchemy import Engine, event, text
from tests.postgres import Databases

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.adapters.sql.engine import pooled_engine, unpooled_engine
from taskservice.core.operations.metrics import NO_METRICS, Metrics


class Database(NamedTuple):
    """One migrated database's address, for each of those who enter it."""

    superuser: str
    owner: str
    service: str
    role: str

    @property
    def owner_engine(self) -> Engine:
        """An engine of the tables' owner, whom row-level security holds as well."""
        return unpooled_engine(database_url(self.owner))

    @property
    def superuser_engine(self) -> Engine:
        """An engine of the superuser, whom nothing holds: for tests to look at every row."""
        return unpooled_engine(database_url(self.superuser))


@contextmanager
def migrated_database(server: Databases) -> Iterator[Database]:
    """Make a database and its two roles; migrate it, and let the ordinary role serve."""
    address = server.create_database()
    name = address.rpartition("/")[2].partition("?")[0]
    owner, service = f"{name}_owner", f"{name}_service"
    for role in (owner, service):
        server.execute(f"CREATE ROLE {role} LOGIN")
    server.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    database = Database(address, server.url(name, owner), server.url(name, service), service)
    upgrade(database.owner_engine)
    schema.grant(database.owner_engine, service)
    yield database
    server.drop_database(address)
    for role in (service, owner):
        server.execute(f"DROP ROLE {role}")


def sqlite_database(folder: Path) -> str:
    """Return the address of a new, migrated database in a file."""
    address = f"sqlite:///{folder / 'tasks.db'}"
    upgrade(unpooled_engine(database_url(address)))
    return address


def simulate_pooler(engine: Engine) -> Engine:
    """Return an engine that takes its connections for those of a pooler, which others use too."""

    def leave(connection: Any, entry: Any) -> None:
        entry.info.clear()
        connection.prepare_threshold = None
        connection.execute("RESET ALL")

    event.listen(engine, "connect", leave)
    return engine


def service_engine(
    address: str,
    *,
    pool_size: int = 16,
    pool_timeout: float = 10,
    statement_timeout: float = 3,
    lock_timeout: float = 1,
    prepared_statements: bool = False,
    allow_privileged_role: bool = False,
    metrics: Metrics = NO_METRICS,
) -> Engine:
    """Return an engine as the service has it."""
    return pooled_engine(
        database_url(address),
        pool_size=pool_size,
        pool_timeout=pool_timeout,
        prepared_statements=prepared_statements,
        timeouts=Timeouts(statement_timeout, lock_timeout),
        allow_privileged_role=allow_privileged_role,
        metrics=metrics,
    )


def await_lock(engine: Engine, count: int = 1) -> None:
    """Return when `count` statements wait for other transactions' locks."""
    waits = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = monotonic() + 30
    while monotonic() < deadline:
        with engine.connect() as connection:
            if connection.execute(waits).scalar_one() >= count:
                return
        sleep(0.01)
    raise AssertionError("nothing waits")
