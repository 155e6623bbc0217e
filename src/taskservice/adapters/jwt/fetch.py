"""HTTP GET of a key set, with limits on total time and size."""

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
"""The maximum size of a key set, in bytes."""

SOCKET_TIMEOUT = 3.0
"""The timeout of one socket operation, in seconds."""

TOTAL_TIMEOUT = 5.0
"""The timeout of the whole response, in seconds."""

_HEADERS = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "taskservice"}


class FetchedDocument(NamedTuple):
    """The body of a response, and its `Date`, if any."""

    body: bytes
    date: datetime | None


def fetch_key_set(url: str) -> bytes:
    """Return the body at `url`; see `fetch`."""
    return fetch(url).body


def fetch(url: str) -> FetchedDocument:
    """Return the document at an http or https URL. Raise `Unavailable` unless the status is 200.

    It does not follow redirects. It uses the proxy variables of the environment
    (`https_proxy`, `no_proxy`, …). Reasons contain the host and the type of the
    error, and nothing else of the URL or of the response.
    """
    host = _host(url)
    try:
        status, body, date = _get(url)
    except HTTPError as error:
        error.close()
        status, body, date = error.code, b"", None
    except (OSError, HTTPException, ValueError) as error:
        raise Unavailable(f"{host}: {_error_name(error)}") from None
    if status != 200:
        raise Unavailable(f"{host} returned status {status}")
    if len(body) > SIZE_LIMIT:
        raise Unavailable(f"{host} sent more than {SIZE_LIMIT} bytes")
    return FetchedDocument(body, _parse_date(date))


def _parse_date(date: str | None) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return parsed if parsed.tzinfo else None


def _host(url: str) -> str:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname
    except ValueError:
        scheme, host = "", None
    if scheme not in {"http", "https"} or not host:
        raise Unavailable("the URL of the key set must begin with https:// or http://")
    return host


def _get(url: str) -> tuple[int, bytes, str | None]:
    opener = _opener(time.monotonic() + TOTAL_TIMEOUT)
    with opener.open(Request(url, headers=_HEADERS), timeout=SOCKET_TIMEOUT) as response:  # noqa: S310
        body = response.read(SIZE_LIMIT + 1)
        return response.status, body, response.headers.get("Date")


def _error_name(error: BaseException) -> str:
    cause = error.reason if isinstance(error, URLError) else error
    return type(cause).__name__ if isinstance(cause, BaseException) else "URLError"


def _opener(deadline: float) -> OpenerDirector:
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        _DeadlineHandler(deadline),
        HTTPErrorProcessor(),
        HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener


class _DeadlineHandler(HTTPSHandler):
    """Opens http and https URLs, and reads responses until the deadline."""

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
        connection.response_class = cast(Any, partial(_DeadlineResponse, self._deadline))
        return connection


class _DeadlineResponse(HTTPResponse):
    def __init__(self, deadline: float, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock, deadline))


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket. Raises `TimeoutError` after the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        self._sock.settimeout(min(remaining, SOCKET_TIMEOUT))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
