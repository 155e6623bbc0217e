"""The load: a process of its own, whose CPU is not counted, on connections that are kept.

Closed, each connection asks again as soon as it is answered. At a rate, requests
are due at equal intervals, whether or not the one before was answered, and are
timed from when they were due.
"""

import re
import socket
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import islice
from select import select
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import orjson
from tests.benchmarks.speed.operations import OPERATIONS, Operation, Request, Task, create

SECONDS = 30

_length_in = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE).search


@dataclass(frozen=True)
class Load:
    """What is asked, of whom, and how hard; without a `rate` (per second) as hard as can be."""

    address: str
    operation: str
    tokens: tuple[str, ...]
    seconds: float
    connections: int = 16
    rate: float | None = None

    @property
    def of(self) -> Operation:
        return OPERATIONS[self.operation]

    def collection(self, user: int) -> str:
        return f"/api/tasks/{self.of.user(user)}/tasks"


@dataclass(frozen=True)
class Measured:
    """What came of a load; the latencies in ms."""

    requests: int
    seconds: float
    p50: float
    p99: float
    bad: int


class Connection:
    """A connection that is kept, with one request at a time."""

    def __init__(self, load: Load, user: int = 0) -> None:
        place = urlsplit(load.address)
        self._socket = socket.create_connection((place.hostname, place.port), timeout=SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._address = load.address
        self._collection, self._token = load.collection(user), load.tokens[user]
        self._got = b""
        self.user = user
        self.due = 0.0

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, request: Request, due: float) -> None:
        self._got = b""
        self.due = due
        self._socket.sendall(request.octets(self._collection, self._token))

    def receive(self) -> bytes | None:
        """Take in what has come; return the answer when it is whole."""
        received = self._socket.recv(262_144)
        assert received, f"{self._address} hung up, after {self._got!r}"
        self._got += received
        end = self._got.find(b"\r\n\r\n") + 4
        if end < 4:
            return None
        length = _length_in(self._got, 0, end)
        return self._got if len(self._got) >= end + int(length[1] if length else 0) else None

    def ask(self, request: Request) -> Any:
        """Send one request, and return the body of its answer."""
        self.send(request, 0)
        while (answer := self.receive()) is None:
            pass
        assert is_good(answer), answer
        return orjson.loads(answer.partition(b"\r\n\r\n")[2])


def is_good(answer: bytes) -> bool:
    return answer[9:10] == b"2"


def prepare(load: Load) -> list[list[Task]]:
    """Have the tasks made that the operation is about, and return those of each user."""
    return [_prepare(load, user) for user in range(len(load.tokens))]


def _prepare(load: Load, user: int) -> list[Task]:
    with ExitStack() as opened:
        connection = opened.enter_context(closing(Connection(load, user)))
        if load.of.uses_up:
            new = islice(create([]), load.of.tasks // len(load.tokens))
            return [connection.ask(request) for request in new]
        if load.of.grows:
            return []
        there: list[Task] = connection.ask(Request("GET"))
        for request in islice(create([]), max(load.of.tasks - len(there), 0)):
            connection.ask(request)
        found: list[Task] = connection.ask(Request("GET"))
        assert len(found) == load.of.tasks, len(found)
        return found


def run(load: Load, tasks: list[list[Task]]) -> Measured:
    """Put the load on a contender, and return what came of it."""
    with ExitStack() as opened:
        connections = [
            opened.enter_context(closing(Connection(load, number % len(load.tokens))))
            for number in range(load.connections)
        ]
        began = perf_counter()
        latencies, bad = _drive(load, [*map(load.of.requests, tasks)], connections)
        taken = perf_counter() - began
    latencies.sort()
    p50, p99 = (latencies[len(latencies) * part // 100] * 1000 for part in (50, 99))
    return Measured(len(latencies), taken, p50, p99, bad)


def _drive(
    load: Load, requests: list[Iterator[Request]], connections: list[Connection]
) -> tuple[list[float], int]:
    """Send requests until the time is over or they end; return the latencies, and how many failed.

    What is under way at the end is waited for.
    """
    idle, busy = deque(connections), set[Connection]()
    latencies: list[float] = []
    bad = 0
    next_due = perf_counter()
    end = next_due + load.seconds
    while True:
        now = perf_counter()
        while idle and now < end and (load.rate is None or next_due <= now):
            connection = idle.popleft()
            if upcoming := next(requests[connection.user], None):
                connection.send(upcoming, next_due if load.rate else perf_counter())
                busy.add(connection)
                next_due += 1 / load.rate if load.rate else 0
        if not busy and (not idle or now >= end):
            return latencies, bad
        pause = max(next_due - now, 0) if load.rate and idle and now < end else SECONDS
        for connection in select(busy, (), (), pause)[0]:
            if (answer := connection.receive()) is not None:
                latencies.append(perf_counter() - connection.due)
                bad += not is_good(answer)
                busy.remove(connection)
                idle.append(connection)
