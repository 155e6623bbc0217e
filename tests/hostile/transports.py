"""Two ways to the service for the same bytes: through gunicorn's own parser, and over a socket."""

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.message import Message
from http.client import parse_headers
from io import BytesIO
from select import select
from typing import Any, NamedTuple, cast
from urllib.parse import urlsplit

import orjson
from flask import Flask
from gunicorn.config import Config
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser
from tests.hostile.case import CONNECTION_CLOSED
from tests.processes import ON_GRANIAN, SECONDS

from taskservice.server import gunicorn_conf

Transport = Callable[[bytes], bytes]
"""Sends a request, and returns all that comes back."""

_CLIENT, _SERVER = ("127.0.0.1", 50_000), ("127.0.0.1", 8000)
_HEADER_SETTINGS = (
    "forwarded_allow_ips",
    "forwarder_headers",
    "limit_request_fields",
    "limit_request_field_size",
    "limit_request_line",
)

# What differs from one answer to the next, or is the connection's business.
_OF_THE_MOMENT = {"date", "server", "connection", "content-length", "x-request-id"}
_masks = [
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE), "<id>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r'"request_id":"[^"]*"'), '"request_id":"<id>"'),
    (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{15}Z"), "<time>"),
    (re.compile(r"cursor=[\w-]+"), "cursor=<cursor>"),
    (re.compile(r'"next":"[\w-]+"'), '"next":"<token>"'),
    (re.compile(r'"sequence":[0-9]+'), '"sequence":<number>'),
    (re.compile(r'"now":"[^"]+"'), '"now":"<time>"'),
    (re.compile(r'"position":"[^"]+"'), '"position":"<position>"'),
]


class Answer(NamedTuple):
    """What came back: one answer, and whatever followed it."""

    status: int
    headers: Message
    body: bytes
    more: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    def masked(self) -> tuple[int, Mapping[str, str], str]:
        """Return the answer without ids, times and what else is never the same twice."""
        headers = {
            name.lower(): _masked(value)
            for name, value in self.headers.items()
            if name.lower() not in _OF_THE_MOMENT
        }
        return self.status, headers, _masked(self.body.decode("latin-1"))


def read_answer(received: bytes, method: str) -> Answer:
    """Return the final answer in `received` (RFC 9112), past any `100 Continue`."""
    if not received:
        return Answer(CONNECTION_CLOSED, Message(), b"", b"")
    stream = BytesIO(received)
    status = int(stream.readline().split(b" ")[1])
    headers = parse_headers(stream)
    rest = stream.read()
    if status == 100:
        return read_answer(rest, method)
    assert "Transfer-Encoding" not in headers
    has_body = method != "HEAD" and status not in {204, 304}
    length = int(headers["Content-Length"]) if has_body else 0
    return Answer(status, headers, rest[:length], rest[length:])


def in_process(app: Flask) -> Transport:
    """Return the way to `app` through gunicorn's parser and writer, without its processes."""
    config = Config()
    for name in _HEADER_SETTINGS:
        config.set(name, getattr(gunicorn_conf, name))

    def exchange(octets: bytes) -> bytes:
        wire = _Wire()
        request = next(RequestParser(config, iter([octets]), _CLIENT))
        peer = cast("socket.socket", wire)
        response, environ = wsgi.create(request, peer, _CLIENT, _SERVER, config)
        start: Any = response.start_response
        chunks = app(dict(environ), start)
        for chunk in chunks:
            response.write(chunk)
        response.close()
        if hasattr(chunks, "close"):
            chunks.close()
        return bytes(wire.sent)

    return exchange


def over_socket(address: str) -> Transport:
    """Return the way to the service at `address`, on a connection of its own each time."""
    place = urlsplit(address)

    def exchange(octets: bytes) -> bytes:
        with socket.create_connection((place.hostname, place.port), timeout=SECONDS) as connection:
            connection.sendall(octets)
            # granian drops the response to a client that has closed its sending side.
            received = _receive_response(connection, octets) if ON_GRANIAN else b""
            with suppress(*[OSError] * ON_GRANIAN):
                connection.shutdown(socket.SHUT_WR)
                while chunk := connection.recv(65536):
                    received += chunk
        return received

    return exchange


def _receive_response(connection: socket.socket, octets: bytes) -> bytes:
    """Return what arrives until a response is whole, or nothing more arrives for a second."""
    received = b""
    while not _is_whole(received, octets) and select([connection], [], [], 1)[0]:
        if not (chunk := connection.recv(65536)):
            break
        received += chunk
    return received


def _is_whole(received: bytes, octets: bytes) -> bool:
    """Tell whether a final response to the request has arrived with all of its body."""
    final = received.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    head, end, body = final.partition(b"\r\n\r\n")
    length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
    if octets.startswith(b"HEAD ") or length is None:
        return bool(end)
    return bool(end) and len(body) >= int(length[1])


class _Wire:
    """What gunicorn writes an answer to."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def sendall(self, octets: bytes) -> None:
        self.sent += octets

    send = sendall


def _masked(text: str) -> str:
    for pattern, mask in _masks:
        text = pattern.sub(mask, text)
    return text
