"""gunicorn's log in the service's format, without text that a client sent."""

import logging
import os
import sys

from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import errors

from taskservice.logs import configure

PARSE_ERRORS = (errors.ParseException, errors.NoMoreData)
"""gunicorn's exceptions for an invalid request; their messages quote the request."""


class Log(Logger):
    """gunicorn's logger; the service logs to gunicorn's error log."""

    def setup(self, cfg: Config) -> None:
        """Create gunicorn's handlers, and set the service's formatter on them."""
        super().setup(cfg)
        formatter = configure(os.environ, self.error_log.handlers)
        for handler in self.access_log.handlers:
            handler.setFormatter(formatter)
        self.error_log.addFilter(redact)


def redact(record: logging.LogRecord) -> bool:
    """Remove client data from a record; drop gunicorn's settings, which may contain secrets."""
    if str(record.msg).startswith("Current configuration"):
        return False
    if str(record.msg).startswith("Error handling request"):
        record.msg, record.args = "Error handling request", ()
    error = sys.exc_info()[1]
    if isinstance(error, PARSE_ERRORS):
        text = record.getMessage().replace(str(error), type(error).__name__)
        record.msg, record.args = text, ()
    return True


def redacted_error(error: BaseException) -> BaseException:
    """Return an exception of the same class whose message is the class name."""
    kind = type(error)
    if not isinstance(error, PARSE_ERRORS):
        return error
    redacted = type(kind.__name__, (kind,), {"__str__": lambda _: kind.__name__})
    copy: BaseException = BaseException.__new__(redacted)
    copy.__dict__.update(error.__dict__)
    return copy
