"""Breaks identity, ownership and the SQL adapter in every small way, and looks who notices.

    python -m tests.mutation.run [--only sql/lists] [--workers 2]

A mutant that no test notices must stand in `survivors.txt`, with the reason
why it may live; one that stands there and is noticed must go from there.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import monotonic
from typing import NamedTuple

# What every run of the tests needs is imported once, and inherited: all but the service itself.
import alembic.command
import flask_cors
import flask_smorest
import jwt
import pglast
import psycopg
import pytest
import sqlalchemy.dialects.postgresql
from tests.mutation.operators import mutants
from tests.postgres import GIVEN, PostgresServer

INHERITED = (alembic, flask_cors, flask_smorest, jwt, pglast, psycopg, sqlalchemy)

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src", "taskservice")
SURVIVORS = Path(__file__).with_name("survivors.txt")

LAYERS = ["tests/isolation/test_layers.py", "tests/isolation/test_row_security.py"]
CONTRACT = [
    "tests/contract/test_two_owners.py",
    "tests/contract/test_one_owner.py",
    "tests/contract/test_statements.py",
    "tests/contract/test_once.py",
    "tests/contract/test_lists.py",
    "tests/contract/test_outcomes.py",
    "tests/contract/test_failures.py",
    "tests/contract/test_queries.py",
    "tests/contract/test_concurrency.py",
    *LAYERS,
]
SCHEMA = ["tests/system/test_schema.py"]
START = ["tests/system/test_configuration.py"]
TESTS = {
    "http/identity": ["tests/http/test_access.py", "tests/http/test_keys.py", *LAYERS],
    "sql/sessions": [*LAYERS, *CONTRACT],
    "sql/roles": ["tests/isolation/test_roles.py"],
    "sql/task_service": CONTRACT,
    "sql/lists": ["tests/contract/test_queries.py", *CONTRACT, "tests/contract/test_plans.py"],
    "sql/receipts": ["tests/contract/test_once.py", *CONTRACT],
    "sql/outcomes": ["tests/contract/test_outcomes.py"],
    "sql/archive": ["tests/contract/test_archive.py", "tests/system/test_carrying.py"],
    "sql/pruning": ["tests/isolation/test_row_security.py"],
    "sql/failures": [*CONTRACT, *SCHEMA, "tests/system/test_retries.py", *START],
    "sql/engine": [*SCHEMA, *CONTRACT],
    "sql/schema": [*SCHEMA, "tests/isolation/test_catalogue.py", *START],
    "sql/tables": [*SCHEMA, *CONTRACT],
}
"""The tests that hold each module, those that are likely to notice first."""

SECONDS = 60
LONGEST = 180
CONTROL = "as it is"
PROFILE = "--hypothesis-profile=no-shrinking"


class Job(NamedTuple):
    """One mutant, and the tests that must notice it."""

    module: str
    name: str
    source: str


def jobs(only: str) -> Iterator[Job]:
    """Yield each module whose name begins with `only`, as it is and in every mutant."""
    for module in TESTS:
        if module.startswith(only):
            source = (ROOT / PACKAGE / "adapters" / f"{module}.py").read_text()
            yield Job(module, f"{module}: {CONTROL}", source)
            for where, change, broken in mutants(source):
                yield Job(module, f"{module}: {where}: {change}", broken)


def meet_the_tests(job: Job) -> None:
    """Run the tests in this process, and end it: with 0 where they notice nothing."""
    with tempfile.TemporaryDirectory(prefix="taskservice-mutant-") as folder:
        source = Path(folder, "src")
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        Path(folder, PACKAGE, "adapters", f"{job.module}.py").write_text(job.source)
        sys.path.insert(0, str(source))
        os.environ["PYTHONPATH"] = str(source)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        os.chdir(ROOT)
        options = ["-x", "-q", f"--timeout={SECONDS}", "-p", "no:cacheprovider", "--tb=no", PROFILE]
        with Path(os.devnull).open("w") as void, redirect_stdout(void), redirect_stderr(void):
            sys.exit(pytest.main([*options, *TESTS[job.module]]))


class Running(NamedTuple):
    """A mutant that meets the tests, and until when it may."""

    job: Job
    process: ForkProcess
    deadline: float


def start(job: Job) -> Running:
    """Begin with a mutant, in a process of its own that has all imports but the service."""
    process = get_context("fork").Process(target=meet_the_tests, args=(job,))
    process.start()
    return Running(job, process, monotonic() + LONGEST)


def outcomes(chosen: list[Job], workers: int) -> Iterator[tuple[str, bool]]:
    """Yield of each job, as they end, its name and whether it lives.

    One that runs for ever, in a loop or in a statement, was noticed.
    """
    waiting, running = iter(chosen), list[Running]()
    while True:
        running += [start(job) for job in islice(waiting, workers - len(running))]
        if not running:
            return
        wait([one.process.sentinel for one in running], timeout=1)
        for one in [one for one in running if has_ended(one)]:
            running.remove(one)
            yield one.job.name, one.process.exitcode == 0


def has_ended(one: Running) -> bool:
    """Tell whether a mutant has ended, and end it where its time is over."""
    if monotonic() > one.deadline:
        one.process.kill()
    one.process.join(0)
    return not one.process.is_alive()


def listed() -> set[str]:
    """Return the survivors that are known; the lines that begin with # are their reasons."""
    lines = SURVIVORS.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def alive_of(chosen: list[Job], workers: int) -> set[str]:
    """Return the names of those that the tests do not notice; each as it is must be among them."""
    alive = set()
    with (
        PostgresServer(durable=False) as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv(GIVEN, server.url())
        for count, (name, lives) in enumerate(outcomes(chosen, workers), 1):
            print(f"{count}/{len(chosen)} {'ALIVE' if lives else 'noticed'} {name}", flush=True)
            alive |= {name} if lives else set()
    return alive


def main() -> int:
    """Print every survivor that is not listed, and every listed one that was noticed."""
    parser = argparse.ArgumentParser(description="Break the service, and look who notices.")
    parser.add_argument("--only", default="", help="the modules whose names begin so")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    chosen = list(jobs(asked.only))
    alive = alive_of(chosen, asked.workers)
    expected = {name for name in listed() if name.startswith(asked.only)}
    expected |= {job.name for job in chosen if job.name.endswith(CONTROL)}
    for name in sorted(alive - expected):
        print(f"no test notices: {name}")
    for name in sorted(expected - alive):
        print(f"was noticed, and should not be: {name}")
    print(f"{len(chosen)} runs, {len(alive)} alive, {len(alive - expected)} of them unexpected")
    return int(alive != expected)


if __name__ == "__main__":
    sys.exit(main())
