"""The gunicorn worker: threads that drain, linger, keep alive and buffer their responses."""

import sys
from typing import Any

from gunicorn.arbiter import Arbiter

from taskservice.server.logger import unquoted
from taskservice.server.response_buffering import BufferingWorker


class Worker(BufferingWorker):
    """The threaded worker, which does not repeat to a client what it could not read.

    It does not outlive its master for long.
    """

    def init_process(self) -> None:
        """Load the application and serve; what ends that goes to the log, and nowhere else."""
        try:
            super().init_process()
        except Exception:
            self.log.exception("worker failed")
            sys.exit(-1 if self.booted else Arbiter.WORKER_BOOT_ERROR)

    def is_parent_alive(self) -> bool:
        """Tell whether the master is there; where it is not, hang up after each answer.

        Clients that keep their connections would else keep the worker, for
        `graceful_timeout`, and the worker the port from the next master.
        """
        if not super().is_parent_alive():
            self.alive = False
        return bool(self.alive)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what went wrong before the application, or after it."""
        super().handle_error(req, client, addr, unquoted(exc))
