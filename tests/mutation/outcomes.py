"""What becomes of mutants that meet the tests side by side."""

from collections.abc import Iterator, Sequence
from itertools import islice
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from time import monotonic
from typing import NamedTuple

from tests.mutation.cleanup import sweep
from tests.mutation.coverage import Reach, nearest
from tests.mutation.run_tests import meet_the_tests
from tests.mutation.targets import TESTS, Job

LONGEST = 300
NEAREST = 40
"""How many of the tests that call a function meet its mutants before all the others do."""


class Running(NamedTuple):
    """A mutant that meets the tests, since when, and over which server.

    A test may end connections, or make a role, of a server: it is for one mutant at a time.
    """

    job: Job
    process: ForkProcess
    began: float
    server: str
    witness: Connection


class Outcome(NamedTuple):
    """What became of a mutant, how long that took, in seconds, and the test that noticed it.

    No test is named where it ran for ever, or the service could not be imported at all.
    """

    name: str
    lives: bool
    seconds: float
    witness: str


def start(job: Job, reach: Reach, server: str) -> Running:
    """Begin with a mutant, in a process of its own that has all imports but the service."""
    first = nearest(reach, job.function, TESTS[job.module], NEAREST)
    witness, told = Pipe(duplex=False)
    context = get_context("fork")
    process = context.Process(target=meet_the_tests, args=(job, first, server, told))
    process.start()
    told.close()
    return Running(job, process, monotonic(), server, witness)


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
            sweep(one.server)
            free.append(one.server)
            yield outcome(one)


def outcome(one: Running) -> Outcome:
    """Return what became of a mutant that has ended."""
    return Outcome(
        one.job.name, one.process.exitcode == 0, monotonic() - one.began, _told(one.witness)
    )


def _told(witness: Connection) -> str:
    with witness:
        try:
            return str(witness.recv()) if witness.poll() else ""
        except EOFError:
            return ""


def has_ended(one: Running) -> bool:
    """Tell whether a mutant has ended, and end it where its time is over."""
    if monotonic() - one.began > LONGEST:
        one.process.kill()
    one.process.join(0)
    return not one.process.is_alive()
