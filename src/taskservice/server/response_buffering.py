"""Response buffering: header section and body are sent with one system call."""

from functools import lru_cache
from time import time
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

from taskservice.server.keepalive import KeepAliveWorker

_format_date = util.http_date


class BufferingWorker(KeepAliveWorker):
    """The threaded worker; it sends header section and body together.

    gunicorn's worker needs two system calls. Each of them releases the GIL to
    another thread, and the client wakes up twice.
    """

    def init_process(self) -> None:
        """Replace gunicorn's response class and date function, for which it has no setting."""
        wsgi.Response = BufferedResponse  # type: ignore[misc]
        util.http_date = http_date
        super().init_process()


def http_date(timestamp: float | None = None) -> str:
    """Return an HTTP date (RFC 9110, section 5.6.7) of `timestamp`, by default now.

    It is cached for a second.
    """
    return _date(int(time() if timestamp is None else timestamp))


@lru_cache(1)
def _date(second: int) -> str:
    return str(_format_date(second))


class BufferedResponse(wsgi.Response):
    """An HTTP/1.1 response; sends the header section with the first part of the body."""

    def __init__(self, req: Any, sock: Any, cfg: Any) -> None:
        buffered: Any = BufferedSocket(sock)
        super().__init__(req, buffered, cfg)
        self._buffered = buffered

    def close(self) -> None:
        """End the response, and flush the buffer."""
        super().close()
        self._buffered.flush()


class BufferedSocket:
    """A socket that buffers its first data, and sends it together with the next."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._buffer = b""
        self._has_header = False

    def sendall(self, data: bytes) -> None:
        """Send buffer and `data`; only buffer `data` if it is the first."""
        self._buffer += data
        if self._has_header:
            self.flush()
        self._has_header = True

    def flush(self) -> None:
        """Send the buffer."""
        if self._buffer:
            data, self._buffer = self._buffer, b""
            self._sock.sendall(data)

    def sendfile(self, *args: Any, **kwargs: Any) -> Any:
        """Send the buffer, then a file."""
        self.flush()
        return self._sock.sendfile(*args, **kwargs)
