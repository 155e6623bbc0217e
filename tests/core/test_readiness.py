"""Readiness checks: concurrent callers share the result of one probe."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from taskservice.core.errors import Unavailable
from taskservice.core.operations.readiness import RESULT_TTL, SharedProbe

AWAY = "the database is away"


class Dependency:
    """A dependency that is ready, or raises `error`; it has a clock of its own."""

    def __init__(self) -> None:
        self.runs = 0
        self.now = 0.0
        self.error: Exception | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.probe = SharedProbe(self.check, lambda: self.now, wait_timeout=30)

    def check(self) -> None:
        self.runs += 1
        self.meanwhile()
        if self.error:
            raise self.error


@pytest.fixture
def dependency() -> Dependency:
    return Dependency()


@pytest.mark.parametrize("error", [None, Unavailable(AWAY)])
def test_concurrent_callers_share_one_result(
    dependency: Dependency, error: Exception | None
) -> None:
    """However long the probe takes, and whatever it finds, it runs once for all callers."""
    dependency.error = error
    started, all_called, callers = Event(), Event(), 20
    reads: list[float] = []

    def clock() -> float:
        reads.append(dependency.now)
        if len(reads) == callers:
            all_called.set()
        return dependency.now

    def meanwhile() -> None:
        started.set()
        assert all_called.wait(30)
        dependency.now += 10 * RESULT_TTL

    dependency.meanwhile = meanwhile
    dependency.probe = SharedProbe(dependency.check, clock, 30)
    with ThreadPoolExecutor(callers) as pool:
        first = pool.submit(dependency.probe)
        assert started.wait(30)
        others = [pool.submit(dependency.probe) for _ in range(callers - 1)]
        found = [future.exception(30) for future in (first, *others)]
    assert (dependency.runs, len(reads)) == (1, callers + 1), "the clock is read before waiting"
    assert [str(each) for each in found] == [str(error)] * callers


@pytest.mark.parametrize("error", [None, Unavailable(AWAY)])
def test_a_result_is_reused_until_it_expires(
    dependency: Dependency, error: Exception | None
) -> None:
    """After `RESULT_TTL` the probe runs again, whether the last result was good or bad."""

    def result() -> str:
        try:
            dependency.probe()
        except Unavailable as unavailable:
            return str(unavailable)
        return "None"

    other = None if error else Unavailable(AWAY)
    dependency.error = error
    assert result() == str(error)
    dependency.error = other
    dependency.now = RESULT_TTL
    assert (result(), dependency.runs) == (str(error), 1)
    dependency.now = RESULT_TTL * 1.01
    assert (result(), dependency.runs) == (str(other), 2)


def test_an_unexpected_error_is_raised_and_not_shared(dependency: Dependency) -> None:
    """Any error but `Unavailable` is raised for the caller that ran the probe; the next reruns."""
    dependency.error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        dependency.probe()
    dependency.error = None
    dependency.probe()
    assert dependency.runs == 2


def test_a_slow_probe_blocks_no_other_thread() -> None:
    """Other callers time out and raise; the caller that runs the probe gets its result."""
    started, finish = Event(), Event()

    def check() -> None:
        started.set()
        assert finish.wait(30)

    probe = SharedProbe(check, wait_timeout=0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(probe)
        assert started.wait(30)
        with pytest.raises(Unavailable, match="timed out"):
            probe()
        finish.set()
        assert first.exception(30) is None
