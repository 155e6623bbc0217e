"""What a request costs, against the floor: CPU of application and PostgreSQL, rates, latencies.

    python -m tests.benchmarks.speed [--operations get,list20,…] [--rounds 5] [--seconds 2]
                                     [--against floor,…] [--rate 200] [--users 1] [--options]
                                     [--checkout NAME=PATH] [--setting NAME=VALUE]

Contenders run under gunicorn on one PostgreSQL of this run, over TCP, and take
turns in rounds. The service is an ordinary role under row-level security, with
its log at `warning` and HS256 tokens. With `--users` the 16 connections are
those of several users, whose writes do not wait for one another. `--against` names
the floor, the peers (`tox -e peers` installs what they need), or both; `--checkout`
adds the service of another source tree. At a `--rate`, all have the same load, and latencies can
be compared. `--options` measures what costs more, against the same without.
The least disturbed figure on a busy machine is the CPU of the best round.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.benchmarks.speed import contenders
from tests.benchmarks.speed.contenders import Contender
from tests.benchmarks.speed.operations import OPERATIONS, PLAIN
from tests.benchmarks.speed.peers import PEERS, on_granian, peer
from tests.benchmarks.speed.report import table
from tests.benchmarks.speed.rounds import Course, Lane, course
from tests.postgres import PostgresServer

CONNECTIONS = 300
AGAINST: dict[str, Callable[[PostgresServer], AbstractContextManager[Contender]]] = {
    "floor": contenders.floor,
    **{name: partial(peer, name=name) for name in PEERS},
    "granian": on_granian,
}


def measure(course: Course, operations: list[str], rounds: int, services: list[Contender]) -> None:
    """Measure each operation at every service, and print it."""
    for operation in operations:
        lanes = {one.name: Lane(one, operation) for one in services}
        course.race(list(lanes.values()), rounds)
        print(table(operation, lanes), end="\n\n", flush=True)


def measure_options(course: Course, rounds: int, server: PostgresServer) -> None:
    """Measure what costs more against the same without, and print it."""
    with (
        contenders.service(server, {}) as plain,
        contenders.on_sqlite(server) as on_sqlite,
        contenders.with_key_set(server) as with_key_set,
    ):
        comparisons = {
            "Idempotency-Key": (("create", plain), ("create+key", plain)),
            "If-Match": (("update", plain), ("update+tag", plain)),
            "search": (("list100", plain), ("search", plain)),
            "EdDSA tokens": (("get", plain), ("get", with_key_set)),
            "SQLite, get": (("get", plain), ("get", on_sqlite)),
            "SQLite, list 20": (("list20", plain), ("list20", on_sqlite)),
            "SQLite, create": (("create", plain), ("create", on_sqlite)),
            "SQLite, update": (("update", plain), ("update", on_sqlite)),
        }
        for name, ((operation, one), (costly, other)) in comparisons.items():
            lanes = {operation: Lane(one, operation), name: Lane(other, costly)}
            course.race(list(lanes.values()), rounds)
            print(table(name, lanes), end="\n\n", flush=True)


@contextmanager
def chosen_services(
    server: PostgresServer, chosen: argparse.Namespace
) -> Iterator[list[Contender]]:
    """Run the service of this source tree, those of others, and whom it is measured against."""
    settings = dict(one.split("=", 1) for one in chosen.setting)
    with ExitStack() as opened:
        found = [opened.enter_context(contenders.service(server, settings))]
        for one in chosen.checkout:
            name, _, tree = one.rpartition("=")
            other = contenders.service(server, settings, name or tree, Path(tree).resolve())
            found.append(opened.enter_context(other))
        found += [opened.enter_context(AGAINST[name](server)) for name in chosen.against]
        yield found


def names(value: str) -> list[str]:
    return value.split(",") if value else []


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What a request costs, against the floor.")
    known = ", ".join(OPERATIONS)
    parser.add_argument("--operations", type=names, default=list(PLAIN), help=f"of {known}")
    parser.add_argument("--against", type=names, default=["floor"], help=f"of {', '.join(AGAINST)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each round")
    parser.add_argument("--rate", type=float, help="requests a second, instead of all that can be")
    parser.add_argument("--users", type=int, default=1, help="whose requests they are, in turn")
    parser.add_argument("--checkout", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--options", action="store_true", help="measure what costs more")
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    with (
        PostgresServer(durable=True, connections=CONNECTIONS) as server,
        course(chosen.seconds, chosen.rate, chosen.users) as runs,
    ):
        if chosen.options:
            measure_options(runs, chosen.rounds, server)
        else:
            with chosen_services(server, chosen) as services:
                measure(runs, chosen.operations, chosen.rounds, services)


if __name__ == "__main__":
    main()
