"""Logging: one line per event, as JSON or as text for a console."""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from types import TracebackType
from typing import Any

from structlog.processors import ExceptionRenderer, TimeStamper
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name

from taskservice.config import log_settings

SERVICE_LOGGER = "taskservice"
SENSITIVE = {"psycopg", "sqlalchemy"}
"""Packages whose exception messages quote values and addresses."""

# psycopg's representation of a connection: its address and user.
_replace_address = re.compile(r" ?\((?:host|hostaddr|port|user|dbname|database)=[^)]*\)").sub
_encode = json.JSONEncoder(allow_nan=False).encode
_FIRST_FIELDS = ("timestamp", "level", "pid", "logger", "event")
_Event = MutableMapping[str, Any]
_extra_fields = ExtraAdder()


class Formatter(ProcessorFormatter):
    """Formats a record as one line, in the format `json` or `console`.

    A record that cannot be formatted becomes a line with its location.
    """

    def __init__(self, format_name: str) -> None:
        super().__init__(
            processors=[
                _add_fields,
                add_log_level,
                add_logger_name,
                _add_pid,
                _remove_address,
                TimeStamper(fmt="iso", utc=True),
                ExceptionRenderer(format_exception),
                ProcessorFormatter.remove_processors_meta,
                {"json": _as_json, "console": _as_text}[format_name],
            ]
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without its end."""
        try:
            return super().format(record)
        except Exception as error:
            location = f"{record.pathname}:{record.lineno}"
            fields = {"location": location, "reason": type(error).__name__}
            return super().format(logging.makeLogRecord({**_replacement(record), **fields}))


def configure(environ: Mapping[str, str], handlers: Iterable[logging.Handler] = ()) -> Formatter:
    """Configure logging to `handlers`, or to standard error; return the formatter.

    Other libraries log at `warning` or above only: below, they log SQL with its values.
    """
    level, format_name = log_settings(environ)
    formatter = Formatter(format_name)
    root = logging.getLogger()
    root.handlers[:] = list(handlers) or [logging.StreamHandler()]
    for handler in root.handlers:
        handler.setFormatter(formatter)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(threshold, logging.WARNING))
    logging.getLogger(SERVICE_LOGGER).setLevel(threshold)
    logging.captureWarnings(capture=True)
    threading.excepthook = _on_thread_exception
    sys.unraisablehook = _on_unraisable
    return formatter


def format_exception(
    exc_info: tuple[type[BaseException], BaseException, TracebackType | None],
) -> str:
    """Return a traceback with its causes, without values of variables and statements."""
    return "\n".join(map(_format_one, reversed(list(_causes(exc_info[1])))))


def _format_one(error: BaseException) -> str:
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{frames}{exception_summary(error)}"


def exception_summary(error: BaseException) -> str:
    """Return the class and the first line of the message; of a database's error the SQLSTATE."""
    kind = type(error)
    package = kind.__module__.partition(".")[0]
    name = kind.__qualname__ if package == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    text = str(error).partition("\n")[0]
    if package in SENSITIVE:
        text = getattr(error, "sqlstate", None) or ""
    return f"{name}: {text}" if text else name


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _add_fields(logger: logging.Logger, method: str, event: _Event) -> _Event:
    """Add the record's extra fields; none overrides a standard field."""
    return {**_extra_fields(logger, method, {"_record": event["_record"]}), **event}


def _add_pid(_: object, __: str, event: _Event) -> _Event:
    event["pid"] = event["_record"].process
    return event


def _remove_address(_: object, __: str, event: _Event) -> _Event:
    if event["_record"].name.partition(".")[0] in SENSITIVE:
        event["event"] = _replace_address("", str(event["event"]))
    return event


def _as_json(_: object, __: str, event: _Event) -> str:
    return _encode(_json_value(_ordered(event)))


def _as_text(_: object, __: str, event: _Event) -> str:
    fields = {name: _json_value(value) for name, value in _ordered(event).items()}
    timestamp, level, pid, logger, message = (fields.pop(name) for name in _FIRST_FIELDS)
    rest = "".join(f"  {name}={value}" for name, value in fields.items())
    return escaped(f"{timestamp} {level:<8} [{pid}] {logger}: {message}{rest}")


def _ordered(event: _Event) -> dict[str, Any]:
    return {**{name: event[name] for name in _FIRST_FIELDS}, **event}


def _json_value(value: Any) -> Any:
    """Return `value` as a JSON value; text has no lone surrogates."""
    if type(value) is str and value.isascii():
        return value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_text(name): _json_value(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json_value(each) for each in value]
    if isinstance(value, float) and value - value == 0:
        return value
    return _text(value)


def _text(value: object) -> str:
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return text.encode(errors="backslashreplace").decode()


def escaped(text: str) -> str:
    """Return `text` with unprintable and bidirectional characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _replacement(record: logging.LogRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "levelno": record.levelno,
        "levelname": record.levelname,
        "msg": "log record could not be formatted",
    }


def _on_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and args.exc_type is not SystemExit:
        logging.getLogger(SERVICE_LOGGER).error(
            "unhandled exception in thread", exc_info=args.exc_value
        )


def _on_unraisable(args: "sys.UnraisableHookArgs") -> None:
    logging.getLogger(SERVICE_LOGGER).error("unraisable exception", exc_info=args.exc_value)
