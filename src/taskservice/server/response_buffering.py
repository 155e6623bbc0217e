"""How an answer is sent: its head together with what follows, and not before it."""

from functools import lru_cache
from time import time
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

from taskservice.server.keepalive import KeepAliveWorker

_written = util.http_date


class BufferingWorker(KeepAliveWorker):
    """The threaded worker, whose answers leave in one piece where their body is one.

    gunicorn's own sends the head and the body one after the other: two system
    calls, at each of which another thread takes over, and a client that is
    woken twice.
    """

    def init_process(self) -> None:
        """Have gunicorn make answers of our kind, and date them: it has no setting for either."""
        wsgi.Response = BufferedResponse  # type: ignore[misc]
        util.http_date = http_date
        super().init_process()


def http_date(timestamp: float | None = None) -> str:
    """Return a moment as a head shows it (RFC 9110, section 5.6.7); now, if there is none.

    The text of a second is written once, and not for each answer.
    """
    return _date(int(time() if timestamp is None else timestamp))


@lru_cache(1)
def _date(second: int) -> str:
    return str(_written(second))


class BufferedResponse(wsgi.Response):
    """An answer over HTTP/1.1 whose head waits for the beginning of the body, or for the end."""

    def __init__(self, req: Any, sock: Any, cfg: Any) -> None:
        joint: Any = BufferedSocket(sock)
        super().__init__(req, joint, cfg)
        self._joint = joint

    def close(self) -> None:
        """End the answer."""
        super().close()
        self._joint.flush()


class BufferedSocket:
    """A socket that keeps what it is given first, and sends it with what it is given next."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._kept = b""
        self._has_head = False

    def sendall(self, data: bytes) -> None:
        """Send `data` behind what is kept; keep it where it is the first."""
        self._kept += data
        if self._has_head:
            self.flush()
        self._has_head = True

    def flush(self) -> None:
        """Send what is kept."""
        if self._kept:
            kept, self._kept = self._kept, b""
            self._sock.sendall(kept)

    def sendfile(self, *given: Any, **how: Any) -> Any:
        """Send of a file, behind what is kept."""
        self.flush()
        return self._sock.sendfile(*given, **how)
