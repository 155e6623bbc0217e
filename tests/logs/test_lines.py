"""Log formatting: one line per record, without confidential data."""

import json
import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from gunicorn.config import Config
from gunicorn.http.errors import InvalidHeader
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from tests.postgres import Databases

from taskservice.logs import SERVICE_LOGGER, Formatter, configure
from taskservice.server.logger import Log, redact

VALUES = st.recursive(
    st.text(st.characters(exclude_categories=()))
    | st.binary()
    | st.floats()
    | st.integers()
    | st.none(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.binary(), inner),
    max_leaves=10,
)


def record(message: object = "x", *arguments: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("a.logger", logging.WARNING, "file.py", 7, message, arguments, None)
    vars(made).update(fields)
    return made


def as_json(made: logging.LogRecord) -> dict[str, Any]:
    line = Formatter("json").format(made)
    assert line.isascii()
    assert line.isprintable()
    fields: dict[str, Any] = json.loads(line)
    return fields


def with_traceback(error: BaseException) -> logging.LogRecord:
    made = record("defect")
    made.exc_info = (type(error), error, error.__traceback__)
    return made


@given(VALUES, VALUES)
def test_every_value_is_one_object_on_one_line(message: object, field: object) -> None:
    """The line is ASCII and JSON for any message and any field."""
    logged = as_json(record(message, field=field))
    assert list(logged)[:5] == ["timestamp", "level", "pid", "logger", "event"]
    assert (logged["level"], logged["logger"]) == ("warning", "a.logger")
    assert "field" in logged


@given(VALUES, VALUES)
def test_a_console_line_has_no_control_character(message: object, field: object) -> None:
    """Line ends, terminal codes and the like are escaped."""
    assert Formatter("console").format(record(message, field=field)).isprintable()


def test_the_time_is_utc() -> None:
    """`timestamp` is RFC 3339 in UTC, with a Z."""
    logged = as_json(record())
    assert logged["timestamp"][10] == "T"
    assert logged["timestamp"].endswith("Z")


@pytest.mark.parametrize("fields", [{"event": "y"}, {"level": "y", "timestamp": "y", "pid": "y"}])
def test_an_extra_field_does_not_override_a_standard_field(fields: dict[str, str]) -> None:
    """`event`, `level`, `timestamp` and `pid` are those of the record."""
    logged = as_json(record("x", **fields))
    assert "y" not in {logged[name] for name in ("event", "level", "timestamp", "pid")}


def cyclic_list() -> list[object]:
    items: list[object] = []
    items.append(items)
    return items


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("Buy milk")


@pytest.mark.parametrize(
    "made",
    [
        record("%d of %d", "one"),
        record(Unprintable()),
        record("x", field=Unprintable()),
        record("x", field=cyclic_list()),
        record("x", field=10**5000),
    ],
)
def test_a_record_that_cannot_be_formatted_leaves_its_location(made: logging.LogRecord) -> None:
    """The line has the source file and line of the log call."""
    logged = as_json(made)
    assert (logged["event"], logged["location"]) == (
        "log record could not be formatted",
        "file.py:7",
    )
    assert (logged["level"], logged["logger"]) == ("warning", "a.logger")


def test_a_traceback_is_a_field_with_its_causes() -> None:
    """`exception` has the frames and the causes, the first one first, and no variable's value."""
    try:
        try:
            hidden = "Buy milk"
            raise ValueError(f"{len(hidden)} is wrong\nsecond line: {hidden}")
        except ValueError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        logged = as_json(with_traceback(error))["exception"]
    assert logged.index("ValueError: 8 is wrong") < logged.index("RuntimeError: outer")
    assert "in test_a_traceback_is_a_field_with_its_causes" in logged
    assert "Buy milk" not in logged.replace('hidden = "Buy milk"', "")


def test_a_database_error_is_logged_by_its_sqlstate(postgresql: Databases) -> None:
    """PostgreSQL's message quotes the row, SQLAlchemy's the statement: neither is logged."""
    with psycopg.connect(postgresql.url()) as connection:
        connection.execute("CREATE TEMPORARY TABLE t (title text CHECK (title = ''))")
        title = "Buy milk"
        with pytest.raises(psycopg.errors.CheckViolation, match=title) as refused:
            connection.execute("INSERT INTO t VALUES (%s)", [title])
    error = IntegrityError("INSERT …", {"title": title}, refused.value)
    error.__cause__ = refused.value
    logged = as_json(with_traceback(error))["exception"]
    assert "psycopg.errors.CheckViolation: 23514" in logged
    assert "sqlalchemy.exc.IntegrityError" in logged
    assert title not in logged


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """Restores the logging configuration after a test."""
    root, ours = logging.getLogger(), logging.getLogger(SERVICE_LOGGER)
    gunicorns = logging.getLogger("gunicorn.error")
    before = root.handlers[:], root.level, ours.level, threading.excepthook, sys.unraisablehook
    yield
    gunicorns.handlers.clear()
    gunicorns.filters.clear()
    logging.captureWarnings(capture=False)
    root.handlers[:], (threading.excepthook, sys.unraisablehook) = before[0], before[3:]
    root.setLevel(before[1])
    ours.setLevel(before[2])


@pytest.mark.parametrize(
    ("level", "ours", "others"),
    [("debug", 10, 30), ("info", 20, 30), ("warning", 30, 30), ("ERROR", 40, 40), ("loud", 20, 30)],
)
@pytest.mark.usefixtures("logging_restored")
def test_other_libraries_log_warnings_only(level: str, ours: int, others: int) -> None:
    """At `debug`, libraries would log statements with values. An invalid level is `info`."""
    configure({"TASKSERVICE_LOG_LEVEL": level})
    assert logging.getLogger(SERVICE_LOGGER).getEffectiveLevel() == ours
    assert logging.getLogger("another.library").getEffectiveLevel() == others


@pytest.mark.usefixtures("logging_restored")
def test_an_unhandled_exception_in_a_thread_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It is a record like any other."""
    configure({})
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    logged = json.loads(capsys.readouterr().err)
    assert logged["event"] == "unhandled exception in thread"
    assert logged["exception"].endswith("ZeroDivisionError: division by zero")


def test_gunicorn_quotes_no_request() -> None:
    """An invalid request is logged by its error class; settings and paths are not logged."""
    try:
        raise InvalidHeader("Authorization Bearer x.y.z")
    except InvalidHeader as error:
        refused = record(f"Invalid request from ip=1.2.3.4: {error}")
        cut_short = record("Closed. %s", error)
        assert redact(refused)
        assert redact(cut_short)
    assert refused.getMessage() == "Invalid request from ip=1.2.3.4: InvalidHeader"
    assert cut_short.getMessage() == "Closed. InvalidHeader"
    failed = record("Error handling request %s %s", "GET", "/?q=Buy+milk")
    assert redact(failed)
    assert failed.getMessage() == "Error handling request"
    assert not redact(record("Current configuration:\n  raw_env: ['SECRET=x']"))


@pytest.mark.usefixtures("logging_restored")
def test_an_unraisable_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Python would print it; here it is a record like any other."""

    class Dying:
        def __del__(self) -> None:
            raise ValueError("too late")

    configure({})
    Dying()
    logged = json.loads(capsys.readouterr().err)
    assert logged["exception"].endswith("ValueError: too late")


@pytest.mark.usefixtures("logging_restored")
def test_the_service_logs_to_gunicorns_error_log(tmp_path: Path) -> None:
    """With `--error-logfile`, its lines are in that file, once, in the same format."""
    config = Config()
    config.set("errorlog", str(tmp_path / "log"))
    log = Log(config)
    log.info("one")
    logging.getLogger(SERVICE_LOGGER).warning("two")
    logged = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [each["event"] for each in logged] == ["one", "two"]
    for handler in log.error_log.handlers:
        handler.close()


@pytest.mark.parametrize(
    "address",
    [
        "host=127.0.0.1 port=5432 user=ada database=tasks",
        "host=db.example user=ada database=tasks",
        "user=ada database=tasks",
    ],
)
def test_psycopgs_warnings_contain_no_address(address: str) -> None:
    """They are logged without the address in a connection's representation."""
    pipeline = f"<psycopg.Pipeline [ACTIVE, pipeline=ABORTED] ({address}) at 0x7f18b01b14d0>"
    made = record("error ignored terminating %s: %s", pipeline, "pipeline aborted", name="psycopg")
    assert as_json(made)["event"] == (
        "error ignored terminating <psycopg.Pipeline [ACTIVE, pipeline=ABORTED] at "
        "0x7f18b01b14d0>: pipeline aborted"
    )
