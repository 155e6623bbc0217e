"""What a worker holds: its resident memory while it answers 100,000 requests.

    python -m tests.benchmarks.memory [--requests 100000] [--limit 2]

One worker of gunicorn, on a PostgreSQL of its own; four clients create, read, list, update and
delete. Ends with 1 where the memory grows by more than `--limit` percent after a tenth of it.
"""

import argparse
import re
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import orjson
from tests.homes import served
from tests.http_callers import token_of
from tests.postgres import PostgresServer
from tests.processes import SECONDS, START, Service, running
from tests.support import SECRET

CLIENTS, KEPT, STEPS = 4, 20, 10
UNLIMITED = {"TASKSERVICE_RATE_LIMIT": "off"}

_length_in = re.compile(rb"\r\nContent-Length: (\d+)").search
_resident_in = re.compile(r"VmRSS:\s+(\d+) kB").search


class Client:
    """A user on one connection that is kept alive, with 20 tasks that stay."""

    def __init__(self, address: str, user: str) -> None:
        place = urlsplit(address)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=SECONDS)
        self._path = f"/api/tasks/{user}/tasks"
        self._token = token_of(user)
        for _ in range(KEPT):
            self._create()

    def go_round(self) -> int:
        """Use every operation; return how many requests that took."""
        task = self._create()
        self._ask("GET", f"/{task['id']}")
        self._ask("GET", "?limit=20")
        self._ask("PUT", f"/{task['id']}", {"title": "Buy oat milk"})
        self._ask("PATCH", f"/{task['id']}/complete")
        self._ask("GET", "?q=milk&completed=true")
        self._ask("DELETE", f"/{task['id']}")
        return 7

    def _create(self) -> Any:
        return orjson.loads(self._ask("POST", "", {"title": "Buy milk"}))

    def _ask(self, method: str, path: str, body: object = None) -> bytes:
        data = b"" if body is None else orjson.dumps(body)
        lines = [
            f"{method} {self._path}{path} HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {self._token}",
            *(["Content-Type: application/json"] if data else []),
            f"Content-Length: {len(data)}",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        return self._answer()

    def _answer(self) -> bytes:
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._received()
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 2"), head
        length = _length_in(head)
        while len(body) < int(length[1] if length else 0):
            body += self._received()
        return body

    def _received(self) -> bytes:
        received = self._socket.recv(65536)
        assert received, "the service hung up"
        return received


class Worker(NamedTuple):
    """The worker that is measured, and who uses it."""

    process: int
    clients: list[Client]

    @property
    def resident(self) -> int:
        """Its resident memory, in KiB."""
        found = _resident_in(Path(f"/proc/{self.process}/status").read_text())
        assert found
        return int(found[1])

    def answer(self, requests: int) -> None:
        """Have it answer so many requests, or a few more."""
        share = requests // len(self.clients)

        def use(client: Client) -> None:
            done = 0
            while done < share:
                done += client.go_round()

        with ThreadPoolExecutor(len(self.clients)) as pool:
            list(pool.map(use, self.clients))


@contextmanager
def worker() -> Iterator[Worker]:
    """Yield the one worker of a service on PostgreSQL."""
    with (
        PostgresServer(durable=False) as server,
        served(server) as home,
        _service(home.service) as service,
    ):
        clients = [Client(service.address, f"user-{number}") for number in range(CLIENTS)]
        yield Worker(_only_child(service.process.pid), clients)


@contextmanager
def _service(database: str) -> Iterator[Service]:
    settings = {"DATABASE_URL": database, "TASKSERVICE_JWT_SECRET": SECRET, "WEB_CONCURRENCY": "1"}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(START, Path(folder), **settings, **UNLIMITED) as service,
    ):
        ready = (line for line in service.output if "Worker ready" in line)
        assert len(list(islice(ready, 1))) == 1
        yield service


def _only_child(process: int) -> int:
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)


def growth(requests: int, tell: Callable[[str], object] = print) -> float:
    """Return by how many percent a worker grows after the first tenth of so many requests."""
    with worker() as measured:
        sizes = []
        for step in range(1, STEPS + 1):
            measured.answer(requests // STEPS)
            sizes.append(measured.resident)
            tell(f"{step * requests // STEPS:8} requests {sizes[-1] / 1024:8.1f} MiB")
    return (sizes[-1] / sizes[0] - 1) * 100


def main() -> None:
    """Print how the memory goes, and end with 1 where it grows too much."""
    parser = argparse.ArgumentParser(description="What a worker holds.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--limit", type=float, default=2, help="percent")
    chosen = parser.parse_args()
    grown = growth(chosen.requests)
    print(f"after the first tenth it grew by {grown:.2f} %")
    sys.exit(grown > chosen.limit)


if __name__ == "__main__":
    main()
