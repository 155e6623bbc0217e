"""The gunicorn worker: lingering close, draining, keep-alive and response buffering."""

import sys
from typing import Any

from gunicorn.arbiter import Arbiter

from taskservice.server.logger import redacted_error
from taskservice.server.response_buffering import BufferingWorker


class Worker(BufferingWorker):
    """The threaded worker; it does not quote an invalid request in its response.

    It exits soon after its master.
    """

    def init_process(self) -> None:
        """Load the application and serve; log an exception, and do not print it."""
        try:
            super().init_process()
        except Exception:
            self.log.exception("worker failed")
            sys.exit(-1 if self.booted else Arbiter.WORKER_BOOT_ERROR)

    def is_parent_alive(self) -> bool:
        """Tell whether the master is running; if not, close each connection after its response.

        Persistent connections would otherwise keep the worker running for
        `graceful_timeout`, and the port in use for the next master.
        """
        if not super().is_parent_alive():
            self.alive = False
        return bool(self.alive)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Respond to an error outside the application."""
        super().handle_error(req, client, addr, redacted_error(exc))
