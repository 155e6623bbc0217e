"""What the nemesis breaks: the service, and what is between it and its rows."""

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine, text
from tests.databases import Database, migrated_database, sqlite_database
from tests.faults.history import Kind
from tests.faults.http_client import HttpClient, Response
from tests.faults.postgres_crashes import FragileServer
from tests.faults.requests import Request
from tests.faults.rows import idempotency_records, log, snapshot
from tests.faults.seen import TRASHED
from tests.faults.server import Server, serving
from tests.faults.timelines import LISTINGS, THE_END, FinalState
from tests.nginx import in_front_of
from tests.pgbouncer import PgBouncer, pooler
from tests.secret_values import SECRET
from tests.tcp_proxy import TcpProxy, tcp_proxy

from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine

POOLED = 8
SECONDS = 30
GETS: dict[str, Kind] = {"task": "get", TRASHED: "get_trashed"}
"""How to read what is of a type."""


@dataclass
class Target:
    """A service with its database; `rows` sees all of them. On SQLite there is nothing else."""

    server: Server
    rows: Engine
    postgres_server: FragileServer | None = None
    database: Database | None = None
    proxy: TcpProxy | None = None
    pooler: PgBouncer | None = None
    http_proxy: tuple[str, int] | None = None

    @property
    def place(self) -> tuple[str, int]:
        """Return where clients connect."""
        return self.http_proxy or self.server.place

    def execute(self, statement: str, **values: str) -> None:
        """Run a statement as the superuser of the database."""
        with self.rows.connect() as connection:
            connection.execute(text(statement), values)

    def end(self, users: Sequence[str]) -> FinalState:
        """Return what is left of these users' data, once nothing can be under way any more."""
        self.server.stop()
        if self.database is not None:
            self._await_quiet(self.database.role)
        self.server.start()
        rows = snapshot(self.rows, users)
        tasks = [seen for seen in rows if seen.type in GETS]
        listings = [Request(THE_END, kind, user) for user in users for kind in LISTINGS]
        gets = [Request(THE_END, GETS[seen.type], seen.user, seen.task) for seen in tasks]
        histories = [Request(THE_END, "history", seen.user, seen.task) for seen in tasks]
        return FinalState(
            rows,
            tuple(seen for _, response in self._shown(listings) for seen in response.seen),
            tuple(seen for _, response in self._shown(gets) for seen in response.seen),
            idempotency_records(self.rows, users),
            log(self.rows, users),
            histories={task: response.changes for task, response in self._shown(histories)},
        )

    def _shown(self, requests: Iterable[Request]) -> Iterator[tuple[str, Response]]:
        """Yield what the service shows, with the task that it is about."""
        for user, its in itertools.groupby(requests, lambda request: request.user):
            with closing(HttpClient(*self.place, user)) as send:
                yield from ((request.task or "", send(request)) for request in its)

    def _await_quiet(self, role: str) -> None:
        """Return when the database has nothing more to do for the service."""
        busy = text(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = :role AND state <> 'idle'"
        )
        deadline = time.monotonic() + SECONDS
        with self.rows.connect() as connection:
            while connection.execute(busy, {"role": role}).scalar_one():
                assert time.monotonic() < deadline, "the database is still at work"
                time.sleep(0.02)


@contextmanager
def embedded(folder: Path, application: str = "wsgi:app", **settings: str) -> Iterator[Target]:
    """Yield the service on SQLite."""
    address = sqlite_database(folder)
    with serving(folder, _settings(address, settings), application) as server:
        yield Target(server, unpooled_engine(database_url(address)))


@contextmanager
def direct(
    folder: Path, postgres_server: FragileServer, application: str = "wsgi:app", **settings: str
) -> Iterator[Target]:
    """Yield the service on PostgreSQL, with a wire between them.

    The server keeps its own settings, `fsync` and `synchronous_commit` on.
    What a process has written outlives its end, synced or not; a commit that
    is still in the server's memory when it crashes does not, and that is what
    an immediate stop shows of `synchronous_commit`. A crash of the machine,
    which `fsync` is for, is not tried.
    """
    with ExitStack() as stack:
        database = stack.enter_context(migrated_database(postgres_server))
        proxy, through = stack.enter_context(tcp_proxy(database.service))
        server = stack.enter_context(serving(folder, _settings(through, settings), application))
        yield Target(server, database.superuser_engine, postgres_server, database, proxy)


@contextmanager
def pooled(folder: Path, postgres_server: FragileServer, **settings: str) -> Iterator[Target]:
    """Yield the service on PostgreSQL through a wire and PgBouncer in transaction mode."""
    with ExitStack() as stack:
        database = stack.enter_context(migrated_database(postgres_server))
        pgbouncer = stack.enter_context(pooler(database.service, servers=POOLED))
        proxy, through = stack.enter_context(tcp_proxy(pgbouncer.address))
        server = stack.enter_context(serving(folder, _settings(through, settings)))
        yield Target(server, database.superuser_engine, postgres_server, database, proxy, pgbouncer)


@contextmanager
def proxied(folder: Path, postgres_server: FragileServer) -> Iterator[Target]:
    """Yield the service as it is deployed: behind nginx, and PgBouncer behind it."""
    with pooled(folder, postgres_server, TASKSERVICE_PROXIES="1") as target:
        host, port = target.server.place
        with in_front_of(f"http://{host}:{port}") as address:
            _, _, listened = urlsplit(address).netloc.rpartition(":")
            yield replace(target, http_proxy=(host, int(listened)))


def _settings(address: str, more: dict[str, str]) -> dict[str, str]:
    return {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET, **more}
