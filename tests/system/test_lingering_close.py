"""A client that does not close its connection costs nobody else a moment."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.databases import sqlite_database
from tests.processes import SECONDS, Service, gunicorn
from tests.secret_values import SECRET

LINGERING = 20
ASKING = b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
TOO_LONG = 1_000_000
REFUSED = (
    b"POST /api/tasks/ada/tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n" % TOO_LONG
)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    database = sqlite_database(tmp_path)
    settings = {"DATABASE_URL": database, "TASKSERVICE_JWT_SECRET": SECRET}
    with gunicorn(tmp_path, **settings, WEB_CONCURRENCY="1") as service:
        yield service


def connected(service: Service) -> socket.socket:
    place = urlsplit(service.address)
    return socket.create_connection((place.hostname, place.port), timeout=SECONDS)


def answer(client: socket.socket) -> bytes:
    """Return all that the service sends until it has no more to say."""
    return b"".join(iter(lambda: client.recv(65536), b""))


def test_others_are_served_while_clients_linger(service: Service) -> None:
    """They were told that the connection closes, and leave their side open."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(service)) for _ in range(LINGERING)]
        for client in clients:
            client.sendall(ASKING)
        assert all(answer(client).startswith(b"HTTP/1.1 200 ") for client in clients)
        began = time.monotonic()
        assert service("GET", "/livez").status == 200
        assert time.monotonic() - began < 1


def test_a_lingering_connection_is_closed(service: Service) -> None:
    """After two seconds the service closes its side, and says so to whoever still sends."""
    with connected(service) as client:
        client.sendall(ASKING)
        assert answer(client)
        began = time.monotonic()
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while time.monotonic() - began < SECONDS:
                client.sendall(b"x")
                time.sleep(0.05)
        assert 1 < time.monotonic() - began < 4


def test_a_client_that_is_still_sending_can_read_the_response(service: Service) -> None:
    """The answer to a body that is not wanted arrives whole (RFC 9112, section 9.6)."""
    with connected(service) as client:
        client.sendall(REFUSED)
        client.sendall(b"x" * 300_000)
        assert answer(client).startswith(b"HTTP/1.1 401 ")


def test_lingering_connections_do_not_delay_shutdown(service: Service) -> None:
    """At SIGTERM they are waited for together, and not one after another."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connected(service)) for _ in range(LINGERING)]
        for client in clients:
            client.sendall(ASKING)
        assert all(answer(client) for client in clients)
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 10
