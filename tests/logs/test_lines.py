"""One record is one line, whatever is in it; what must not be told is not in it."""

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
    told: dict[str, Any] = json.loads(line)
    return told


def with_traceback(error: BaseException) -> logging.LogRecord:
    made = record("defect")
    made.exc_info = (type(error), error, error.__traceback__)
    return made


@given(VALUES, VALUES)
def test_every_value_is_one_object_on_one_line(message: object, field: object) -> None:
    """Whatever is told, as the event or in a field, the line is ASCII and JSON."""
    told = as_json(record(message, field=field))
    assert list(told)[:5] == ["timestamp", "level", "pid", "logger", "event"]
    assert (told["level"], told["logger"]) == ("warning", "a.logger")
    assert "field" in told


@given(VALUES, VALUES)
def test_a_line_for_a_person_has_no_control_character(message: object, field: object) -> None:
    """Line ends, terminal codes and the like are shown by their names."""
    assert Formatter("console").format(record(message, field=field)).isprintable()


def test_the_time_is_utc() -> None:
    """`timestamp` is RFC 3339 in UTC, with a Z."""
    told = as_json(record())
    assert told["timestamp"][10] == "T"
    assert told["timestamp"].endswith("Z")


@pytest.mark.parametrize("fields", [{"event": "y"}, {"level": "y", "timestamp": "y", "pid": "y"}])
def test_a_field_does_not_pass_for_another(fields: dict[str, str]) -> None:
    """What a record brings beside its message never takes the place of what the log itself says."""
    told = as_json(record("x", **fields))
    assert "y" not in {told[name] for name in ("event", "level", "timestamp", "pid")}


def circle() -> list[object]:
    here: list[object] = []
    here.append(here)
    return here


class Untellable:
    def __str__(self) -> str:
        raise RuntimeError("Buy milk")


@pytest.mark.parametrize(
    "made",
    [
        record("%d of %d", "one"),
        record(Untellable()),
        record("x", field=Untellable()),
        record("x", field=circle()),
        record("x", field=10**5000),
    ],
)
def test_a_record_that_cannot_be_formatted_leaves_its_location(made: logging.LogRecord) -> None:
    """A record that cannot be formatted is still one line, which names where it came from."""
    told = as_json(made)
    assert (told["event"], told["location"]) == ("log record could not be formatted", "file.py:7")
    assert (told["level"], told["logger"]) == ("warning", "a.logger")


def test_a_traceback_is_a_field_with_its_causes() -> None:
    """`exception` has the frames and the causes, the first one first, and no variable's value."""
    try:
        try:
            hidden = "Buy milk"
            raise ValueError(f"{len(hidden)} is wrong\nsecond line: {hidden}")
        except ValueError as error:
            raise RuntimeError("outer") from error
    except RuntimeError as error:
        told = as_json(with_traceback(error))["exception"]
    assert told.index("ValueError: 8 is wrong") < told.index("RuntimeError: outer")
    assert "in test_a_traceback_is_a_field_with_its_causes" in told
    assert "Buy milk" not in told.replace('hidden = "Buy milk"', "")


def test_a_database_error_is_told_by_its_kind(postgresql: Databases) -> None:
    """What PostgreSQL says quotes the row, and SQLAlchemy the statement: neither is in the log."""
    with psycopg.connect(postgresql.url()) as connection:
        connection.execute("CREATE TEMPORARY TABLE t (title text CHECK (title = ''))")
        title = "Buy milk"
        with pytest.raises(psycopg.errors.CheckViolation, match=title) as refused:
            connection.execute("INSERT INTO t VALUES (%s)", [title])
    error = IntegrityError("INSERT …", {"title": title}, refused.value)
    error.__cause__ = refused.value
    told = as_json(with_traceback(error))["exception"]
    assert "psycopg.errors.CheckViolation: 23514" in told
    assert "sqlalchemy.exc.IntegrityError" in told
    assert title not in told


@pytest.fixture
def logging_restored() -> Iterator[None]:
    """The logging of the tests, put back after a test that has configured it."""
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
def test_the_level_is_for_ours_and_other_libraries_only_warn(
    level: str, ours: int, others: int
) -> None:
    """`debug` never lets a library tell statements with their values; what is wrong is `info`."""
    configure({"TASKSERVICE_LOG_LEVEL": level})
    assert logging.getLogger(SERVICE_LOGGER).getEffectiveLevel() == ours
    assert logging.getLogger("another.library").getEffectiveLevel() == others


@pytest.mark.usefixtures("logging_restored")
def test_a_thread_that_dies_is_told_on_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The end of a thread is a record like any other."""
    configure({})
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    told = json.loads(capsys.readouterr().err)
    assert told["event"] == "unhandled exception in thread"
    assert told["exception"].endswith("ZeroDivisionError: division by zero")


def test_gunicorn_quotes_no_request() -> None:
    """What gunicorn could not read is told by its kind; its settings and addresses not at all."""
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
def test_an_exception_in_a_finalizer_is_told_on_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What Python could only print is a record like any other."""

    class Dying:
        def __del__(self) -> None:
            raise ValueError("too late")

    configure({})
    Dying()
    told = json.loads(capsys.readouterr().err)
    assert told["exception"].endswith("ValueError: too late")


@pytest.mark.usefixtures("logging_restored")
def test_the_log_goes_where_gunicorns_goes(tmp_path: Path) -> None:
    """With `--error-logfile` what the service logs stands in that file, once, in the same form."""
    config = Config()
    config.set("errorlog", str(tmp_path / "log"))
    log = Log(config)
    log.info("one")
    logging.getLogger(SERVICE_LOGGER).warning("two")
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [each["event"] for each in told] == ["one", "two"]
    for handler in log.error_log.handlers:
        handler.close()


@pytest.mark.parametrize(
    "leads",
    [
        "host=127.0.0.1 port=5432 user=ada database=tasks",
        "host=db.example user=ada database=tasks",
        "user=ada database=tasks",
    ],
)
def test_a_driver_does_not_tell_where_its_connection_leads(leads: str) -> None:
    """What psycopg warns of is told, without the address that it shows of a connection."""
    pipeline = f"<psycopg.Pipeline [ACTIVE, pipeline=ABORTED] ({leads}) at 0x7f18b01b14d0>"
    made = record("error ignored terminating %s: %s", pipeline, "pipeline aborted", name="psycopg")
    assert as_json(made)["event"] == (
        "error ignored terminating <psycopg.Pipeline [ACTIVE, pipeline=ABORTED] at "
        "0x7f18b01b14d0>: pipeline aborted"
    )
