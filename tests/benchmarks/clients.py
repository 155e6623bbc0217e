"""A client that costs little: one connection, one request after another, bytes made by hand."""

import re
import socket
from typing import Any
from urllib.parse import urlsplit

import orjson
from tests.http_callers import token_of
from tests.processes import SECONDS

KEPT = 20

_length_in = re.compile(rb"\r\nContent-Length: (\d+)").search


class Client:
    """A user on one connection that is kept alive, with 20 tasks that stay."""

    def __init__(self, address: str, user: str) -> None:
        place = urlsplit(address)
        self._place = place.hostname, place.port
        self._connect()
        self._path = f"/api/tasks/{user}"
        self._token = token_of(user)
        for _ in range(KEPT):
            self.create()

    def go_round(self) -> int:
        """Use every operation; return how many requests that took."""
        task = self.create()
        self.ask("GET", f"/{task['id']}")
        self.ask("GET", "?limit=20")
        self.ask("PUT", f"/{task['id']}", {"title": "Buy oat milk"})
        self.ask("PATCH", f"/{task['id']}/complete")
        self.ask("GET", "?q=milk&completed=true")
        self.ask("DELETE", f"/{task['id']}")
        return 7

    def create(self) -> Any:
        return orjson.loads(self.ask("POST", "", {"title": "Buy milk"}))

    def ask(self, method: str, path: str, body: object = None, of: str = "tasks") -> bytes:
        data = b"" if body is None else orjson.dumps(body)
        lines = [
            f"{method} {self._path}/{of}{path} HTTP/1.1",
            "Host: x",
            f"Authorization: Bearer {self._token}",
            *(["Content-Type: application/json"] if data else []),
            f"Content-Length: {len(data)}",
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode() + data)
        return self._answer()

    def _connect(self) -> None:
        self._socket = socket.create_connection(self._place, timeout=SECONDS)

    def _answer(self) -> bytes:
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._received()
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 2"), head
        length = _length_in(head)
        while len(body) < int(length[1] if length else 0):
            body += self._received()
        if b"\r\nConnection: close\r\n" in head + b"\r\n":
            self._socket.close()
            self._connect()
        return body

    def _received(self) -> bytes:
        received = self._socket.recv(65536)
        assert received, "the service hung up"
        return received
