"""What a worker holds: its resident memory while it answers 100,000 requests.

    python -m tests.benchmarks.memory [--requests 100000] [--limit 2]

One worker of gunicorn, on a PostgreSQL of its own; four clients create, read, list, update and
delete. Ends with 1 where the memory grows by more than `--limit` percent after a tenth of it.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.clients import Client
from tests.databases import migrated_database
from tests.postgres import PostgresServer
from tests.processes import START, Service, running
from tests.secret_values import SECRET

CLIENTS, STEPS = 4, 10
UNLIMITED = {"TASKSERVICE_RATE_LIMIT": "off"}

_resident_in = re.compile(r"VmRSS:\s+(\d+) kB").search


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
        migrated_database(server) as database,
        _service(database.service) as service,
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
