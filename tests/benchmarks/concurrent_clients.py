"""Many callers in one thread: each asks again when it was answered, or when it was told to."""

import re
import socket
from collections.abc import Iterator
from heapq import heappop, heappush
from selectors import EVENT_READ, DefaultSelector
from time import perf_counter
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.http_callers import token_of
from tests.processes import SECONDS

_length_in = re.compile(rb"\r\nContent-Length: (\d+)").search
_pause_in = re.compile(rb"\r\nRetry-After: (\d+)").search


class Response(NamedTuple):
    """One answer: its status, how long it took in seconds, and the seconds it asks to wait."""

    status: int
    seconds: float
    pause: int


class ApiClient:
    """One connection that is kept alive, and the one request that it sends."""

    def __init__(self, address: str, request: bytes) -> None:
        place = urlsplit(address)
        self.socket = socket.create_connection((place.hostname, place.port), timeout=SECONDS)
        self._request = request

    def ask(self) -> None:
        self._began, self._got = perf_counter(), b""
        self.socket.sendall(self._request)

    def receive(self) -> Response | None:
        """Take in what has come; return the answer when it is whole."""
        received = self.socket.recv(65536)
        assert received, "the service hung up"
        self._got += received
        head, end, body = self._got.partition(b"\r\n\r\n")
        length = _length_in(head)
        if not end or len(body) < int(length[1] if length else 0):
            return None
        pause = _pause_in(head)
        return Response(
            int(head[9:12]), perf_counter() - self._began, int(pause[1]) if pause else 0
        )


def request(method: str, path: str, user: str | None = None, body: bytes = b"") -> bytes:
    """Return the bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x"]
    if user:
        lines.append(f"Authorization: Bearer {token_of(user)}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run_clients(
    address: str, requests: list[bytes], seconds: float, *, patient: bool = True
) -> Iterator[Response]:
    """Have one caller for each request call for so long, and yield what they hear.

    Patient ones wait for as long as `Retry-After` tells them.
    """
    callers = [ApiClient(address, request) for request in requests]
    due = [(0.0, number) for number in range(len(callers))]
    end = perf_counter() + seconds
    with DefaultSelector() as ready:
        for number, caller in enumerate(callers):
            ready.register(caller.socket, EVENT_READ, number)
        while (now := perf_counter()) < end:
            while due and due[0][0] <= now:
                callers[heappop(due)[1]].ask()
            for key, _ in ready.select(_nearest(due, end) - now):
                if responses := callers[key.data].receive():
                    yield responses
                    heappush(due, (perf_counter() + responses.pause * patient, key.data))
    for caller in callers:
        caller.socket.close()


def _nearest(due: list[tuple[float, int]], end: float) -> float:
    return min(due[0][0], end) if due else end
