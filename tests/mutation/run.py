"""Breaks identity, ownership and the SQL adapter in every small way, and looks who notices.

    python -m tests.mutation.run [--only sql/lists "sql/rows: _task"] [--workers 2]

A mutant that no test notices must stand in `survivors.txt`, with the reason
why it may live; one that stands there and is noticed must go from there.
"""

import argparse
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from itertools import chain, islice
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import pytest
from tests.mutation.operators import mutants
from tests.mutation.reach import Reach, Recorder, instrumented, nearest, read_reach
from tests.postgres import GIVEN, PostgresServer

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src", "taskservice")
SURVIVORS = Path(__file__).with_name("survivors.txt")

LAYERS = ["tests/isolation/test_layers.py", "tests/isolation/test_row_security.py"]
OUTCOMES = [
    "tests/contract/test_kept.py",
    "tests/contract/test_outcomes.py",
    "tests/contract/test_failures.py",
]
CONTRACT = [
    *LAYERS,
    "tests/contract/test_statements.py",
    *OUTCOMES,
    "tests/contract/test_promises.py",
]
SCHEMA = ["tests/system/test_schema.py"]
START = ["tests/system/test_configuration.py"]
TOKENS = [
    "tests/http/tokens/test_token_form.py",
    "tests/http/tokens/test_token_claims.py",
    "tests/http/tokens/test_token_keys.py",
]
TESTS = {
    "http/identity": [
        "tests/http/test_access.py",
        "tests/http/test_keys.py",
        "tests/http/limits/test_addresses.py",
        "tests/logs/test_requests.py",
        *LAYERS,
    ],
    "http/strict_json": ["tests/http/tokens/test_strict_json.py", *TOKENS],
    "http/tokens/claims": ["tests/http/tokens/test_token_claims.py"],
    "http/tokens/compact": TOKENS,
    "http/tokens/fetch": ["tests/http/tokens/test_token_fetch.py"],
    "http/tokens/header": TOKENS,
    "http/tokens/issue": [*TOKENS, "tests/http/test_access.py"],
    "http/tokens/jwks": ["tests/http/tokens/test_token_keys.py"],
    "http/tokens/key_set": [
        "tests/http/tokens/test_token_key_set.py",
        "tests/http/tokens/test_token_keys.py",
    ],
    "http/tokens/memory": ["tests/http/tokens/test_token_memory.py"],
    "http/tokens/secret": ["tests/http/tokens/test_token_keys.py", *START],
    "http/tokens/verifier": [*TOKENS, "tests/http/tokens/test_token_memory.py"],
    "sql/answers": OUTCOMES,
    "sql/archive": ["tests/contract/test_archive.py", "tests/system/test_carrying.py"],
    "sql/changes": CONTRACT,
    "sql/engine": [
        "tests/contract/test_pool.py",
        *CONTRACT,
        *SCHEMA,
        "tests/isolation/test_roles.py",
        "tests/contract/test_encoding.py",
    ],
    "sql/encoding": ["tests/contract/test_encoding.py", "tests/system/test_check.py"],
    "sql/failures": [*CONTRACT, *SCHEMA, *START, "tests/system/test_retries.py"],
    "sql/inspection": ["tests/system/test_check.py"],
    "sql/lists": [*CONTRACT, "tests/contract/test_plans.py"],
    "sql/migrating": SCHEMA,
    "sql/migrations/env": SCHEMA,
    "sql/migrations/versions/0001_tasks": [*CONTRACT, *SCHEMA],
    "sql/migrations/versions/0002_row_security": [
        "tests/isolation/test_catalogue.py",
        *LAYERS,
        *SCHEMA,
    ],
    "sql/outcomes": OUTCOMES,
    "sql/partitioning": ["tests/contract/test_partitions.py"],
    "sql/patience": OUTCOMES,
    "sql/policies": ["tests/isolation/test_policies.py", "tests/system/test_check.py"],
    "sql/pool": ["tests/contract/test_pool.py"],
    "sql/pruning": ["tests/isolation/test_row_security.py"],
    "sql/receipts": [*CONTRACT, "tests/system/test_retries.py"],
    "sql/roles": ["tests/isolation/test_roles.py"],
    "sql/rows": CONTRACT,
    "sql/schema": [*SCHEMA, "tests/isolation/test_catalogue.py", *START],
    "sql/sessions": [*CONTRACT, "tests/contract/test_plans.py"],
    "sql/statements": [*CONTRACT, "tests/contract/test_plans.py"],
    "sql/tables": [*CONTRACT, *SCHEMA],
    "sql/task_service": CONTRACT,
}
"""The tests that hold each module, those that are likely to notice first."""

SECONDS = 60
LONGEST = 300
NEAREST = 40
"""How many of the tests that call a function meet its mutants before all the others do."""
OPTIONS = ["-q", "-p", "no:cacheprovider", "--hypothesis-profile=no-shrinking"]


class Job(NamedTuple):
    """One mutant, and the function that it is in."""

    module: str
    name: str
    source: str
    function: str


def sources(only: Sequence[str]) -> dict[str, str]:
    """Return the source of each module that has mutants whose names begin with one of `only`."""
    chosen = (
        module
        for module in TESTS
        if module.startswith(tuple(only)) or any(one.startswith(f"{module}:") for one in only)
    )
    return {module: (ROOT / PACKAGE / "adapters" / f"{module}.py").read_text() for module in chosen}


def jobs(only: Sequence[str]) -> Iterator[Job]:
    """Yield every mutant whose name begins with one of `only`."""
    for module, source in sources(only).items():
        for mutant in mutants(source):
            name = f"{module}: {mutant.name}"
            if name.startswith(tuple(only)):
                yield Job(module, name, mutant.source, f"{module}: {mutant.where}")


def learn(only: Sequence[str], file: Path) -> None:
    """Run the tests of the chosen modules as they are in this process; write who calls what."""
    told = {module: instrumented(module, source) for module, source in sources(only).items()}
    tests = dict.fromkeys(chain.from_iterable(TESTS[module] for module in told))
    with over(told):
        sys.exit(
            pytest.main([*OPTIONS, f"--timeout={SECONDS}", *tests], [InOrder(), Recorder(file)])
        )


def meet_the_tests(job: Job, first: list[str], server: str) -> None:
    """Run the tests in this process, and end it: with 0 where they notice nothing."""
    os.environ[GIVEN] = server
    options = [*OPTIONS, "-x", f"--timeout={SECONDS}", "--tb=no"]
    with over({job.module: job.source}), silence():
        if first and pytest.main([*options, *first], [InOrder()]) == pytest.ExitCode.TESTS_FAILED:
            sys.exit(1)
        sys.exit(pytest.main([*options, *TESTS[job.module]], [InOrder()]))


@contextmanager
def over(changed: Mapping[str, str]) -> Iterator[None]:
    """Have this process, and those that it starts, import the service with modules `changed`."""
    with tempfile.TemporaryDirectory(prefix="taskservice-mutant-") as folder:
        source = Path(folder, "src")
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("__pycache__"))
        for module, text in changed.items():
            Path(folder, PACKAGE, "adapters", f"{module}.py").write_text(text)
        sys.path.insert(0, str(source))
        os.environ["PYTHONPATH"] = str(source)
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        sys.dont_write_bytecode = True
        os.chdir(ROOT)
        yield


class InOrder:
    """Has the tests run in the order that `TESTS` names them, but those that need no database."""

    def pytest_collection_modifyitems(self, items: list[pytest.Function]) -> None:
        """Leave out the tests on the in-memory adapter, which say nothing of another one."""
        items[:] = [item for item in items if "memory" not in _drawn(item)]


def _drawn(item: pytest.Function) -> set[str]:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return {value for value in parameters if isinstance(value, str)}


def warm_up() -> None:
    """Import what the tests import, for every run to inherit; service and tests go again."""
    with silence():
        pytest.main([*OPTIONS, "--collect-only", *chain(*TESTS.values())])
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        if name != "__main__" and {ROOT / "src", ROOT / "tests"} & set(file.parents):
            del sys.modules[name]
    logging.getLogger().handlers.clear()


@contextmanager
def silence() -> Iterator[None]:
    """Print nothing."""
    with Path(os.devnull).open("w") as void, redirect_stdout(void), redirect_stderr(void):
        yield


class Running(NamedTuple):
    """A mutant that meets the tests, since when, and over which server.

    A test may end connections, or make a role, of a server: it is for one mutant at a time.
    """

    job: Job
    process: ForkProcess
    began: float
    server: str


class Outcome(NamedTuple):
    """What became of a mutant, and how long that took, in seconds."""

    name: str
    lives: bool
    seconds: float


def start(job: Job, reach: Reach, server: str) -> Running:
    """Begin with a mutant, in a process of its own that has all imports but the service."""
    first = nearest(reach, job.function, TESTS[job.module], NEAREST)
    process = get_context("fork").Process(target=meet_the_tests, args=(job, first, server))
    process.start()
    return Running(job, process, monotonic(), server)


def outcomes(chosen: list[Job], reach: Reach, servers: Sequence[str]) -> Iterator[Outcome]:
    """Yield what becomes of each job, as they end; each of `servers` has one at a time.

    One that runs for ever, in a loop or in a statement, was noticed.
    """
    waiting, running, free = iter(chosen), list[Running](), list(servers)
    while True:
        running += [start(job, reach, free.pop()) for job in islice(waiting, len(free))]
        if not running:
            return
        wait([one.process.sentinel for one in running], timeout=1)
        for one in [one for one in running if has_ended(one)]:
            running.remove(one)
            free.append(one.server)
            yield Outcome(one.job.name, one.process.exitcode == 0, monotonic() - one.began)


def has_ended(one: Running) -> bool:
    """Tell whether a mutant has ended, and end it where its time is over."""
    if monotonic() - one.began > LONGEST:
        one.process.kill()
    one.process.join(0)
    return not one.process.is_alive()


def listed() -> set[str]:
    """Return the survivors that are known; the lines that begin with # are their reasons."""
    lines = SURVIVORS.read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def reach_of(only: Sequence[str]) -> Reach:
    """Return which tests call what in the chosen modules. All must pass, or nothing can be told."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "reach.json")
        process = get_context("fork").Process(target=learn, args=(only, file))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit("the tests do not pass over the service as it is")
        return read_reach(file)


def alive_of(only: Sequence[str], workers: int) -> set[str]:
    """Return the names of the mutants that the tests do not notice."""
    alive, chosen = set(), list(jobs(only))
    warm_up()
    with ExitStack() as opened, pytest.MonkeyPatch.context() as patch:
        made = [opened.enter_context(PostgresServer(durable=False)) for _ in range(workers)]
        servers = [server.url() for server in made]
        patch.setenv(GIVEN, servers[0])
        reach = reach_of(only)
        for count, one in enumerate(outcomes(chosen, reach, servers), 1):
            kind = "ALIVE" if one.lives else "noticed"
            print(f"{count}/{len(chosen)} {one.seconds:.0f} s {kind} {one.name}", flush=True)
            alive |= {one.name} if one.lives else set()
        # Once more: what made tests fail were the mutants, and nothing that they left behind.
        reach_of(only)
    return alive


def main() -> int:
    """Print every survivor that is not listed, and every listed one that was noticed."""
    parser = argparse.ArgumentParser(description="Break the service, and look who notices.")
    parser.add_argument("--only", nargs="+", default=[""], help="mutants whose names begin so")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if not sources(asked.only):
        parser.error(f"no module is called {' or '.join(asked.only)}")
    alive = alive_of(asked.only, asked.workers)
    expected = {name for name in listed() if name.startswith(tuple(asked.only))}
    for name in sorted(alive - expected):
        print(f"no test notices: {name}")
    for name in sorted(expected - alive):
        print(f"was noticed, and should not be: {name}")
    print(f"{len(alive)} alive, {len(alive - expected)} of them unexpected")
    return int(alive != expected)


if __name__ == "__main__":
    sys.exit(main())
