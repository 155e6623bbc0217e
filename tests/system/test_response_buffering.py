"""An answer leaves in one piece: its head is not sent before its body."""

import socket
from email.utils import formatdate
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from gunicorn import util
from gunicorn.config import Config
from gunicorn.http import wsgi
from tests.databases import sqlite_database
from tests.processes import SECONDS, gunicorn
from tests.secret_values import SECRET

from taskservice.server import response_buffering
from taskservice.server.keepalive import KeepAliveWorker
from taskservice.server.response_buffering import BufferedResponse, BufferingWorker, http_date


class Wire:
    """A socket that notes what is sent at once."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.pieces.append(data)

    def sendfile(self, _: object, **__: object) -> None:
        self.pieces.append(b"a file")


def response(wire: Wire, *headers: tuple[str, str], method: str = "GET") -> Any:
    request = SimpleNamespace(version=(1, 1), method=method, should_close=lambda: False)
    begun: Any = BufferedResponse(request, wire, Config())
    begun.start_response("200 OK", list(headers))
    return begun


def test_head_and_body_are_one_piece() -> None:
    """So are those that are sent in parts, up to their first; the rest follows part by part."""
    wire = Wire()
    answer = response(wire, ("Content-Length", "6"))
    for part in (b"abc", b"de", b"f"):
        answer.write(part)
    answer.close()
    (first, *rest) = wire.pieces
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert first.endswith(b"\r\n\r\nabc")
    assert rest == [b"de", b"f"]


def test_an_answer_is_dated_to_the_second(monkeypatch: pytest.MonkeyPatch) -> None:
    """The date is that of the answer, though its text is written once a second."""
    for moment in (0.0, 0.9, 1.0, 86400.5):
        monkeypatch.setattr(response_buffering, "time", lambda moment=moment: moment)
        assert http_date() == http_date(moment) == formatdate(int(moment), usegmt=True)


def test_a_worker_dates_its_answers_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """gunicorn looks its own function up where a worker has put ours."""
    monkeypatch.setattr(wsgi, "Response", wsgi.Response)
    monkeypatch.setattr(util, "http_date", util.http_date)
    monkeypatch.setattr(KeepAliveWorker, "init_process", lambda _: None)
    worker = object.__new__(BufferingWorker)
    worker.init_process()
    monkeypatch.setattr(response_buffering, "time", lambda: 0.0)
    wire = Wire()
    answer = response(wire, ("Content-Length", "0"))
    answer.close()
    assert b"\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" in wire.pieces[0]


def test_a_body_of_unknown_length_is_whole() -> None:
    """Each chunk follows at once, the last one too."""
    wire = Wire()
    answer = response(wire)
    answer.write(b"abc")
    answer.close()
    first, last = wire.pieces
    assert first.endswith(b"\r\n\r\n3\r\nabc\r\n")
    assert last == b"0\r\n\r\n"


@pytest.mark.parametrize("headers", [[("Content-Length", "0")], []])
def test_a_head_alone_is_sent_at_the_end(headers: list[tuple[str, str]]) -> None:
    """Nothing is kept for ever."""
    wire = Wire()
    answer = response(wire, *headers, method="HEAD")
    answer.close()
    assert b"".join(wire.pieces).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_file_follows_its_head() -> None:
    """What the kernel sends by itself comes behind what was kept."""
    wire = Wire()
    answer = response(wire, ("Content-Length", "6"))
    answer.send_headers()
    assert wire.pieces == []
    answer.sock.sendfile(socket, count=6)
    assert wire.pieces[0].endswith(b"\r\n\r\n")
    assert wire.pieces[1:] == [b"a file"]


def test_the_service_sends_such_answers(tmp_path: Path) -> None:
    """What a client receives first holds head and body."""
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    with gunicorn(tmp_path, **settings, WEB_CONCURRENCY="1") as service:
        place = urlsplit(service.address)
        with socket.create_connection((place.hostname, place.port), timeout=SECONDS) as client:
            for _ in range(20):
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
                assert client.recv(65536).endswith(b'{"status":"alive"}')
