"""How long the service needs to be itself again: `python -m tests.history.recovery` prints it."""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import NamedTuple

import psycopg
from tests.history.targets import Target, direct
from tests.http_callers import token_of
from tests.postgres import PostgresServer
from tests.proxy import Wire

PATH, ADA = "/api/tasks/ada/tasks", token_of("ada")
CALLERS = 8
"""As many requests at once as the service has threads."""
RESTARTS = 5
DOWN_SECONDS = 0.5
"""How long the database is down, beyond the time that it needs to stop and start."""
WAKE_SECONDS = 0.8
PAUSE = 0.01


class Call(NamedTuple):
    """One request: when it was answered, how long that took, and its status."""

    ended: float
    seconds: float
    status: int


class Restart(NamedTuple):
    """A restart of the database under load, in seconds from when it was down.

    `bare` is when a loop of plain psycopg was served again, `served` when the
    first request was; `statuses` counts all answers from its stop until then.
    """

    bare: float
    served: float
    statuses: Counter[int]

    @property
    def ratio(self) -> float:
        """Return how many times as long as plain psycopg the service was away."""
        return self.served / self.bare


class Calls(NamedTuple):
    """What became of requests that were sent at once."""

    statuses: Counter[int]
    longest: float

    def __str__(self) -> str:
        statuses = ", ".join(f"{count} x {status}" for status, count in self.statuses.items())
        return f"{statuses}, the slowest after {self.longest:.2f} s"


def restart_under_load(target: Target) -> Restart:
    """Restart the database while requests come, one after another from each caller."""
    assert target.database is not None
    with _loading(target) as calls, _bare_loop(target) as await_bare:
        began = time.monotonic()
        target.database.stop("fast")
        down = time.monotonic()
        time.sleep(DOWN_SECONDS)
        target.database.start()
        bare = await_bare(down)
        served = _await_success(calls, down)
    during = [call for call in list(calls) if began < call.ended <= served]
    return Restart(bare - down, served - down, Counter(call.status for call in during))


def idle_restart(target: Target) -> Calls:
    """Restart the database while nobody calls; then let all call at once."""
    assert target.database is not None
    _warm(target)
    target.database.restart("fast")
    return _at_once(target)


def wake(target: Target) -> Calls:
    """Cut the connections, and let new ones take as long as a database that wakes."""
    wire = _warm(target)
    wire.cut()
    wire.delay = WAKE_SECONDS
    calls = _at_once(target)
    wire.delay = 0
    return calls


def silence(target: Target) -> Calls:
    """Swallow what is sent, on connections that there are, then also on those that are made.

    Two call at once, so that none waits for a thread.
    """
    wire = _warm(target)
    wire.is_silent = True
    both = [_at_once(target, callers=2), _at_once(target, callers=2)]
    wire.is_silent = False
    wire.cut()
    return Calls(both[0].statuses + both[1].statuses, max(calls.longest for calls in both))


def _call(target: Target, number: int) -> Call:
    """Read and write in turn."""
    began = time.monotonic()
    body = {"title": "called"} if number % 2 else None
    answer = target.server.service("POST" if body else "GET", PATH, ADA, body)
    ended = time.monotonic()
    return Call(ended, ended - began, answer.status)


def _at_once(target: Target, callers: int = CALLERS) -> Calls:
    with ThreadPoolExecutor(callers) as pool:
        calls = list(pool.map(lambda number: _call(target, number), range(callers)))
    return Calls(Counter(call.status for call in calls), max(call.seconds for call in calls))


def _warm(target: Target) -> Wire:
    """Have the service make its connections, and return the wire that they go over."""
    for _ in range(3):
        assert _at_once(target).statuses.keys() <= {200, 201}
    assert target.wire is not None
    return target.wire


@contextmanager
def _loading(target: Target) -> Iterator[list[Call]]:
    """Have all callers call until the block ends; what they hear is in the list."""
    calls: list[Call] = []
    stop = Event()

    def work(number: int) -> None:
        while not stop.is_set():
            calls.append(_call(target, number))

    _warm(target)
    workers = [Thread(target=work, args=(number,)) for number in range(CALLERS)]
    for worker in workers:
        worker.start()
    try:
        yield calls
    finally:
        stop.set()
        for worker in workers:
            worker.join()


@contextmanager
def _bare_loop(target: Target) -> Iterator[Callable[[float], float]]:
    """Connect and ask by plain psycopg, again and again; yields a wait for the next success."""
    served: list[float] = []
    stop = Event()
    assert target.home is not None
    address = target.home.service

    def work() -> None:
        while not stop.wait(PAUSE):
            try:
                with psycopg.connect(address, connect_timeout=2) as connection:
                    connection.execute("SELECT 1")
            except psycopg.OperationalError:
                continue
            served.append(time.monotonic())

    def await_success(since: float) -> float:
        return _awaited(lambda: next((moment for moment in served if moment > since), None))

    worker = Thread(target=work)
    worker.start()
    try:
        yield await_success
    finally:
        stop.set()
        worker.join()


def _await_success(calls: list[Call], since: float) -> float:
    def found() -> float | None:
        good = (call.ended for call in list(calls) if call.status < 300 and call.ended > since)
        return min(good, default=None)

    return _awaited(found)


def _awaited(found: Callable[[], float | None]) -> float:
    deadline = time.monotonic() + 30
    while (moment := found()) is None:
        assert time.monotonic() < deadline, "not served again"
        time.sleep(PAUSE)
    return moment


def told(restarts: list[Restart]) -> str:
    """Return what came of several restarts: medians, and all statuses together."""
    statuses = Counter(itertools.chain.from_iterable(one.statuses.elements() for one in restarts))
    lags = [restart.served - restart.bare for restart in restarts]
    return (
        f"{len(restarts)} restarts: served {median(lags) * 1000:.0f} ms after plain psycopg, at "
        f"most {max(lags) * 1000:.0f} ms; {median(one.ratio for one in restarts):.2f} times its "
        f"time; statuses {dict(statuses)}"
    )


def main() -> None:
    """Measure, and print."""
    with (
        TemporaryDirectory() as folder,
        PostgresServer() as database,
        direct(Path(folder), database) as target,
    ):
        print("restart under load,", told([restart_under_load(target) for _ in range(RESTARTS)]))
        print(f"idle restart: {idle_restart(target)}")
        print(f"wake of {WAKE_SECONDS} s: {wake(target)}")
        print(f"silent partition: {silence(target)}")


if __name__ == "__main__":
    main()
