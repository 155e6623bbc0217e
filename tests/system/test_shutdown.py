"""How the service stops: every request that was sent is answered, once, and the status is 0."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.databases import Database, await_lock
from tests.http_callers import token_of
from tests.process_freeze import await_stillness, freeze
from tests.processes import SECONDS, START, Service, gunicorn, running
from tests.secret_values import SECRET
from tests.system.workers import await_signal, workers

PATH = "/api/tasks/ada/tasks"
ADA = token_of("ada")
CLIENTS, PLACES = 50, 17
THREADS = 58

# A worker that stands still between its birth and its own handlers of signals.
NEWBORN = """
import os, signal
from taskservice.server.gunicorn_conf import *
from taskservice.server.gunicorn_conf import post_fork as ours

def post_fork(arbiter, worker):
    ours(arbiter, worker)
    os.kill(worker.pid, signal.SIGSTOP)
"""


@pytest.fixture
def service(database: Database, tmp_path: Path) -> Iterator[Service]:
    """A service of two workers, whose statements wait for a lock as long as a test holds it.

    Each has places for a third of the clients, and lets the others wait.
    """
    settings = {
        "TASKSERVICE_POOL_SIZE": str(PLACES),
        "TASKSERVICE_POOL_TIMEOUT": "25",
        "DATABASE_URL": database.service,
        "TASKSERVICE_JWT_SECRET": SECRET,
        "TASKSERVICE_LOCK_TIMEOUT": "25",
        "TASKSERVICE_STATEMENT_TIMEOUT": "25",
    }
    with gunicorn(tmp_path, **settings) as service:
        yield service


@contextmanager
def held(database: Database) -> Iterator[None]:
    """Have every write wait until the block ends."""
    with psycopg.connect(database.superuser) as holder:
        holder.execute("LOCK TABLE tasks IN EXCLUSIVE MODE")
        yield


def connected(service: Service) -> HTTPConnection:
    connection = HTTPConnection(urlsplit(service.address).netloc, timeout=SECONDS)
    connection.connect()
    return connection


def sent(service: Service, title: str) -> HTTPConnection:
    """Send a request to create a task, and do not wait for the answer."""
    connection = connected(service)
    headers = {"Authorization": f"Bearer {ADA}", "Content-Type": "application/json"}
    connection.request("POST", PATH, f'{{"title": "{title}"}}', headers)
    return connection


def answered(connection: HTTPConnection) -> tuple[int, str | None]:
    """Return the status of the answer, and what becomes of the connection."""
    with closing(connection):
        response: HTTPResponse = connection.getresponse()
        response.read()
        return response.status, response.headers["Connection"]


def stored(database: Database) -> list[str]:
    with psycopg.connect(database.superuser) as inspector:
        return [title for (title,) in inspector.execute("SELECT title FROM tasks")]


def await_line(service: Service, said: str) -> None:
    """Return when the service has logged `said`."""
    assert any(said in line for line in service.output), said


def await_closed_port(service: Service) -> None:
    """Return when nobody can connect any more."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            connected(service).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.01)
    raise AssertionError("the door stays open")


def test_fifty_requests_in_flight_are_answered(service: Service, database: Database) -> None:
    """At SIGTERM they wait in the database, or for a place there: all is done, once, and told."""
    titles = [f"Task {n}" for n in range(CLIENTS)]
    with held(database):
        connections = [sent(service, title) for title in titles]
        await_lock(database.superuser_engine, PLACES)
        service.process.send_signal(signal.SIGTERM)
        await_closed_port(service)
    assert {answered(one)[0] for one in connections} == {201}
    assert service.process.wait(SECONDS) == 0
    assert sorted(stored(database)) == sorted(titles)


def test_a_queued_request_is_answered_at_shutdown(service: Service, database: Database) -> None:
    """A connection that no worker had accepted at SIGTERM is served like any other."""
    titles = [f"Task {n}" for n in range(CLIENTS)]
    processes = workers(service)
    for process in processes:
        freeze(process)
    connections = [sent(service, title) for title in titles]
    service.process.send_signal(signal.SIGTERM)
    for process in processes:
        await_signal(process, signal.SIGTERM)
        os.kill(process, signal.SIGCONT)
    assert {answered(one) for one in connections} == {(201, "close")}
    assert service.process.wait(SECONDS) == 0
    assert sorted(stored(database)) == sorted(titles)


def test_a_kept_connection_is_served_once_more(service: Service, database: Database) -> None:
    """A request on a connection that was idle at SIGTERM is answered, with `Connection: close`."""
    kept = [connected(service) for _ in range(4)]
    for connection in kept:
        connection.request("GET", "/livez")
        assert connection.getresponse().read()
    with held(database):
        pending = sent(service, "Task")
        await_lock(database.superuser_engine)
        service.process.send_signal(signal.SIGTERM)
        await_closed_port(service)
        for connection in kept:
            connection.request("GET", "/livez")
        assert {answered(connection) for connection in kept} == {(200, "close")}
    assert answered(pending)[0] == 201
    assert service.process.wait(SECONDS) == 0


def test_a_silent_connection_does_not_delay_shutdown(database: Database, tmp_path: Path) -> None:
    """A silent connection is waited for like an idle one, and not for `graceful_timeout`."""
    settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
    with running(START, tmp_path, WEB_CONCURRENCY="1", **settings) as service, ExitStack() as stack:
        await_line(service, "Worker ready")
        for _ in range(THREADS):
            stack.enter_context(closing(connected(service)))
        # A thread is free for this one when it has stopped to wait for a silent one.
        assert service("GET", "/livez").status == 200
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_worker_that_was_just_born_stops_as_well(
    by: signal.Signals, database: Database, tmp_path: Path
) -> None:
    """A signal that finds the handlers of the master in a worker is not lost."""
    settings = {"DATABASE_URL": database.service, "TASKSERVICE_JWT_SECRET": SECRET}
    (tmp_path / "newborn.py").write_text(NEWBORN)
    command = [*START, "--config", "newborn.py"]
    with running(command, tmp_path, WEB_CONCURRENCY="1", **settings) as service:
        await_line(service, "Booting worker")
        (worker,) = workers(service)
        await_stillness(worker)
        service.process.send_signal(by)
        await_signal(worker, signal.SIGTERM if by == signal.SIGTERM else signal.SIGQUIT)
        os.kill(worker, signal.SIGCONT)
        assert service.process.wait(SECONDS / 2) == 0


def test_a_half_sent_request_does_not_change_the_status(database: Database, tmp_path: Path) -> None:
    """Who never finishes is hung up on after `graceful_timeout`, and the status is 0."""
    settings = {
        "DATABASE_URL": database.service,
        "TASKSERVICE_JWT_SECRET": SECRET,
        "GUNICORN_CMD_ARGS": "--graceful-timeout 2",
    }
    with gunicorn(tmp_path, **settings) as service, closing(connected(service)) as slow:
        slow.sock.sendall(f"POST {PATH} HTTP/1.1\r\n".encode())
        assert service.stop() == 0
        assert slow.sock.recv(1) == b""
