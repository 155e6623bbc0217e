"""How a connection is closed: without keeping anybody waiting."""

from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from socket import SHUT_WR, socket
from time import monotonic
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

LINGER_SECONDS = 2.0
"""How long a connection that we have closed waits for its client to close it too."""

RECEIVED = 65536


class LingeringWorker(ThreadWorker):
    """The threaded worker, which waits for clients to close their side in its event loop.

    gunicorn's own stops the loop for each of them, for up to two seconds. What a client still
    sends is taken in meanwhile, so that it can read its answer (RFC 9112, section 9.6).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lingering: dict[TConn, float] = {}

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
        for conn in [one for one, end in self._lingering.items() if end <= now]:
            self._close(conn)

    def _half_close(self, conn: TConn) -> None:
        """Say that no more will come, and wait for the client to say the same."""
        self._lingering[conn] = monotonic() + LINGER_SECONDS
        try:
            conn.sock.shutdown(SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(self._discard, conn))
        except (OSError, ValueError):
            self._close(conn)

    def _discard(self, conn: TConn, client: socket) -> None:
        """Take in what the client still sends; close once it has closed."""
        try:
            if client.recv(RECEIVED):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._close(conn)

    def _close(self, conn: TConn) -> None:
        del self._lingering[conn]
        with suppress(KeyError, ValueError):
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
