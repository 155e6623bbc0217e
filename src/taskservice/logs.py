"""The log: one event a line, as JSON or for a person, whatever is in it."""

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

from taskservice.config import log_choice

OURS = "taskservice"
QUOTING = {"psycopg", "sqlalchemy"}
"""Packages whose exceptions quote values and addresses in their messages."""

# How psycopg shows a connection: where it leads, and as whom.
_without_address = re.compile(r" ?\((?:host|hostaddr|port|user|dbname|database)=[^)]*\)").sub
_encode = json.JSONEncoder(allow_nan=False).encode
_HEAD = ("timestamp", "level", "pid", "logger", "event")
_Event = MutableMapping[str, Any]
_fields_of = ExtraAdder()


class Formatter(ProcessorFormatter):
    """Makes one line of a record, `json` or `console`; one that cannot be told leaves its place."""

    def __init__(self, form: str) -> None:
        super().__init__(
            processors=[
                _add_fields,
                add_log_level,
                add_logger_name,
                _add_process,
                _tell_no_address,
                TimeStamper(fmt="iso", utc=True),
                ExceptionRenderer(told),
                ProcessorFormatter.remove_processors_meta,
                {"json": _as_json, "console": _for_a_person}[form],
            ]
        )

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        try:
            return super().format(record)
        except Exception as error:
            place = f"{record.pathname}:{record.lineno}"
            untold = {"location": place, "reason": type(error).__name__}
            return super().format(logging.makeLogRecord({**_bare(record), **untold}))


def configure(environ: Mapping[str, str], handlers: Iterable[logging.Handler] = ()) -> Formatter:
    """Log as `environ` says, to `handlers` or else to standard error; return the formatter.

    Of other libraries only warnings are told: below, they tell SQL with its values.
    """
    level, form = log_choice(environ)
    formatter = Formatter(form)
    root = logging.getLogger()
    root.handlers[:] = list(handlers) or [logging.StreamHandler()]
    for handler in root.handlers:
        handler.setFormatter(formatter)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    root.setLevel(max(threshold, logging.WARNING))
    logging.getLogger(OURS).setLevel(threshold)
    logging.captureWarnings(capture=True)
    threading.excepthook = _on_dead_thread
    sys.unraisablehook = _on_unraisable
    return formatter


def told(exc_info: tuple[type[BaseException], BaseException, TracebackType | None]) -> str:
    """Return a traceback with its causes, without the values of variables and of statements."""
    return "\n".join(map(_told_alone, reversed(list(_causes(exc_info[1])))))


def _told_alone(error: BaseException) -> str:
    where = "".join(traceback.format_tb(error.__traceback__))
    return f"Traceback (most recent call last):\n{where}{named(error)}"


def named(error: BaseException) -> str:
    """Name an exception; of what it says the first line, of what a database says the SQLSTATE."""
    kind = type(error)
    package = kind.__module__.partition(".")[0]
    name = kind.__qualname__ if package == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    says = getattr(error, "sqlstate", None) if package in QUOTING else str(error).partition("\n")[0]
    return f"{name}: {says}" if says else name


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _add_fields(logger: logging.Logger, method: str, event: _Event) -> _Event:
    """Add what a record brings beside its message; none of it takes the message's place."""
    return {**_fields_of(logger, method, {"_record": event["_record"]}), **event}


def _add_process(_: object, __: str, event: _Event) -> _Event:
    event["pid"] = event["_record"].process
    return event


def _tell_no_address(_: object, __: str, event: _Event) -> _Event:
    if event["_record"].name.partition(".")[0] in QUOTING:
        event["event"] = _without_address("", str(event["event"]))
    return event


def _as_json(_: object, __: str, event: _Event) -> str:
    return _encode(_plain(_in_order(event)))


def _for_a_person(_: object, __: str, event: _Event) -> str:
    fields = {name: _plain(value) for name, value in _in_order(event).items()}
    timestamp, level, pid, logger, said = (fields.pop(name) for name in _HEAD)
    rest = "".join(f"  {name}={value}" for name, value in fields.items())
    return escaped(f"{timestamp} {level:<8} [{pid}] {logger}: {said}{rest}")


def _in_order(event: _Event) -> dict[str, Any]:
    return {**{name: event[name] for name in _HEAD}, **event}


def _plain(value: Any) -> Any:
    """Return `value` as JSON can hold it; text is Unicode without lone surrogates."""
    if type(value) is str and value.isascii():
        return value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {_text(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value - value == 0:
        return value
    return _text(value)


def _text(value: object) -> str:
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
    return text.encode(errors="backslashreplace").decode()


def escaped(text: str) -> str:
    """Return `text` with what cannot be seen, or moves what can, as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _bare(record: logging.LogRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "levelno": record.levelno,
        "levelname": record.levelname,
        "msg": "log record could not be formatted",
    }


def _on_dead_thread(dead: threading.ExceptHookArgs) -> None:
    if dead.exc_value is not None and dead.exc_type is not SystemExit:
        logging.getLogger(OURS).error("unhandled exception in thread", exc_info=dead.exc_value)


def _on_unraisable(lost: "sys.UnraisableHookArgs") -> None:
    logging.getLogger(OURS).error("unraisable exception", exc_info=lost.exc_value)
