"""Rounds in which contenders take turns, so that what disturbs the machine disturbs all alike."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from statistics import median

from tests.benchmarks.speed.contenders import Contender
from tests.benchmarks.speed.load import Load, Measured, prepare, run
from tests.benchmarks.speed.operations import OPERATIONS
from tests.parent_death_signal import die_with_parent

WARM_UP_SECONDS = 1.0


@dataclass
class Lane:
    """One contender at one operation, and what was measured of it, round by round."""

    contender: Contender
    operation: str
    rounds: list[Measured] = field(default_factory=list)
    costs: list[tuple[float, float]] = field(default_factory=list)

    @property
    def best(self) -> float:
        """Microseconds of CPU a request, application and PostgreSQL, in the best round."""
        return min(map(sum, self.costs))

    @property
    def median(self) -> float:
        """Microseconds of CPU a request, in the median round."""
        return median(map(sum, self.costs))

    @property
    def best_parts(self) -> tuple[float, float]:
        """Microseconds of the application and of PostgreSQL, in the best round."""
        return min(self.costs, key=sum)

    @property
    def rate(self) -> float:
        return median(one.requests / one.seconds for one in self.rounds)

    @property
    def p50(self) -> float:
        return median(one.p50 for one in self.rounds)

    @property
    def p99(self) -> float:
        return median(one.p99 for one in self.rounds)

    @property
    def bad(self) -> int:
        return sum(one.bad for one in self.rounds)


class Course:
    """Where lanes are run: the load comes from a process of its own."""

    def __init__(
        self, pool: ProcessPoolExecutor, seconds: float, rate: float | None, users: int
    ) -> None:
        self._pool = pool
        self._seconds = seconds
        self._rate = rate
        self._users = users

    def race(self, lanes: Sequence[Lane], rounds: int) -> None:
        """Warm up, then run each lane once in each round."""
        for lane in lanes:
            self._run(lane, WARM_UP_SECONDS)
        for _ in range(rounds):
            for lane in lanes:
                measured, cost = self._run(lane, self._seconds)
                lane.rounds.append(measured)
                lane.costs.append(cost)

    def _run(self, lane: Lane, seconds: float) -> tuple[Measured, tuple[float, float]]:
        users = map(OPERATIONS[lane.operation].user, range(self._users))
        tokens = tuple(map(lane.contender.token_of, users))
        load = Load(
            lane.contender.address, lane.operation, tokens, seconds=seconds, rate=self._rate
        )
        tasks = self._pool.submit(prepare, load).result()
        before = lane.contender.cpu()
        measured = self._pool.submit(run, load, tasks).result()
        after = lane.contender.cpu()
        application, database = (
            (end - start) / measured.requests * 1e6
            for start, end in zip(before, after, strict=True)
        )
        return measured, (application, database)


@contextmanager
def course(seconds: float, rate: float | None = None, users: int = 1) -> Iterator[Course]:
    """Yield a course whose load comes from one process, which dies with this one."""
    with ProcessPoolExecutor(1, get_context("spawn"), die_with_parent) as pool:
        yield Course(pool, seconds, rate, users)
