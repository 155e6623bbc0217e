"""What a start costs: time to the first answer, memory of each worker, the dearest imports.

    python -m tests.benchmarks.start_up [--rounds 5] [--imports 15]

On a PostgreSQL of its own, under gunicorn with two workers, once the code is
compiled. The memory is what a worker adds to the machine (PSS: what is shared
counts by its share), after 2,000 requests, all read from proc(5).
"""

import argparse
import re
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

from tests.benchmarks.clients import Client
from tests.benchmarks.speed import cpu
from tests.benchmarks.speed.contenders import Contender, gunicorn, run_service, service
from tests.benchmarks.speed.running import governed_database
from tests.postgres import PostgresServer
from tests.processes import ROOT

REQUESTS, CLIENTS = 2_000, 8
MODULE = "taskservice.wsgi"

_share_in = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE).search
_import_in = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| (\s*)(\S+)").match


def seconds_to_answer(server: PostgresServer) -> float:
    """Start the service, and return how long the first answer of `/readyz` took."""
    settings = {"DATABASE_URL": governed_database(server, ROOT)}
    began = time.perf_counter()
    with run_service(server, "service", ROOT, settings, gunicorn(ROOT)) as one:
        while not answers(one.address):
            time.sleep(0.005)
        return time.perf_counter() - began


def answers(address: str) -> bool:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=30)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def megabytes(process: int) -> float:
    """Return the proportional set size of a process, in MiB."""
    found = _share_in(Path(f"/proc/{process}/smaps_rollup").read_text())
    assert found
    return int(found[1]) / 1024


def memory(server: PostgresServer) -> dict[int, float]:
    """Return the memory of gunicorn's master and of its workers, once they have answered."""
    with service(server, {}) as one:
        use(one)
        return {process: megabytes(process) for process in cpu.tree(one.process)}


def use(one: Contender) -> None:
    clients = [Client(one.address, f"user-{number}") for number in range(CLIENTS)]
    for client in clients * (REQUESTS // CLIENTS // 7):
        client.go_round()


def dearest_imports(count: int) -> list[tuple[float, str]]:
    """Return the packages whose import takes longest, with all below them, in ms (once each)."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {MODULE.rpartition('.')[0]}.app"]
    logged = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found: dict[str, float] = {}
    for line in logged.splitlines():
        if match := _import_in(line):
            package = match[4].split(".")[0]
            found[package] = found.get(package, 0) + int(match[1]) / 1000
    return sorted(((taken, name) for name, taken in found.items()), reverse=True)[:count]


def main() -> None:
    parser = argparse.ArgumentParser(description="What a start costs.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--imports", type=int, default=15)
    chosen = parser.parse_args()
    with PostgresServer(durable=True) as server:
        starts = [seconds_to_answer(server) for _ in range(chosen.rounds)]
        print(f"to the first answer: {median(starts):.2f} s (best {min(starts):.2f} s)")
        master, *workers = memory(server).values()
    print(
        f"memory: master {master:.1f} MiB, workers {', '.join(f'{one:.1f}' for one in workers)} MiB"
    )
    print("imports by package, without those of others below them:")
    for taken, name in dearest_imports(chosen.imports):
        print(f"{taken:8.0f} ms  {name}")


if __name__ == "__main__":
    main()
