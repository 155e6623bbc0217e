"""A wish as a request over a real socket, and what became of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from typing import Any, NamedTuple
from urllib.parse import urljoin

from tests.canaries import WATCH, look_at_answer
from tests.faults.history import Kind, Outcome, Result, ShownChange
from tests.faults.messages import changes_in, headers_of, message, results_in, seen_in
from tests.faults.requests import Request
from tests.faults.seen import Seen
from tests.http_callers import token_of
from tests.processes import Answer

TIMEOUT = 15
"""Seconds that a client waits for an answer; then it does not know."""

PAGE = 10
PAGED: dict[Kind, str] = {"list": "tasks", "trash": "trash"}
"""What is read in pages, and its path."""


class Response(NamedTuple):
    """What became of a request: a status (0 where none came), and the tasks that were shown."""

    outcome: Outcome
    status: int
    seen: tuple[Seen, ...] = ()
    replayed: bool = False
    changes: tuple[ShownChange, ...] = ()
    problem: str | None = None
    applied: bool | None = None
    results: tuple[Result, ...] = ()


class Page(NamedTuple):
    """A page of changes: what it shows, the ids that are gone, and the token of the next one."""

    response: Response
    seen: tuple[Seen, ...] = ()
    gone: tuple[str, ...] = ()
    next: str = ""
    more: bool = True
    full: bool = False


class NotSent(Exception):
    """Nobody took the connection, so nothing was sent."""


class HttpClient:
    """Sends the requests of one user, on one connection as long as it lasts."""

    def __init__(self, host: str, port: int, user: str) -> None:
        self._place = (host, port)
        self._path = f"/api/tasks/{user}"
        self._token = token_of(user)
        self._connection: HTTPConnection | None = None

    def __call__(self, request: Request) -> Response:
        """Send `request`, once, and tell what was heard."""
        try:
            if request.kind in PAGED:
                return self._pages(PAGED[request.kind])
            method, path, body = message(request)
            answer = self._send(method, f"{self._path}{path}", body, headers_of(request))
            return _response(request, answer)
        except NotSent:
            return Response("fail", 0)
        except (OSError, HTTPException):
            return Response("info", 0)

    def changes(self, since: str | None, limit: int) -> Page:
        """Ask for the changes since a token, or for all there is."""
        token = "" if since is None else f"&since={since}"
        try:
            answer = self._send("GET", f"{self._path}/changes?limit={limit}{token}", None, {})
        except (NotSent, OSError, HTTPException):
            return Page(Response("fail", 0))
        response = Response(_outcome(answer), answer.status)
        return _page(response, answer.json) if answer.status == 200 else Page(response)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _pages(self, of: str) -> Response:
        """Read a list to its end."""
        path, seen = f"{self._path}/{of}?limit={PAGE}", list[Seen]()
        while True:
            answer = self._send("GET", path, None, {})
            if answer.status != 200:
                return Response(_outcome(answer), answer.status)
            seen += map(Seen.of, answer.json)
            if "Link" not in answer.headers:
                return Response("ok", 200, tuple(seen))
            path = urljoin(path, answer.headers["Link"].partition(">")[0].removeprefix("<"))

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


def _page(response: Response, shown: dict[str, Any]) -> Page:
    changes = shown["changes"]
    seen = [Seen.of(one["task"]) for one in changes if "task" in one]
    seen += [Seen.of_list(one["list"]) for one in changes if "list" in one]
    gone = tuple(one["id"] for one in changes if "gone" in one)
    return Page(response, tuple(seen), gone, shown["next"], shown["more"], shown["full"])


def _connection(host: str, port: int) -> HTTPConnection:
    connection = HTTPConnection(host, port, timeout=TIMEOUT)
    try:
        connection.connect()
    except OSError as error:
        raise NotSent from error
    return connection


def _response(request: Request, answer: Answer) -> Response:
    is_shown = answer.status in {200, 201}
    return Response(
        outcome=_outcome(answer),
        status=answer.status,
        seen=seen_in(request, answer.json) if is_shown else (),
        replayed="Idempotency-Replayed" in answer.headers,
        changes=changes_in(request, answer.json) if is_shown else (),
        problem=_problem(answer),
        applied=answer.json["applied"] if is_shown and request.kind == "batch" else None,
        results=results_in(request, answer.json) if is_shown else (),
    )


def _problem(answer: Answer) -> str | None:
    return str(answer.json["type"]) if answer.status in {409, 412} else None


def _outcome(answer: Answer) -> Outcome:
    """Return what the answer says of a write; of 5xx only `not_applied` says anything."""
    if answer.status < 300:
        return "ok"
    if answer.status < 500:
        return "fail"
    outcome = answer.json.get("outcome") if answer.status in {503, 507} else None
    return "fail" if outcome == "not_applied" else "info"
