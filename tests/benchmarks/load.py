"""What callers hear when there are more of them than the service can serve.

    python -m tests.benchmarks.load [--seconds 10] [--rounds 3]

gunicorn with two workers on a PostgreSQL of its own. First the goodput (answers that are no
refusal, by the second) of as many callers as it takes to have both workers busy, and of ten times
as many, in turns; half of them list, half create. Then all connections of the pools are held by a
lock, and callers ask in vain while another looks at /livez. Ends with 1 where the goodput falls
below 80 %, a refusal takes over 1 s at the 99th percentile, or /livez over 50 ms.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import psycopg
from tests.benchmarks.concurrent_clients import ApiClient, Response, request, run_clients
from tests.databases import Database, await_lock, migrated_database
from tests.postgres import PostgresServer
from tests.processes import gunicorn
from tests.secret_values import SECRET

PEAK, CROWD = 16, 160
LEAST, REFUSAL_MS, ALIVE_MS = 0.8, 1000, 50
SLOTS = 10
"""Connections of both pools together."""
VAIN = 40
USERS = 20
SETTINGS = {
    "TASKSERVICE_JWT_SECRET": SECRET,
    "TASKSERVICE_RATE_LIMIT": "off",
    "TASKSERVICE_STATEMENT_TIMEOUT": "600",
    "TASKSERVICE_LOCK_TIMEOUT": "600",
}


class Kind(StrEnum):
    """Who calls."""

    PEAK = f"{PEAK} callers"
    PATIENT = f"{CROWD} callers that heed Retry-After"
    IMPATIENT = f"{CROWD} callers that do not"


class Load(NamedTuple):
    """What came of a while of calling: answers by status, goodput by the second, p99 in ms."""

    statuses: Counter[int]
    goodput: float
    p99: float


def summarize(responses: list[Response], seconds: float) -> Load:
    statuses = Counter(one.status for one in responses)
    good = sum(count for status, count in statuses.items() if status < 300)
    return Load(statuses, good / seconds, percentile([one.seconds for one in responses]))


def percentile(times: list[float]) -> float:
    """Return the 99th percentile of seconds, in ms."""
    return quantiles(times, n=100)[98] * 1000


def requests(count: int) -> list[bytes]:
    """Return reads and writes of some users, in turn."""
    users = [f"user-{number % USERS}" for number in range(count)]
    return [_list(user) if number % 2 else _create(user) for number, user in enumerate(users)]


def _list(user: str) -> bytes:
    return request("GET", f"/api/tasks/{user}/tasks?limit=20", user)


def _create(user: str) -> bytes:
    return request("POST", f"/api/tasks/{user}/tasks", user, b'{"title":"Buy milk"}')


def send_requests(
    address: str, sent: list[bytes], seconds: float, patient: bool = True
) -> list[Response]:
    """Return what callers hear; runs in a process of its own."""
    return list(run_clients(address, sent, seconds, patient=patient))


@contextmanager
def service() -> Iterator[tuple[str, Database]]:
    """Yield the address of the service, and its database."""
    with ExitStack() as stack:
        database = stack.enter_context(
            migrated_database(stack.enter_context(PostgresServer(durable=False)))
        )
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        running = gunicorn(folder, DATABASE_URL=database.service, **SETTINGS)
        yield stack.enter_context(running).address, database


def compare(address: str, seconds: float, rounds: int) -> dict[Kind, list[Load]]:
    """Return the loads of as many callers as make the peak, and of ten times as many, in turns."""
    found: dict[Kind, list[Load]] = {kind: [] for kind in Kind}
    send_requests(address, requests(PEAK), seconds / 2)
    for _ in range(rounds):
        for kind in Kind:
            count = PEAK if kind is Kind.PEAK else CROWD
            responses = send_requests(address, requests(count), seconds, kind is not Kind.IMPATIENT)
            found[kind].append(summarize(responses, seconds))
    return found


@contextmanager
def all_slots_taken(address: str, database: Database) -> Iterator[None]:
    """Lock the tasks, and have enough callers wait for that."""
    with psycopg.connect(database.superuser) as holder:
        holder.execute("LOCK TABLE tasks")
        # Each for a user of its own: one user never has all places.
        callers = [ApiClient(address, _list(f"holder-{number}")) for number in range(4 * SLOTS)]
        for caller in callers:
            caller.ask()
        await_lock(database.superuser_engine, SLOTS)
        yield
        holder.rollback()


def measure_overload(address: str, database: Database, seconds: float) -> tuple[Load, Load]:
    """Return what callers hear while all places are taken, and what who asks for /livez hears."""
    sent = [_list(f"user-{number}") for number in range(VAIN)]
    with (
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes,
        all_slots_taken(address, database),
    ):
        vain = processes.submit(send_requests, address, sent, seconds, False)
        alive = processes.submit(send_requests, address, [request("GET", "/livez")], seconds)
        return summarize(vain.result(), seconds), summarize(alive.result(), seconds)


def report(kind: str, loads: list[Load]) -> str:
    """Return medians over the rounds, and all statuses together."""
    statuses = sum((load.statuses for load in loads), Counter[int]())
    goodput, p99 = median(load.goodput for load in loads), median(load.p99 for load in loads)
    return f"{kind:36} goodput {goodput:5.0f}/s, p99 {p99:4.0f} ms, statuses {dict(statuses)}"


def main() -> None:
    """Print what callers hear, and end with 1 where it is not what was promised."""
    parser = argparse.ArgumentParser(description="What callers hear under too much load.")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with service() as (address, database):
        loads = compare(address, chosen.seconds, chosen.rounds)
        refused, alive = measure_overload(address, database, chosen.seconds)
    for kind, found in loads.items():
        print(report(kind, found))
    print(report("all places taken", [refused]))
    print(report("/livez meanwhile", [alive]))
    peak = median(load.goodput for load in loads[Kind.PEAK])
    kept = [median(load.goodput for load in loads[kind]) / peak for kind in list(Kind)[1:]]
    print(f"ten times the callers: {kept[0]:.2f} and {kept[1]:.2f} times the goodput of the peak")
    is_fast_enough = min(kept) >= LEAST and refused.p99 <= REFUSAL_MS and alive.p99 <= ALIVE_MS
    is_truthful = refused.statuses.keys() == {503} and alive.statuses.keys() == {200}
    sys.exit(not (is_fast_enough and is_truthful))


if __name__ == "__main__":
    main()
