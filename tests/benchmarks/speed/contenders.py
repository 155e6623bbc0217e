"""Who is measured: services that run, each over a database of its own on one PostgreSQL."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from tests.benchmarks.speed import cpu
from tests.benchmarks.speed.floor import TABLE
from tests.benchmarks.speed.running import Variables, governed_database, migrate, running
from tests.http_callers import token_of
from tests.postgres import PostgresServer
from tests.processes import ROOT
from tests.secret_values import SECRET
from tests.token_issuer import Issuer

from taskservice.server import gunicorn_conf

# The whole contract, as it is deployed next to its database.
SETTINGS = {
    "TASKSERVICE_POOL_SIZE": "3",
    "TASKSERVICE_JWT_SECRET": SECRET,
    "TASKSERVICE_LOG_LEVEL": "warning",
    "TASKSERVICE_PREPARED_STATEMENTS": "true",
    "TASKSERVICE_RATE_LIMIT": "off",
    "WEB_CONCURRENCY": "2",
}
GUNICORN = [sys.executable, "-m", "gunicorn"]


@dataclass(frozen=True)
class Contender:
    """A service that answers at `address`; `process` is its first, `database` PostgreSQL's."""

    name: str
    address: str
    process: int
    database: int
    token_of: Callable[[str], str] = token_of

    def cpu(self) -> tuple[float, float]:
        """Return the CPU seconds of the application and of PostgreSQL."""
        return cpu.seconds(self.process), cpu.seconds(self.database)


@contextmanager
def service(
    server: PostgresServer,
    settings: Variables,
    name: str = "service",
    tree: Path = ROOT,
    command: Sequence[str] | None = None,
) -> Iterator[Contender]:
    """Run the service of a source tree as an ordinary role, under row-level security."""
    given = {"DATABASE_URL": governed_database(server, tree), **settings}
    with run_service(server, name, tree, given, command or gunicorn(tree)) as one:
        yield one


@contextmanager
def on_sqlite(server: PostgresServer) -> Iterator[Contender]:
    """Run the service on SQLite."""
    with TemporaryDirectory() as folder:
        given = {"DATABASE_URL": f"sqlite:///{folder}/tasks.db"}
        migrate(ROOT, given["DATABASE_URL"])
        with run_service(server, "SQLite", ROOT, given, gunicorn(ROOT)) as one:
            yield one


@contextmanager
def with_key_set(server: PostgresServer) -> Iterator[Contender]:
    """Run the service with the tokens of an issuer, which it tests with EdDSA."""
    with Issuer(["EdDSA"]) as issuer:
        settings = {"TASKSERVICE_JWKS_URL": issuer.url, "TASKSERVICE_JWT_SECRET": ""}
        with service(server, settings, "EdDSA tokens") as one:
            yield replace(one, token_of=issuer.token)


@contextmanager
def floor(server: PostgresServer) -> Iterator[Contender]:
    """Run the floor as gunicorn is set for the service, but for a plain worker."""
    address = server.create_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(TABLE.encode())
    options = {
        "worker-class": "gthread",
        "workers": SETTINGS["WEB_CONCURRENCY"],
        "threads": gunicorn_conf.threads,
        "keep-alive": gunicorn_conf.keepalive,
        "worker-tmp-dir": gunicorn_conf.worker_tmp_dir,
        "log-level": "warning",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    command = [*GUNICORN, *flags, "--no-control-socket", "tests.benchmarks.speed.floor:app"]
    variables = {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
    with running([*command, "--bind=127.0.0.1:{port}"], variables) as (place, process):
        yield Contender("floor", place, process, server.pid)


def gunicorn(tree: Path) -> list[str]:
    """Return how the service of a source tree is started as it is deployed."""
    settings = ["--config", str(tree / "gunicorn.conf.py"), "--pythonpath", str(tree)]
    return [*GUNICORN, *settings, "--bind=127.0.0.1:{port}", "wsgi:app"]


@contextmanager
def run_service(
    server: PostgresServer, name: str, tree: Path, settings: Variables, command: Sequence[str]
) -> Iterator[Contender]:
    """Run the service of a source tree over the database that `settings` name."""
    variables = {**SETTINGS, **settings, "PYTHONPATH": str(tree / "src")}
    with running(command, variables) as (place, process):
        yield Contender(name, place, process, server.pid)
