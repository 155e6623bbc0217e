"""A wish as a request over a real socket, and what became of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urljoin

from tests.canaries import WATCH, look_at_answer
from tests.faults.history import Outcome, Seen
from tests.faults.requests import Wish
from tests.http_callers import token_of
from tests.processes import Answer

PATIENCE = 15
"""Seconds that a client waits for an answer; then it does not know."""

PAGE = 10


class Heard(NamedTuple):
    """What became of a request: a status (0 where none came), and the tasks that were shown."""

    outcome: Outcome
    status: int
    seen: tuple[Seen, ...] = ()
    replayed: bool = False


class NotSent(Exception):
    """Nobody took the connection, so nothing was sent."""


class Sender:
    """Sends the requests of one user, on one connection as long as it lasts."""

    def __init__(self, host: str, port: int, user: str) -> None:
        self._place = (host, port)
        self._path = f"/api/tasks/{user}/tasks"
        self._token = token_of(user)
        self._connection: HTTPConnection | None = None

    def __call__(self, wish: Wish) -> Heard:
        """Send `wish`, once, and tell what was heard."""
        try:
            return self._pages() if wish.kind == "list" else self._heard(wish, self._ask(wish))
        except NotSent:
            return Heard("fail", 0)
        except (OSError, HTTPException):
            return Heard("info", 0)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, wish: Wish) -> Answer:
        path = f"{self._path}/{wish.task}" if wish.task else self._path
        match wish.kind:
            case "create":
                made = {"title": wish.title, "description": wish.name}
                return self._send("POST", path, made, _headers(wish))
            case "update":
                return self._send("PUT", path, {"title": wish.title}, _headers(wish))
            case "complete":
                done = {"completed": wish.completed}
                return self._send("PATCH", f"{path}/complete", done, _headers(wish))
            case "delete":
                return self._send("DELETE", path, None, _headers(wish))
        return self._send("GET", path, None, {})

    def _pages(self) -> Heard:
        """Read a list to its end."""
        path, seen = f"{self._path}?limit={PAGE}", list[Seen]()
        while True:
            answer = self._send("GET", path, None, {})
            if answer.status != 200:
                return Heard(_outcome(answer), answer.status)
            seen += map(Seen.of, answer.json)
            if "Link" not in answer.headers:
                return Heard("ok", 200, tuple(seen))
            path = urljoin(path, answer.headers["Link"].partition(">")[0].removeprefix("<"))

    def _heard(self, wish: Wish, answer: Answer) -> Heard:
        shown = answer.status in {200, 201}
        seen = (Seen.of(answer.json),) if shown else ()
        replayed = "Idempotency-Replayed" in answer.headers
        return Heard(_outcome(answer), answer.status, seen, replayed)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        all_headers = {"Authorization": f"Bearer {self._token}", **headers}
        data = None
        if body is not None:
            data, all_headers["Content-Type"] = json.dumps(body), "application/json"
        with self._connected() as connection:
            connection.request(method, path, data, all_headers)
            response = connection.getresponse()
            answer = Answer(response.status, dict(response.getheaders()), response.read())
            if response.will_close:
                self.close()
        if answer.status >= 400:
            look_at_answer(WATCH, f"{method} {path}", *answer)
        return answer

    @contextmanager
    def _connected(self) -> Iterator[HTTPConnection]:
        """Yield the connection; where it breaks, the next request gets a new one."""
        if self._connection is None:
            self._connection = _connection(*self._place)
        try:
            yield self._connection
        except (OSError, HTTPException):
            self.close()
            raise


def _connection(host: str, port: int) -> HTTPConnection:
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    try:
        connection.connect()
    except OSError as error:
        raise NotSent from error
    return connection


def _headers(wish: Wish) -> dict[str, str]:
    matched = {} if wish.version is None else {"If-Match": f'"{wish.version}"'}
    return matched | ({} if wish.key is None else {"Idempotency-Key": wish.key})


def _outcome(answer: Answer) -> Outcome:
    """Return what the answer says of a write; of 5xx only `not_applied` says anything."""
    if answer.status < 300:
        return "ok"
    if answer.status < 500:
        return "fail"
    told = answer.json.get("outcome") if answer.status in {503, 507} else None
    return "fail" if told == "not_applied" else "info"
