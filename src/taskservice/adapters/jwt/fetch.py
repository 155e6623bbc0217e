"""One GET of a key set, bounded in time and size whatever the other side does."""

import io
import socket
import time
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, NamedTuple, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from taskservice.core.errors import Unavailable

SIZE_LIMIT = 1024 * 1024
"""The longest key set that is read, in bytes."""

OPERATION_SECONDS = 3.0
"""How long one socket operation may take."""

TOTAL_SECONDS = 5.0
"""How long the answer may take from beginning to end."""

_HEADERS = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "taskservice"}


class Fetched(NamedTuple):
    """What was answered: the body, and the moment that its sender put on it, if any."""

    body: bytes
    date: datetime | None


def fetch_key_set(url: str) -> bytes:
    """Return the body at `url`; see `fetch`."""
    return fetch(url).body


def fetch(url: str) -> Fetched:
    """Return what is at `url`, http or https; raise `Unavailable` for all but a 200.

    Redirects are not followed. The usual proxy variables of the environment
    (`https_proxy`, `no_proxy`, …) are respected. A reason names the host and
    the kind of failure, and nothing else of the URL or of the answer.
    """
    host = _host(url)
    try:
        status, body, date = _get(url)
    except HTTPError as error:
        error.close()
        status, body, date = error.code, b"", None
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(f"{host}: {_kind(error)}") from None
    if status != 200:
        raise Unavailable(f"{host} answers {status}")
    if len(body) > SIZE_LIMIT:
        raise Unavailable(f"{host} sends over {SIZE_LIMIT} bytes")
    return Fetched(body, _moment(date))


def _moment(date: str | None) -> datetime | None:
    try:
        found = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


def _host(url: str) -> str:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        scheme, host = "", None
    if scheme not in {"http", "https"} or not host:
        raise Unavailable("the address of the key set is not one of http or https")
    return host


def _get(url: str) -> tuple[int, bytes, str | None]:
    opener = _opener(time.monotonic() + TOTAL_SECONDS)
    with opener.open(Request(url, headers=_HEADERS), timeout=OPERATION_SECONDS) as response:  # noqa: S310
        body = response.read(SIZE_LIMIT + 1)
        return response.status, body, response.headers.get("Date")


def _kind(error: BaseException) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    return type(cause).__name__ if isinstance(cause, BaseException) else "URLError"


def _opener(deadline: float) -> OpenerDirector:
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        _Handler(deadline),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _Handler(HTTPSHandler):
    """Opens http and https, and reads answers until the deadline."""

    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._deadline = deadline

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(partial(self._connection, HTTPConnection), request)

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(partial(self._connection, HTTPSConnection), request)

    http_request = HTTPSHandler.https_request

    def _connection(self, kind: type[HTTPConnection], *args: Any, **kwargs: Any) -> HTTPConnection:
        connection = kind(*args, **kwargs)
        connection.response_class = cast(Any, partial(_Response, self._deadline))
        return connection


class _Response(HTTPResponse):
    def __init__(self, deadline: float, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Timed(self.fp.detach(), sock, deadline))


class _Timed(io.RawIOBase):
    """What a socket receives until the deadline: later reads raise `TimeoutError`."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(left, OPERATION_SECONDS))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
