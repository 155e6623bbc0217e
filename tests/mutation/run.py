"""Breaks identity, ownership and the SQL adapter in every small way, and looks who notices.

    python -m tests.mutation.run [--only adapters/sql/storage "strict_json: loads"] [--workers 2]

A mutant that no test notices must stand in `survivors.txt`, with the reason
why it may live; one that stands there and is noticed must go from there.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from pathlib import Path

from tests.mutation.coverage import Coverage, read_coverage
from tests.mutation.outcomes import Outcome, outcomes
from tests.mutation.run_tests import record_coverage, warm_up
from tests.mutation.targets import Job, jobs, sources
from tests.postgres import PostgresServer

SURVIVORS = Path(__file__).with_name("survivors.txt")


def listed() -> set[str]:
    """Return the survivors that are known; the lines that begin with # are their reasons."""
    lines = SURVIVORS.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


@contextmanager
def servers(count: int) -> Iterator[Sequence[str]]:
    """Yield the addresses of servers that run, and are thrown away."""
    with ExitStack() as opened:
        made = [opened.enter_context(PostgresServer(durable=False)) for _ in range(count)]
        yield [server.url() for server in made]


def measure_coverage(only: Sequence[str], server: str) -> Coverage:
    """Return which tests call what in the chosen modules. All must pass, or nothing can be told."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "reach.json")
        process = get_context("fork").Process(target=record_coverage, args=(only, server, file))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit("the tests do not pass over the service as it is")
        return read_coverage(file)


def run_mutants(chosen: list[Job], coverage: Coverage, addresses: Sequence[str]) -> list[Outcome]:
    """Print and return what becomes of each mutant."""
    found = []
    for count, one in enumerate(outcomes(chosen, coverage, addresses), 1):
        print(f"{count}/{len(chosen)} {one.seconds:.0f} s {_describe(one)}", flush=True)
        found.append(one)
    return found


def _describe(one: Outcome) -> str:
    if one.survived:
        return f"ALIVE {one.name}"
    return f"noticed {one.name} (by {one.first_failure or 'no end, or no beginning'})"


def main() -> int:
    """Print every survivor that is not listed, and every listed one that was noticed."""
    parser = argparse.ArgumentParser(description="Break the service, and look who notices.")
    parser.add_argument("--only", nargs="+", default=[""], help="mutants whose names begin so")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if not sources(asked.only):
        parser.error(f"no module is called {' or '.join(asked.only)}")
    warm_up()
    with servers(asked.workers) as addresses:
        found = run_mutants(
            list(jobs(asked.only)), measure_coverage(asked.only, addresses[0]), addresses
        )
        unexpected = report(found, asked.only)
        # Once more: what made tests fail were the mutants, and nothing that they left behind.
        measure_coverage(asked.only, addresses[-1])
    return unexpected


def report(found: list[Outcome], only: Sequence[str]) -> int:
    """Print how the survivors differ from those that are listed; return 0 where they do not.

    Which mutants no test has named as it ended is printed too: where many ran
    for too long, the machine was too slow.
    """
    alive = {one.name for one in found if one.survived}
    for one in found:
        if not (one.survived or one.first_failure):
            print(f"noticed by no test: {one.name} ({one.seconds:.0f} s)")
    expected = {name for name in listed() if name.startswith(tuple(only))}
    for name in sorted(alive - expected):
        print(f"no test notices: {name}")
    for name in sorted(expected - alive):
        print(f"was noticed, and should not be: {name}")
    print(f"{len(alive)} alive, {len(alive - expected)} of them unexpected", flush=True)
    return int(alive != expected)


if __name__ == "__main__":
    sys.exit(main())
