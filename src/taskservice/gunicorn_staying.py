"""How a thread goes on: with whom it has answered, where the next request comes at once."""

from select import POLLIN, poll
from typing import Any

from gunicorn.workers.gthread import TConn

from taskservice.gunicorn_draining import DrainingWorker

MOMENT_MS = 2
"""How long a thread that has answered waits for the next request, in milliseconds."""


class StayingWorker(DrainingWorker):
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
        if not self.alive or self.tpool._work_queue.qsize():
            return False
        parser: Any = conn.parser
        if parser.unreader.buf.getvalue():
            return True
        waiting = poll()
        waiting.register(conn.sock, POLLIN)
        return bool(waiting.poll(MOMENT_MS))
