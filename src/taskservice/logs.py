"""The log: each event one JSON object on one line, or a line for a person to read."""

import json
from traceback import format_exception
from typing import Any, TextIO

from structlog.dev import ConsoleRenderer
from structlog.processors import JSONRenderer, TimeStamper, format_exc_info
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("json", "console")

# gunicorn gives its loggers handlers of their own, which would print in another form.
_LOGGERS = ("gunicorn.error", "gunicorn.access", "taskservice")


def log_configuration(level: str, form: str) -> dict[str, Any]:
    """Return the configuration of the standard library's logging: all of it to standard error.

    `level` is one of `LEVELS`, `form` one of `FORMATS`.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "form": form}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "line",
            }
        },
        "root": {"level": max(level, "warning", key=LEVELS.index).upper(), "handlers": ["stderr"]},
        "loggers": {
            name: {"level": level.upper(), "handlers": ["stderr"], "propagate": False}
            for name in _LOGGERS
        },
    }


def formatter(form: str) -> ProcessorFormatter:
    """Return what turns a record into a line: whatever is in it, it stays one event."""
    ends: dict[str, list[Processor]] = {
        "json": [format_exc_info, JSONRenderer(serializer=_json)],
        "console": [
            _escape,
            ConsoleRenderer(colors=False, exception_formatter=_traceback),
        ],
    }
    return ProcessorFormatter(
        foreign_pre_chain=[
            ExtraAdder(),
            add_log_level,
            add_logger_name,
            TimeStamper(fmt="iso", utc=True),
        ],
        processors=[ProcessorFormatter.remove_processors_meta, *ends[form]],
    )


def _json(event: EventDict, **_: Any) -> str:
    """Return the event in ASCII, the moment first, so that lines are sorted by it."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "logger", "event")}
    return json.dumps({**first, **event}, default=repr)


def _escape(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Show what is no printable character as an escape: a terminal obeys some."""
    return {
        name: _printable(value) if isinstance(value, str) else value
        for name, value in event.items()
    }


def _traceback(out: TextIO, exc_info: ExcInfo) -> None:
    lines = "".join(format_exception(*exc_info)).splitlines()
    out.write("".join(f"\n{_printable(line)}" for line in lines))


def _printable(text: str) -> str:
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
