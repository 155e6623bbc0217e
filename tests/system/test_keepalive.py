"""A thread stays for a moment with whom it has answered, and keeps nobody else waiting."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from socket import SO_RCVTIMEO, SOL_SOCKET
from threading import Event, Thread
from types import SimpleNamespace
from typing import Any
from unittest.mock import create_autospec
from urllib.parse import urlsplit

import pytest
from gunicorn.config import Config
from gunicorn.http.unreader import SocketUnreader
from tests.databases import sqlite_database
from tests.processes import SECONDS, START, Service, gunicorn
from tests.secret_values import SECRET

from taskservice.server.draining import DrainingWorker
from taskservice.server.keepalive import NO_TIMEOUT, KeepAliveWorker

TURNS = 50
REQUEST = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A service of one thread."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
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


def test_a_busy_connection_does_not_block_others(service: Service) -> None:
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
        self.worker: Any = KeepAliveWorker(0, 0, [], None, 30, Config(), None)
        self.worker.tpool = self.worker.get_thread_pool()
        self.client = client
        self.reader = SocketUnreader(server)
        self.connection: Any = SimpleNamespace(
            sock=server, parser=SimpleNamespace(unreader=self.reader)
        )
        self.answered: list[bytes] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def answer(self) -> bool:
        """Stand in for gunicorn's own: answer one request, and keep the connection."""
        self.answered.append(self.reader.read(1))
        self.meanwhile()
        return True


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    client, server = socket.socketpair()
    with client, server:
        bench = Bench(client, server)
        monkeypatch.setattr(DrainingWorker, "handle", lambda *_: bench.answer())
        yield bench
        bench.worker.tpool.shutdown()
        bench.worker.tmp.close()


def test_what_follows_at_once_is_answered_in_the_same_go(bench: Bench) -> None:
    """The connection is given back, kept, when no more comes; nothing that came is lost."""
    following = iter([b"bc"])
    bench.client.sendall(b"a")
    bench.meanwhile = lambda: bench.client.send(next(following, b""))
    assert bench.worker.handle(bench.connection) is True
    assert bench.answered == [b"a", b"b", b"c"]


def test_what_was_read_ahead_is_not_waited_for(bench: Bench) -> None:
    """Bytes that came with an earlier request do not make the socket readable again."""
    bench.reader.unread(b"ab")
    assert bench.worker.handle(bench.connection) is True
    assert bench.answered == [b"a", b"b"]


def test_a_connection_waits_for_its_requests_as_ever(bench: Bench) -> None:
    """What is waited for between two of them is not what a request may take."""
    bench.client.sendall(b"a")
    bench.worker.handle(bench.connection)
    timeout = bench.connection.sock.getsockopt(SOL_SOCKET, SO_RCVTIMEO, len(NO_TIMEOUT))
    assert timeout == NO_TIMEOUT


def test_a_broken_connection_is_returned_to_the_poller(bench: Bench) -> None:
    """What is wrong with a connection, the next reading finds."""
    bench.client.sendall(b"a")
    bench.connection.sock = create_autospec(socket.socket, instance=True)
    bench.connection.sock.recv.side_effect = ConnectionResetError
    bench.meanwhile = lambda: bench.worker.__setattr__("alive", len(bench.answered) < 2)
    bench.client.shutdown(socket.SHUT_WR)
    bench.worker.handle(bench.connection)
    assert bench.answered == [b"a", b""]


def test_a_closed_connection_is_returned_to_the_poller(bench: Bench) -> None:
    """The end of a connection is no request that follows for ever."""
    bench.client.sendall(b"a")
    bench.client.shutdown(socket.SHUT_WR)
    bench.meanwhile = lambda: bench.worker.__setattr__("alive", len(bench.answered) < 2)
    bench.worker.handle(bench.connection)
    assert bench.answered == [b"a", b""]


@pytest.mark.parametrize("reason", ["a queue", "the end", "TLS"])
def test_a_thread_is_released_if_needed(bench: Bench, reason: str) -> None:
    """Where somebody waits for a thread, or the worker stops, what follows goes the usual way.

    So does what is encrypted: there may be more of it than the kernel knows of.
    """

    def be_needed() -> None:
        if reason == "the end":
            bench.worker.alive = False
        elif reason == "TLS":
            bench.worker.cfg.set("certfile", "certificate.pem")
        else:
            bench.worker.tpool = SimpleNamespace(
                _work_queue=SimpleNamespace(qsize=lambda: 1), shutdown=bench.worker.tpool.shutdown
            )

    bench.client.sendall(b"ab")
    bench.meanwhile = be_needed
    assert bench.worker.handle(bench.connection) is True
    assert bench.answered == [b"a"]
