"""The log of a serving process: each line one JSON object, whatever comes in."""

import json
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.homes import Home, served
from tests.http_callers import token_of
from tests.postgres import Databases
from tests.processes import SECONDS, Service, gunicorn, run
from tests.support import SECRET

from taskservice.logs import FORMATS, LEVELS, formatter

PATH = "/api/tasks/ada/tasks"
ADA = token_of("ada")
FIELDS = {"timestamp", "level", "logger", "event"}

HOSTILE = [
    b"GET /\r\n\r\n",
    b"\x1b[31mGET / HTTP/1.1\r\n\r\n",
    b"GET /\x1b[31m\x00\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /?x=%0d%0a{%22level%22:%22info%22} HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \x1b[31m\xff\r\n\r\n",
    b"GET " + PATH.encode() + b" HTTP/1.1\r\nX-Bad Name: \x1b[31m\r\n\r\n",
    b"POST " + PATH.encode() + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\x1b[zz\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nX-Request-Id: \x1b[31m{\r\nHost: \x1b\r\n\r\n",
]


@pytest.fixture(scope="module")
def home(postgresql: Databases) -> Iterator[Home]:
    with served(postgresql) as home:
        yield home


def settings(address: str, **more: str) -> dict[str, str]:
    return {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET, **more}


def provoke(service: Service, request: bytes) -> None:
    """Send bytes, and wait until the service has had its say."""
    place = urlsplit(service.address)
    with socket.create_connection((place.hostname, place.port), timeout=SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


def to_its_end(service: Service) -> list[str]:
    """Stop the service and return every line that it printed."""
    service.process.send_signal(signal.SIGTERM)
    assert service.process.stdout is not None
    rest = service.process.stdout.readlines()
    assert service.process.wait(SECONDS) == 0
    return [*service.output, *rest]


def next_line(service: Service, text: str) -> str:
    """Read on until a line says `text`."""
    assert service.process.stdout is not None
    for line in service.process.stdout:
        service.output.append(line)
        if text in line:
            return line
    raise AssertionError(f"never said: {text}")


def events(lines: list[str]) -> list[dict[str, Any]]:
    """Return what the lines say: each must be one JSON object, in ASCII."""
    found = [json.loads(line) for line in lines]
    assert all(line.isascii() and line.strip().isprintable() for line in lines)
    assert all(isinstance(event, dict) and event.keys() >= FIELDS for event in found)
    return found


def test_every_line_is_one_json_object(home: Home, tmp_path: Path) -> None:
    """From start to end: refusals, hostile bytes, a defect, a killed worker, a reload."""
    with gunicorn(tmp_path, **settings(home.service)) as service:
        for request in HOSTILE:
            provoke(service, request)
        assert service("GET", PATH, "x.y.z").status == 401
        with psycopg.connect(home.owner, autocommit=True) as owner:
            owner.execute("ALTER TABLE tasks RENAME TO gone")
            defect = service("GET", PATH, ADA)
            owner.execute("ALTER TABLE gone RENAME TO tasks")
        assert defect.status == 500
        next_line(service, "UndefinedTable")
        service.process.send_signal(signal.SIGHUP)
        for _ in range(2):
            next_line(service, "Worker ready")
        said = events(to_its_end(service))
    told = {event["event"]: event for event in said}
    assert told["defect"]["request_id"] == defect.json["request_id"]
    assert "UndefinedTable" in told["defect"]["exception"]
    assert {event.get("reason") for event in said if event["event"] == "request refused"} >= {
        "no bearer token"
    }
    assert {event["logger"] for event in said} == {"gunicorn.error", "taskservice"}


SPEAK = """
import logging, os
from logging.config import dictConfig
from taskservice.config import log_settings
dictConfig(log_settings(os.environ))
for logger in ("taskservice", "gunicorn.error", "somebody.else"):
    for level in ("debug", "info", "warning", "error"):
        getattr(logging.getLogger(logger), level)(level)
"""


@pytest.mark.parametrize("level", LEVELS)
def test_the_level_is_the_least_that_is_told(tmp_path: Path, level: str) -> None:
    """Of the service and gunicorn from the level on; of others' libraries warnings at the least."""
    result = run([sys.executable, "-c", SPEAK], tmp_path, TASKSERVICE_LOG_LEVEL=level)
    told = [(event["logger"], event["event"]) for event in events(result.stderr.splitlines())]
    heard = LEVELS[LEVELS.index(level) :]
    others = [one for one in heard if one in {"warning", "error"}]
    ours = [(logger, one) for logger in ("taskservice", "gunicorn.error") for one in heard]
    assert told == [*ours, *(("somebody.else", one) for one in others)]


anything = st.text(st.characters())  # Surrogates and controls too.


@given(event=anything, reason=anything, defect=anything)
@pytest.mark.parametrize("form", FORMATS)
def test_an_event_stays_one_event(form: str, event: str, reason: str, defect: str) -> None:
    """Whatever text is in it: as JSON one line that says the same, for a person no control code."""
    record = logging.LogRecord("taskservice", logging.ERROR, __file__, 1, event, None, None)
    record.reason = reason
    try:
        raise ValueError(defect)
    except ValueError:
        record.exc_info = sys.exc_info()
    line = formatter(form).format(record)
    if form == "json":
        (told,) = events([line])
        assert (told["event"], told["reason"]) == (event, reason)
        assert defect.strip() in told["exception"]
    else:
        assert line.replace("\n", "").isprintable()
        assert "\n" not in line.partition("Traceback")[0].rstrip("\n")


def test_the_console_format_is_for_a_person(home: Home, tmp_path: Path) -> None:
    """Lines that are not JSON, and in which no byte of a client reaches a terminal as it came."""
    with gunicorn(tmp_path, **settings(home.service, TASKSERVICE_LOG_FORMAT="console")) as service:
        for request in HOSTILE:
            provoke(service, request)
        lines = to_its_end(service)
    assert all(line.rstrip("\n").isprintable() for line in lines)
    assert any("request refused" in line and "reason=" in line for line in lines)
