"""Other stacks that do the same work, as their users run them; see `tests/benchmarks/peers`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from tests.benchmarks.speed.contenders import SETTINGS, Contender, service
from tests.benchmarks.speed.running import running
from tests.postgres import PostgresServer
from tests.processes import ROOT
from tests.secret_values import SECRET

from taskservice.core.operations.admission import QUEUE_LIMIT_PER_SLOT

PEERS = ("fastapi_sqlalchemy", "fastapi_sqlmodel", "litestar_asyncpg")
SCHEMA = Path(__file__).parents[1] / "peers" / "schema.sql"

_workers = SETTINGS["WEB_CONCURRENCY"]
_threads = int(SETTINGS["TASKSERVICE_POOL_SIZE"]) * (1 + QUEUE_LIMIT_PER_SLOT) + 3
UVICORN = [
    *(sys.executable, "-m", "uvicorn", "--host=127.0.0.1", "--port={port}"),
    *(f"--workers={_workers}", "--loop=uvloop", "--http=httptools"),
    *("--no-access-log", "--log-level=warning"),
]
GRANIAN = [
    *(sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1", "--port={port}"),
    *(f"--workers={_workers}", f"--blocking-threads={_threads}"),
    *("--no-access-log", "--log-level=warning", "taskservice.wsgi:app"),
]


@contextmanager
def peer(server: PostgresServer, name: str) -> Iterator[Contender]:
    """Run one of `PEERS` under uvicorn, as the database's superuser."""
    address = server.create_database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(SCHEMA.read_bytes())
    variables = {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET, "PYTHONPATH": str(ROOT)}
    command = [*UVICORN, f"tests.benchmarks.peers.{name}:app"]
    with running(command, variables) as (place, process):
        yield Contender(name, place, process, server.pid)


@contextmanager
def on_granian(server: PostgresServer) -> Iterator[Contender]:
    """Run the service under granian, which is to gunicorn what uvicorn is to others."""
    with service(server, {}, "service on granian", command=GRANIAN) as one:
        yield one
