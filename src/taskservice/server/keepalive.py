"""Keep-alive: a thread waits briefly for the next request on the same connection."""

from socket import SO_RCVTIMEO, SOL_SOCKET, socket
from struct import pack
from typing import Any

from gunicorn.workers.gthread import TConn

from taskservice.server.draining import DrainingWorker

NEXT_REQUEST_TIMEOUT = pack("@ll", 0, 2000)
"""A `timeval` (s, µs); the kernel rounds it up to as much as 12 ms."""

NO_TIMEOUT = pack("@ll", 0, 0)


class KeepAliveWorker(DrainingWorker):
    """The threaded worker; its threads wait briefly for a connection's next request.

    gunicorn's thread returns an idle connection to the event loop, which wakes
    a thread for the next request: this costs more time than many requests do.
    Here that happens only if no request follows at once, or if another
    connection waits for a thread.
    """

    def handle(self, conn: TConn) -> Any:
        """Serve a request, and those that follow at once."""
        keepalive = super().handle(conn)
        while keepalive is True and self._has_next_request(conn):
            keepalive = super().handle(conn)
        return keepalive

    def _has_next_request(self, conn: TConn) -> bool:
        """Tell whether the next request arrives at once, and no connection waits for a thread."""
        if not self.alive or self.cfg.is_ssl or self.tpool._work_queue.qsize():
            return False
        parser: Any = conn.parser
        return bool(parser.unreader.buf.getvalue()) or _receive(conn.sock, parser.unreader)


def _receive(client: socket, unreader: Any) -> bool:
    """Tell whether data, or the end, arrives before the timeout; push data back to the parser.

    `recv` with a timeout releases the GIL once; `poll` and `recv` would do so twice.
    """
    client.setsockopt(SOL_SOCKET, SO_RCVTIMEO, NEXT_REQUEST_TIMEOUT)
    try:
        unreader.unread(client.recv(unreader.mxchunk))
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.setsockopt(SOL_SOCKET, SO_RCVTIMEO, NO_TIMEOUT)
    return True
