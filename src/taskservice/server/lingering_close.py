"""Lingering close (RFC 9112, section 9.6): in the event loop, and announced to the client."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ
from socket import SHUT_WR, socket
from time import monotonic
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

LINGER_TIMEOUT = 2.0
"""Seconds to wait for the client to close its side."""

MAX_LINGER_BYTES = 1024 * 1024
"""Data from the client that is discarded meanwhile."""

RECEIVE_SIZE = 65536


@dataclass
class _LingeringClose:
    """The deadline of a half-closed connection, and the bytes that it may still discard."""

    deadline: float
    bytes_left: int = MAX_LINGER_BYTES


class LingeringWorker(ThreadWorker):
    """The threaded worker; it waits in its event loop for clients to close their side.

    gunicorn's worker blocks the loop for each of them, for up to two seconds.
    Data that a client still sends is discarded, so that the client can read
    the response (RFC 9112, section 9.6).

    A response to a request with an unread body has `Connection: close`: a
    proxy must not reuse such a connection for another request.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: dict[TConn, _LingeringClose] = {}

    def load_wsgi(self) -> None:
        """Load the application; add `Connection: close` to responses with an unread body."""
        super().load_wsgi()
        self.wsgi = _with_connection_close(self.wsgi)

    def finish_request(self, conn: TConn, fs: "Future[bool]") -> None:
        """Keep a connection, or start to close it."""
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self._half_close(conn)

    def murder_pending(self) -> None:
        """Close the connections whose timeout is over."""
        super().murder_pending()
        now = monotonic()
        for conn in [conn for conn, close in self._lingering.items() if close.deadline <= now]:
            self._close(conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Tell whether a connection is kept.

        A kept connection has no unread body: its parser must not drain it again.
        """
        if keepalive:
            parser: Any = conn.parser
            parser.mesg = None
        return keepalive

    def _half_close(self, conn: TConn) -> None:
        """Shut down writing, and wait for the client to do the same."""
        self._lingering[conn] = _LingeringClose(monotonic() + LINGER_TIMEOUT)
        try:
            conn.sock.shutdown(SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))
        except (OSError, ValueError):
            self._close(conn)

    def _discard(self, conn: TConn, client: socket) -> None:
        """Discard data from the client; close when it has closed, or has sent too much."""
        closing = self._lingering[conn]
        try:
            received = len(client.recv(RECEIVE_SIZE))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        closing.bytes_left -= received
        if not received or closing.bytes_left <= 0:
            self._close(conn)

    def _close(self, conn: TConn) -> None:
        del self._lingering[conn]
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _with_connection_close(app: Any) -> Any:
    """Return `app` with `Connection: close` on responses to requests with an unread body."""

    def wrapped(environ: dict[str, Any], start_response: Any) -> Any:
        def start(*args: Any) -> Any:
            if _is_unread(environ["wsgi.input"]):
                start_response.__self__.force_close()
            return start_response(*args)

        return app(environ, start)

    return wrapped


def _is_unread(body: Any) -> bool:
    """Tell whether a part of gunicorn's request `body` is unread, or may be."""
    reader = body.reader
    return bool(body.failed or getattr(reader, "length", 0) or getattr(reader, "parser", None))
