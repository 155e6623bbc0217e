"""How a thread goes on: with whom it has answered, where the next request comes at once."""

from socket import SO_RCVTIMEO, SOL_SOCKET, socket
from struct import pack
from typing import Any

from gunicorn.workers.gthread import TConn

from taskservice.server.draining import DrainingWorker

MOMENT = pack("@ll", 0, 2000)
"""How long a thread waits for the next request (s, µs); the kernel makes up to 12 ms of it."""

AS_LONG_AS_IT_TAKES = pack("@ll", 0, 0)


class KeepAliveWorker(DrainingWorker):
    """The threaded worker, whose threads stay for a moment with whom they have answered.

    gunicorn's own thread gives a kept connection back to the event loop,
    which wakes a thread for its next request: that takes longer than much of
    what is asked for. Here it is so only where the request does not follow at
    once, or somebody else waits for a thread.
    """

    def handle(self, conn: TConn) -> Any:
        """Answer a request, and those that follow it."""
        kept = super().handle(conn)
        while kept is True and self._is_followed(conn):
            kept = super().handle(conn)
        return kept

    def _is_followed(self, conn: TConn) -> bool:
        """Tell whether the next request comes within a moment that nobody else needs."""
        if not self.alive or self.cfg.is_ssl or self.tpool._work_queue.qsize():
            return False
        parser: Any = conn.parser
        return bool(parser.unreader.buf.getvalue()) or _goes_on(conn.sock, parser.unreader)


def _goes_on(client: socket, unreader: Any) -> bool:
    """Tell whether more comes within a moment, or an end, and leave it to whoever reads next.

    To wait and then to read would hand the interpreter to another thread twice.
    """
    client.setsockopt(SOL_SOCKET, SO_RCVTIMEO, MOMENT)
    try:
        unreader.unread(client.recv(unreader.mxchunk))
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        client.setsockopt(SOL_SOCKET, SO_RCVTIMEO, AS_LONG_AS_IT_TAKES)
    return True
