"""How a connection is closed: announced, and without keeping anybody waiting."""

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from selectors import EVENT_READ
from socket import SHUT_WR, socket
from time import monotonic
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

LINGER_SECONDS = 2.0
"""How long a connection that we have closed waits for its client to close it too."""

LINGER_BYTES = 1024 * 1024
"""How much of what its client still sends is taken in meanwhile."""

RECEIVED = 65536


@dataclass
class _LingeringClose:
    """Until when a closed connection waits for its client, and how much more is taken in."""

    until: float
    left: int = LINGER_BYTES


class LingeringWorker(ThreadWorker):
    """The threaded worker, which waits for clients to close their side in its event loop.

    gunicorn's own stops the loop for each of them, for up to two seconds. What a client still
    sends is taken in meanwhile, so that it can read its answer (RFC 9112, section 9.6).

    An answer that leaves a body unread says that the connection closes: whoever shares it, as a
    proxy does, must not send another request after such a body.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: dict[TConn, _LingeringClose] = {}

    def load_wsgi(self) -> None:
        """Load the application, and look at each of its answers."""
        super().load_wsgi()
        self.wsgi = _announcing(self.wsgi)

    def finish_request(self, conn: TConn, fs: "Future[bool]") -> None:
        """Keep a connection, or begin to close it."""
        if fs.cancelled() or fs.exception() or fs.result():
            super().finish_request(conn, fs)
        else:
            self._half_close(conn)

    def murder_pending(self) -> None:
        """Close the connections that have waited for long enough."""
        super().murder_pending()
        now = monotonic()
        for conn in [one for one, farewell in self._lingering.items() if farewell.until <= now]:
            self._close(conn)

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        """Tell whether a connection is kept.

        What is kept has nothing unread: its parser need not drain the request that it has read.
        """
        if keepalive:
            parser: Any = conn.parser
            parser.mesg = None
        return keepalive

    def _half_close(self, conn: TConn) -> None:
        """Say that no more will come, and wait for the client to say the same."""
        self._lingering[conn] = _LingeringClose(monotonic() + LINGER_SECONDS)
        try:
            conn.sock.shutdown(SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))
        except (OSError, ValueError):
            self._close(conn)

    def _discard(self, conn: TConn, client: socket) -> None:
        """Take in what the client still sends; close once it has closed, or has sent too much."""
        farewell = self._lingering[conn]
        try:
            received = len(client.recv(RECEIVED))
        except BlockingIOError:
            return
        except OSError:
            received = 0
        farewell.left -= received
        if not received or farewell.left <= 0:
            self._close(conn)

    def _close(self, conn: TConn) -> None:
        del self._lingering[conn]
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()


def _announcing(app: Any) -> Any:
    """Return `app`, whose answers announce that the connection closes where a body is unread."""

    def announcing(environ: dict[str, Any], start_response: Any) -> Any:
        def answer(*begun: Any) -> Any:
            if _is_unread(environ["wsgi.input"]):
                start_response.__self__.force_close()
            return start_response(*begun)

        return app(environ, answer)

    return announcing


def _is_unread(body: Any) -> bool:
    """Tell whether something of gunicorn's request `body` is still to come, or cannot be told."""
    reader = body.reader
    return bool(body.failed or getattr(reader, "length", 0) or getattr(reader, "parser", None))
