"""Processes of contenders, on ports of their own, and the databases that they need."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_connection
from tempfile import TemporaryDirectory

from tests.parent_death_signal import die_with_parent
from tests.postgres import PostgresServer, reserved_port
from tests.processes import environment

SECONDS = 60
Variables = Mapping[str, str]


@contextmanager
def running(command: Sequence[str], variables: Variables) -> Iterator[tuple[str, int]]:
    """Run a command, with `{port}` replaced by a free port; yield its address and process id."""
    with reserved_port() as port, TemporaryDirectory() as folder:
        filled = [part.replace("{port}", str(port)) for part in command]
        output = Path(folder, "output")
        with (
            output.open("wb") as file,
            subprocess.Popen(
                filled,
                cwd=folder,
                env=environment(**variables),
                stdout=file,
                stderr=file,
                preexec_fn=die_with_parent,
            ) as process,
        ):
            try:
                if not _listens(process, port):
                    raise RuntimeError(output.read_text())
                yield f"http://127.0.0.1:{port}", process.pid
            finally:
                process.terminate()
                process.wait(SECONDS)


def governed_database(server: PostgresServer, tree: Path) -> str:
    """Return a database, migrated by a source tree, for an ordinary role to serve from."""
    address = server.create_database()
    name = address.rpartition("/")[2]
    owner, role = f"{name}_owner", f"{name}_service"
    for one in (owner, role):
        server.execute(f"CREATE ROLE {one} LOGIN")
    server.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    migrate(tree, server.url(name, owner))
    _manage(tree, server.url(name, owner), "grant", role)
    return server.url(name, role)


def migrate(tree: Path, address: str) -> None:
    """Bring a database to the newest schema of a source tree."""
    _manage(tree, address, "upgrade")


def _manage(tree: Path, address: str, *command: str) -> None:
    variables = environment(DATABASE_URL=address, PYTHONPATH=str(tree / "src"))
    subprocess.run(
        [sys.executable, "-m", "taskservice", "db", *command],
        env=variables,
        stdout=subprocess.DEVNULL,
        check=True,
    )


def _listens(process: "subprocess.Popen[bytes]", port: int) -> bool:
    """Wait until something listens, and tell whether it does."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.05)
    return False
