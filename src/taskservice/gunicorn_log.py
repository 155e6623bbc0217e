"""gunicorn's own log and workers: in the form of ours, quoting nothing that a client sent."""

import logging
import os
import sys
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors

from taskservice.gunicorn_joining import JoiningWorker
from taskservice.logs import configure

QUOTING = (errors.ParseException, errors.NoMoreData)
"""What gunicorn raises for a request that it cannot read; each quotes the request."""


class Log(Logger):
    """gunicorn's logger; what the service logs goes where gunicorn's errors go."""

    def setup(self, cfg: Config) -> None:
        """Make the handlers that gunicorn was told to, and have them write our lines."""
        super().setup(cfg)
        formatter = configure(os.environ, self.error_log.handlers)
        for handler in self.access_log.handlers:
            handler.setFormatter(formatter)
        self.error_log.addFilter(discreet)


class Worker(JoiningWorker):
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
        super().handle_error(req, client, addr, _unquoted(exc))


def discreet(record: logging.LogRecord) -> bool:
    """Take out of a record what a client sent; drop gunicorn's settings, which may hold secrets."""
    if str(record.msg).startswith("Current configuration"):
        return False
    if str(record.msg).startswith("Error handling request"):
        record.msg, record.args = "Error handling request", ()
    problem = sys.exc_info()[1]
    if isinstance(problem, QUOTING):
        text = record.getMessage().replace(str(problem), type(problem).__name__)
        record.msg, record.args = text, ()
    return True


def _unquoted(error: BaseException) -> BaseException:
    """Return an exception of the same kind that says its name, and nothing of the request."""
    kind = type(error)
    if not isinstance(error, QUOTING):
        return error
    quiet = type(kind.__name__, (kind,), {"__str__": lambda _: kind.__name__})
    copy: BaseException = BaseException.__new__(quiet)
    copy.__dict__.update(error.__dict__)
    return copy
