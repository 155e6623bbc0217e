"""What a batch saves: 100 creations in one, against as many requests.

    python -m tests.benchmarks.batch [--rounds 20] [--mode atomic]

gunicorn with two workers, on a PostgreSQL of its own; one client. Both in turns; the CPU time
of the application and of PostgreSQL, and the time that passes, per task.
"""

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import NamedTuple

from tests.benchmarks.clients import Client
from tests.benchmarks.speed.contenders import Contender, service
from tests.benchmarks.speed.operations import new_task
from tests.postgres import PostgresServer

TASKS = 100
PER_ROUND = 5
"""How often each is done in a round: the kernel counts CPU time in hundredths of a second."""


class Cost(NamedTuple):
    """Microseconds per task."""

    application: float
    database: float
    elapsed: float


def one_by_one(client: Client) -> None:
    """Create the tasks, each by a request."""
    for number in range(TASKS):
        client.ask("POST", "", new_task(number))


def together(mode: str, client: Client) -> None:
    """Create the tasks in one batch."""
    commands = [{"op": "create", "task": new_task(number)} for number in range(TASKS)]
    client.ask("POST", "", {"mode": mode, "commands": commands}, of="batch")


def cost(contender: Contender, work: Callable[[], None]) -> Cost:
    """Return what it costs to do some work."""
    before, began = contender.cpu(), perf_counter()
    for _ in range(PER_ROUND):
        work()
    elapsed = perf_counter() - began
    used = [end - start for start, end in zip(before, contender.cpu(), strict=True)]
    return Cost(*(seconds / TASKS / PER_ROUND * 1e6 for seconds in (*used, elapsed)))


def main() -> None:
    """Print the cost of each, and the ratio."""
    parser = argparse.ArgumentParser(description="What a batch saves.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--mode", choices=["atomic", "each"], default="atomic")
    options = parser.parse_args()
    with PostgresServer() as server, service(server, {}) as contender:
        client = Client(contender.address, "ada")
        works: list[Callable[[], None]] = [
            lambda: one_by_one(client),
            lambda: together(options.mode, client),
        ]
        rounds = [[cost(contender, work) for work in works] for _ in range(options.rounds + 1)][1:]
    single, batch = (
        Cost(*map(median, zip(*(one[side] for one in rounds), strict=True))) for side in (0, 1)
    )
    print(f"{'microseconds per task':24}{'requests':>10}{'batch':>10}{'ratio':>8}")
    for name, one, other in zip(Cost._fields, single, batch, strict=True):
        print(f"{name:24}{one:10.0f}{other:10.0f}{other / one:8.2f}")
    total = [one.application + one.database for one in (single, batch)]
    print(f"{'CPU in all':24}{total[0]:10.0f}{total[1]:10.0f}{total[1] / total[0]:8.2f}")


if __name__ == "__main__":
    main()
