"""An answer that leaves a body unread says that the connection closes, and no other does."""

import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from tests.databases import sqlite_database
from tests.http_callers import token_of
from tests.processes import SECONDS, Service, gunicorn
from tests.secret_values import SECRET

from taskservice.adapters.http.protocol.request import BODY_LIMIT

LIST = "/api/tasks/ada/tasks"
ADA = {"Authorization": f"Bearer {token_of('ada')}"}
NEVER = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
SIZES = [1, 1_000, 65_535, 65_536, 70_000]

ANSWERED_UNREAD = {
    "no token": ("POST", LIST, {}, 401),
    "another's path": ("POST", "/api/tasks/bob/tasks", ADA, 403),
    "no such address": ("POST", "/nowhere", ADA, 404),
    "no such method": ("PUT", LIST, ADA, 405),
    "options": ("OPTIONS", LIST, {}, 204),
    "a probe": ("GET", "/livez", {}, 200),
    "a deletion": ("DELETE", f"{LIST}/{NEVER}", ADA, 404),
    "a list": ("GET", LIST, ADA, 200),
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("unread")
    settings = {"DATABASE_URL": sqlite_database(folder), "TASKSERVICE_JWT_SECRET": SECRET}
    with gunicorn(folder, **settings, WEB_CONCURRENCY="1") as service:
        yield service


@pytest.fixture
def client(service: Service) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection(urlsplit(service.address).netloc, timeout=SECONDS)) as client:
        yield client


@pytest.mark.parametrize("name", ANSWERED_UNREAD)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chunked", [False, True])
def test_an_unread_body_closes(client: HTTPConnection, name: str, size: int, chunked: bool) -> None:
    """Whoever shares the connection is told so, whatever the answer is, and finds it so."""
    method, path, headers, status = ANSWERED_UNREAD[name]
    body = iter([b"x" * size]) if chunked else b"x" * size
    client.request(method, path, body, headers, encode_chunked=chunked)
    assert client.sock is not None
    with client.sock.dup() as wire:
        response = client.getresponse()
        response.read()
        assert (response.status, response.headers["Connection"]) == (status, "close")
        assert wire.recv(1) == b""


def test_a_body_that_is_too_large_closes(client: HTTPConnection) -> None:
    """It is answered before it is read."""
    client.request("POST", LIST, b"x" * (BODY_LIMIT + 1), ADA)
    response = client.getresponse()
    assert (response.status, response.headers["Connection"]) == (413, "close")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_was_read_keeps_the_connection(client: HTTPConnection, chunked: bool) -> None:
    """Request after request, refused ones among them, goes over one connection."""
    for title, status in [("Buy milk", 201), (" ", 422), ("Buy bread", 201)] * 3:
        content = f'{{"title": "{title}"}}'.encode()
        body = iter([content[:5], content[5:]]) if chunked else content
        headers = {**ADA, "Content-Type": "application/json"}
        client.request("POST", LIST, body, headers, encode_chunked=chunked)
        sock = client.sock
        response = client.getresponse()
        response.read()
        assert (response.status, response.headers["Connection"]) == (status, "keep-alive")
        assert client.sock is sock


@pytest.mark.parametrize("size", [1, BODY_LIMIT])
def test_a_keyed_deletion_reads_its_body(client: HTTPConnection, size: int) -> None:
    """As the key stands for it: the next request goes over the same connection."""
    client.request("DELETE", f"{LIST}/{NEVER}", b"x" * size, {**ADA, "Idempotency-Key": "a"})
    sock = client.sock
    response = client.getresponse()
    response.read()
    assert (response.status, response.headers["Connection"]) == (404, "keep-alive")
    client.request("GET", LIST, headers=ADA)
    assert client.getresponse().status == 200
    assert client.sock is sock


def test_no_more_is_taken_in_than_a_client_needs_to_read_its_answer(service: Service) -> None:
    """Whoever goes on sending after a refusal is cut after a while."""
    host, port = urlsplit(service.address).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=SECONDS) as client:
        client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n")
        sent = 0
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            while sent < 500_000_000:
                client.sendall(b"x" * 65_536)
                sent += 65_536
        assert sent < 50_000_000
