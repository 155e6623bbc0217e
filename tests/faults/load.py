"""Calls to the service, at once or without end, and plain psycopg beside them."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, Thread
from typing import NamedTuple

import psycopg
from tests.faults.targets import Target
from tests.http_callers import token_of

PATH, ADA = "/api/tasks/ada/tasks", token_of("ada")
CALLERS = 5
"""As many as one worker has places: it may get them all."""
PAUSE = 0.01
SUCCESSES = {200, 201}
"""What a reading and a writing hear when all is well."""


class Call(NamedTuple):
    """One request: when it was sent and answered, and its status."""

    began: float
    ended: float
    status: int

    @property
    def seconds(self) -> float:
        """Return how long the answer took."""
        return self.ended - self.began


class Calls(NamedTuple):
    """What became of requests that were sent at once."""

    statuses: Counter[int]
    longest: float

    def __str__(self) -> str:
        statuses = ", ".join(f"{count} x {status}" for status, count in self.statuses.items())
        return f"{statuses}, the slowest after {self.longest:.2f} s"


def _call(target: Target, number: int) -> Call:
    """Read and write in turn."""
    began = time.monotonic()
    body = {"title": "called"} if number % 2 else None
    answer = target.server.service("POST" if body else "GET", PATH, ADA, body)
    return Call(began, time.monotonic(), answer.status)


def at_once(target: Target) -> Calls:
    with ThreadPoolExecutor(CALLERS) as pool:
        calls = list(pool.map(lambda number: _call(target, number), range(CALLERS)))
    return Calls(Counter(call.status for call in calls), max(call.seconds for call in calls))


def warm(target: Target) -> None:
    """Have the service make its connections."""
    for _ in range(3):
        assert at_once(target).statuses.keys() == SUCCESSES


@contextmanager
def loading(target: Target) -> Iterator[list[Call]]:
    """Have all callers call until the block ends; what they hear is in the list."""
    calls: list[Call] = []
    stop = Event()

    def work(number: int) -> None:
        while not stop.is_set():
            calls.append(_call(target, number))

    warm(target)
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
def bare_loop(target: Target) -> Iterator[Callable[[float], float]]:
    """Connect and ask by plain psycopg, again and again; yields a wait for the next success."""
    served: list[float] = []
    stop = Event()
    assert target.database is not None
    address = target.database.service

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


def await_success(calls: list[Call], since: float, statuses: Collection[int] = SUCCESSES) -> float:
    """Return when a request that began after `since` was first answered with one of `statuses`."""

    def found() -> float | None:
        good = (
            call.ended for call in list(calls) if call.status in statuses and call.began > since
        )
        return min(good, default=None)

    return _awaited(found)


def _awaited(found: Callable[[], float | None]) -> float:
    deadline = time.monotonic() + 30
    while (moment := found()) is None:
        assert time.monotonic() < deadline, "not served again"
        time.sleep(PAUSE)
    return moment
