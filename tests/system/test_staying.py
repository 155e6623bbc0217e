"""A thread stays for a moment with whom it has answered, and keeps nobody else waiting."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from io import BytesIO
from itertools import count
from pathlib import Path
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from gunicorn.config import Config
from tests.homes import sqlite_home
from tests.processes import SECONDS, START, Service, gunicorn
from tests.support import SECRET

from taskservice.gunicorn_draining import DrainingWorker
from taskservice.gunicorn_staying import StayingWorker

TURNS = 50
REQUEST = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service of one thread."""
    settings = {"DATABASE_URL": sqlite_home(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    command = [*START, "--threads=1"]
    with gunicorn(tmp_path, command=command, **settings, WEB_CONCURRENCY="1") as service:
        yield service


def place(service: Service) -> str:
    return urlsplit(service.address).netloc


def test_requests_that_come_together_are_all_answered(service: Service) -> None:
    """What was read ahead with the first request (pipelining) is answered without another byte."""
    host, port = place(service).split(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as client:
        client.sendall(REQUEST * 5)
        received = b""
        while received.count(b"HTTP/1.1 200 ") < 5:
            received += client.recv(65536)


def test_whoever_asks_without_a_pause_keeps_nobody_waiting(service: Service) -> None:
    """The only thread leaves a busy client for another one: they take turns."""
    answered = count()
    turns, begun, stopped = [next(answered)], Event(), Event()

    def hammer() -> None:
        with closing(HTTPConnection(place(service), timeout=SECONDS)) as busy:
            while not stopped.is_set():
                ask(busy)
                turns[0] = next(answered)
                begun.set()

    hammering = Thread(target=hammer)
    hammering.start()
    try:
        assert begun.wait(SECONDS)
        with closing(HTTPConnection(place(service), timeout=SECONDS)) as other:
            before = turns[0]
            for _ in range(TURNS):
                ask(other)
            assert TURNS / 10 < turns[0] - before < TURNS * 10
    finally:
        stopped.set()
        hammering.join(SECONDS)


def ask(client: HTTPConnection) -> None:
    client.request("GET", "/livez")
    assert client.getresponse().read()


class Bench:
    """A worker whose requests are single bytes, and a connection to it; nothing listens."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.worker: Any = StayingWorker(0, 0, [], None, 30, Config(), None)
        self.worker.tpool = self.worker.get_thread_pool()
        self.client = client
        self.ahead = BytesIO()
        unreader = SimpleNamespace(buf=self.ahead)
        self.connection: Any = SimpleNamespace(
            sock=server, parser=SimpleNamespace(unreader=unreader)
        )
        self.answered: list[bytes] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def answer(self, conn: Any) -> bool:
        """Stand in for gunicorn's own: answer one request, and keep the connection."""
        if ahead := self.ahead.getvalue():
            self.answered.append(ahead[-1:])
            self.ahead.truncate(len(ahead) - 1)
        else:
            self.answered.append(conn.sock.recv(1))
        self.meanwhile()
        return True


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    client, server = socket.socketpair()
    with client, server:
        bench = Bench(client, server)
        monkeypatch.setattr(DrainingWorker, "handle", lambda _, conn: bench.answer(conn))
        yield bench
        bench.worker.tpool.shutdown()
        bench.worker.tmp.close()


def test_what_follows_at_once_is_answered_in_the_same_go(bench: Bench) -> None:
    """The connection is given back, kept, when no more comes."""
    bench.client.sendall(b"abc")
    assert bench.worker.handle(bench.connection) is True
    assert bench.answered == [b"a", b"b", b"c"]


def test_what_was_read_ahead_is_not_waited_for(bench: Bench) -> None:
    """Bytes that came with an earlier request do not make the socket readable again."""
    bench.ahead.write(b"ab")
    assert bench.worker.handle(bench.connection) is True
    assert bench.answered == [b"b", b"a"]


def test_who_has_gone_is_given_back_to_the_one_who_notices(bench: Bench) -> None:
    """The end of a connection is no request that follows for ever."""
    bench.client.sendall(b"a")
    bench.client.shutdown(socket.SHUT_WR)
    bench.meanwhile = lambda: bench.worker.__setattr__("alive", len(bench.answered) < 2)
    bench.worker.handle(bench.connection)
    assert bench.answered == [b"a", b""]


@pytest.mark.parametrize("reason", ["a queue", "the end"])
def test_a_thread_that_is_needed_elsewhere_goes(bench: Bench, reason: str) -> None:
    """Where somebody waits for a thread, or the worker stops, what follows goes the usual way."""

    def be_needed() -> None:
        if reason == "the end":
            bench.worker.alive = False
        else:
            bench.worker.tpool = SimpleNamespace(
                _work_queue=SimpleNamespace(qsize=lambda: 1), shutdown=bench.worker.tpool.shutdown
            )

    bench.client.sendall(b"ab")
    bench.meanwhile = be_needed
    assert bench.worker.handle(bench.connection) is True
    assert bench.answered == [b"a"]
