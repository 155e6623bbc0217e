"""A real PgBouncer in transaction mode, as serverless hosts put it in front of PostgreSQL."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from tests.postgres import become_unprivileged, change_owner

SECONDS = 30
CONFIGURATION = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
default_pool_size = {servers}
max_client_conn = 500
ignore_startup_parameters = extra_float_digits,options
server_login_retry = 1
"""


class PgBouncer:
    """A pooler in front of the database at `database`, for one role; it can be started anew.

    It shares `servers` connections between any number of clients.
    """

    def __init__(self, database: str, directory: Path, *, servers: int) -> None:
        place = urlsplit(database)
        own_port = free_port()
        (directory / "users").write_text(f'"{place.username}" ""\n')
        (directory / "ini").write_text(
            CONFIGURATION.format(
                host=place.hostname,
                port=place.port,
                own_port=own_port,
                directory=directory,
                servers=servers,
            )
        )
        if os.geteuid() == 0:
            change_owner(directory)
        self._directory = directory
        self.address = f"postgresql://{place.username}@127.0.0.1:{own_port}{place.path}"

    def start(self) -> None:
        """Start, and return when the database answers through it."""
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [pgbouncer_program(), self._directory / "ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=partial(become_unprivileged, signal.SIGKILL),
            )
        await_answer(self.address)

    def stop(self) -> None:
        """Stop at once: SIGTERM waits for clients from 1.23 on, SIGQUIT may be ignored before."""
        self._process.kill()
        self._process.wait(SECONDS)

    def restart(self) -> None:
        """Stop, which cuts every connection, and start at the same address."""
        self.stop()
        self.start()


@contextmanager
def pooler(address: str, *, servers: int) -> Iterator[PgBouncer]:
    """Yield a pooler that runs in front of the database at `address`."""
    with tempfile.TemporaryDirectory(prefix="taskservice-pgbouncer-") as folder:
        pgbouncer = PgBouncer(address, Path(folder), servers=servers)
        try:
            pgbouncer.start()
            yield pgbouncer
        finally:
            pgbouncer.stop()


@contextmanager
def pooled(address: str, *, servers: int) -> Iterator[str]:
    """Yield the address at which the database at `address` is reached through a pooler."""
    with pooler(address, servers=servers) as pgbouncer:
        yield pgbouncer.address


def pgbouncer_program() -> str:
    found = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise RuntimeError("no PgBouncer: install Debian's package pgbouncer")
    return found


def free_port() -> int:
    with socket.socket() as keeper:
        keeper.bind(("127.0.0.1", 0))
        port: int = keeper.getsockname()[1]
        return port


def await_answer(address: str) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            psycopg.connect(address, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
