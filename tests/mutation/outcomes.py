"""What becomes of mutants that meet the tests side by side."""

from collections.abc import Iterator, Sequence
from itertools import islice
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from time import monotonic
from typing import NamedTuple

from tests.mutation.cleanup import clean_up
from tests.mutation.coverage import Coverage, covering_tests
from tests.mutation.run_tests import run_tests
from tests.mutation.targets import TESTS, Job

TIMEOUT = 300
MAX_COVERING_TESTS = 40
"""How many of the tests that call a function meet its mutants before all the others do."""


class Running(NamedTuple):
    """A mutant that meets the tests, since when, and over which server.

    A test may end connections, or make a role, of a server: it is for one mutant at a time.
    """

    job: Job
    process: ForkProcess
    began: float
    server: str
    first_failure: Connection


class Outcome(NamedTuple):
    """What became of a mutant, how long that took, in seconds, and the test that noticed it.

    No test is named where it ran for ever, or the service could not be imported at all.
    """

    name: str
    survived: bool
    seconds: float
    first_failure: str


def start(job: Job, coverage: Coverage, server: str) -> Running:
    """Begin with a mutant, in a process of its own that has all imports but the service."""
    first = covering_tests(coverage, job.function, TESTS[job.module], MAX_COVERING_TESTS)
    first_failure, connection = Pipe(duplex=False)
    context = get_context("fork")
    process = context.Process(target=run_tests, args=(job, first, server, connection))
    process.start()
    connection.close()
    return Running(job, process, monotonic(), server, first_failure)


def outcomes(chosen: list[Job], coverage: Coverage, servers: Sequence[str]) -> Iterator[Outcome]:
    """Yield what becomes of each job, as they end; each of `servers` has one at a time.

    One that runs for ever, in a loop or in a statement, was noticed.
    """
    waiting, running, free = iter(chosen), list[Running](), list(servers)
    while True:
        running += [start(job, coverage, free.pop()) for job in islice(waiting, len(free))]
        if not running:
            return
        wait([one.process.sentinel for one in running], timeout=1)
        for one in [one for one in running if has_ended(one)]:
            running.remove(one)
            clean_up(one.server)
            free.append(one.server)
            yield outcome(one)


def outcome(one: Running) -> Outcome:
    """Return what became of a mutant that has ended."""
    return Outcome(
        one.job.name,
        one.process.exitcode == 0,
        monotonic() - one.began,
        _received(one.first_failure),
    )


def _received(first_failure: Connection) -> str:
    with first_failure:
        try:
            return str(first_failure.recv()) if first_failure.poll() else ""
        except EOFError:
            return ""


def has_ended(one: Running) -> bool:
    """Tell whether a mutant has ended, and end it where its time is over."""
    if monotonic() - one.began > TIMEOUT:
        one.process.kill()
    one.process.join(0)
    return not one.process.is_alive()
