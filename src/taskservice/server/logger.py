"""gunicorn's own log and workers: in the form of ours, quoting nothing that a client sent."""

import logging
import os
import sys

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors

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


def unquoted(error: BaseException) -> BaseException:
    """Return an exception of the same kind that says its name, and nothing of the request."""
    kind = type(error)
    if not isinstance(error, QUOTING):
        return error
    quiet = type(kind.__name__, (kind,), {"__str__": lambda _: kind.__name__})
    copy: BaseException = BaseException.__new__(quiet)
    copy.__dict__.update(error.__dict__)
    return copy
