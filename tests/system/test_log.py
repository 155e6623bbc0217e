"""The log of real processes: every line one JSON object, from the start to the stop."""

import json
import os
import signal
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from tests.processes import COMMAND, SECONDS, START, Service, gunicorn, run, running, write_program
from tests.secret_values import SECRET
from tests.system.conftest import command

from taskservice.adapters.jwt import issue

PATH = "/api/tasks/ada/tasks"
ADA = issue(SECRET, "ada", lifetime=timedelta(hours=1), now=datetime.now(UTC))
EVIL = "x\x1b[31m\x00\x85\xe9"
CHUNKED = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ADA}\r\n" + (
    "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
)

HOSTILE = {
    "no request line": f"\x1b[31m\x00 {ADA}\r\n\r\n",
    "a broken request line": f"GET {PATH}?token={ADA}\r\n\r\n",
    "a method of codes": f"\x1b[31mGET /{ADA} HTTP/1.1\r\n\r\n",
    "a version of its own": f"GET /?{ADA} HTTP/{ADA}\r\n\r\n",
    "a header without a colon": f"GET / HTTP/1.1\r\nAuthorization Bearer {ADA}\r\n\r\n",
    "a header name of codes": f"GET / HTTP/1.1\r\nX\x1b[31m {ADA}: x\r\n\r\n",
    "a header with CR and NUL": f"GET / HTTP/1.1\r\nAuthorization: Bearer {ADA}\rx\x00\r\n\r\n",
    "a folded header": f"GET / HTTP/1.1\r\nAuthorization: Bearer\r\n {ADA}\r\n\r\n",
    "a line too long": f"GET /?{ADA * 40} HTTP/1.1\r\n\r\n",
    "a header too long": f"GET / HTTP/1.1\r\nAuthorization: Bearer {ADA * 40}\r\n\r\n",
    "an unknown coding": f"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {ADA}\r\n\r\n",
    "a bad length": f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {ADA}\r\n\r\n",
    "a bad chunk": f"{CHUNKED}\r\n{ADA}\x1b[31m\r\nBuy milk\r\n0\r\n\r\n",
    "a chunk without its end": f'{CHUNKED}\r\n3\r\n{{"title": "Buy milk"}}\r\n0\r\n\r\n',
    "a chunk that never comes": f'{CHUNKED}\r\nff\r\n{{"title": "Buy milk"',
    "an expectation": f"POST / HTTP/1.1\r\nHost: x\r\nExpect: {ADA}\r\n\r\n",
    "half a head": f"GET {PATH} HTTP/1.1\r\nAuthorization: Bearer {ADA}",
    "HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "codes in a path": f"GET /api/%0D%0A%1B[31m%00%FF/{EVIL} HTTP/1.1\r\nHost: x\r\n\r\n",
    "codes in a token": f"GET {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {EVIL}\r\n\r\n",
    "codes in a request id": f"GET {PATH} HTTP/1.1\r\nHost: x\r\nX-Request-Id: {EVIL}\r\n\r\n",
}

DEFECTIVE = """
from taskservice.wsgi import app

@app.get("/defect")
def defect():
    reason = "the first line\\n\\x1b[31mthe second, with a title: Buy milk"
    try:
        raise KeyError("the cause")
    except KeyError as error:
        raise RuntimeError(reason) from error
"""


@pytest.fixture
def defective(tmp_path: Path) -> list[str]:
    """The service with a route that fails, as gunicorn starts it."""
    (tmp_path / "defective.py").write_text(DEFECTIVE)
    return [*START[:-2], f"{START[-2]},{tmp_path}", "defective:app"]


@pytest.fixture
def sqlite(tmp_path: Path) -> dict[str, str]:
    """The settings of a service over a migrated file of its own."""
    address = f"sqlite:///{tmp_path}/tasks.db"
    command(tmp_path, "db", "upgrade", DATABASE_URL=address)
    return {"DATABASE_URL": address, "TASKSERVICE_JWT_SECRET": SECRET}


def wait_for(service: Service, words: str, count: int) -> list[str]:
    """Wait for the `count`th line with `words`; return all such lines until then."""
    lines = list(islice((line for line in service.output if words in line), count))
    assert len(lines) == count
    return lines


def answered(connection: socket.socket) -> bytes:
    """Return what comes until the connection closes."""
    answer = b""
    while chunk := connection.recv(65536):
        answer += chunk
    return answer


def hostile(service: Service) -> Iterator[bytes]:
    """Send all that is hostile, each on a connection of its own; yield what is answered."""
    place = urlsplit(service.address)
    for text in HOSTILE.values():
        with socket.create_connection((place.hostname, place.port), timeout=SECONDS) as connection:
            connection.sendall(text.encode("latin-1"))
            connection.shutdown(socket.SHUT_WR)
            yield answered(connection)


def live(service: Service) -> None:
    """Have the service log: refusals, a defect, a reload, a killed worker."""
    wait_for(service, "Worker ready", 2)
    for answer in hostile(service):
        assert ADA.encode() not in answer
        assert b"Buy milk" not in answer
    assert service("GET", PATH).status == 401
    assert service("GET", PATH, f"{ADA}x").status == 401
    assert service("GET", "/defect").status == 500
    service.process.send_signal(signal.SIGHUP)
    *_, last = wait_for(service, "Worker ready", 4)
    os.kill(int(last.rpartition("pid: ")[2].partition(")")[0]), signal.SIGKILL)
    wait_for(service, "Worker ready", 5)
    assert service.stop() == 0
    service.output.finish()


def objects(service: Service) -> list[dict[str, Any]]:
    """Return all that was logged; every line is one object, and has what every line has."""
    logged = [json.loads(line) for line in service.output]
    for each in logged:
        assert list(each)[:5] == ["timestamp", "level", "pid", "logger", "event"]
    return logged


def test_every_line_is_one_object(
    tmp_path: Path, production: dict[str, str], defective: list[str]
) -> None:
    """Whatever a client sends and whatever befalls the processes, nothing but JSON is printed."""
    settings = {**production, "TASKSERVICE_LOG_LEVEL": "debug", "TASKSERVICE_NEW": "x\ny"}
    with running(defective, tmp_path, **settings) as service:
        live(service)
    logged = objects(service)
    defect = next(each for each in logged if each.get("status") == 500)
    assert (defect["level"], defect["logger"]) == ("error", "taskservice")
    assert defect["request_id"]
    assert defect["exception"].endswith("RuntimeError: the first line")
    assert "KeyError: 'the cause'" in defect["exception"]
    refused = [each for each in logged if each.get("status") == 401]
    assert {each["level"] for each in refused} == {"info"}
    assert all(each["request_id"] and each["reason"] for each in refused)
    unread = [each for each in logged if "Invalid request" in each["event"]]
    assert "Invalid request from ip=127.0.0.1: InvalidHeader" in {each["event"] for each in unread}
    assert {each["logger"] for each in unread} == {"gunicorn.error"}
    assert {each["setting"] for each in logged if "setting" in each} == {"TASKSERVICE_NEW"}
    assert "debug" in {each["level"] for each in logged}


def test_a_line_for_a_person_is_one_line(
    tmp_path: Path, sqlite: dict[str, str], defective: list[str]
) -> None:
    """In the format `console`, no control character is printed but the line's end."""
    settings = {**sqlite, "TASKSERVICE_LOG_FORMAT": "console"}
    with running(defective, tmp_path, **settings) as service:
        live(service)
    lines = list(service.output)
    for line in lines:
        assert line.endswith("\n")
        assert line[:-1].isprintable()
    (defect,) = [line for line in lines if "  status=500  " in line]
    assert r"\nRuntimeError: the first line" in defect


def refuse_bread(settings: dict[str, str], superuser: str) -> None:
    """Have the database refuse a title in a way that the service does not know."""
    if settings["DATABASE_URL"].startswith("sqlite"):
        path = settings["DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(
                "CREATE TRIGGER bread BEFORE INSERT ON tasks WHEN NEW.title = 'Buy bread' "
                "BEGIN SELECT RAISE(ABORT, 'no bread'); END"
            )
    else:
        with psycopg.connect(superuser) as connection:
            connection.execute("ALTER TABLE tasks ADD CHECK (title <> 'Buy bread')")


def test_a_database_error_is_logged_without_values(
    tmp_path: Path, production: dict[str, str], request: pytest.FixtureRequest
) -> None:
    """What a database says of a row that it refuses quotes the row: the log does not."""
    address = production["DATABASE_URL"]
    superuser = ""
    if not address.startswith("sqlite"):
        name = urlsplit(address).path.removeprefix("/")
        superuser = request.getfixturevalue("postgresql").url(name)
    refuse_bread(production, superuser)
    with gunicorn(tmp_path, **production) as service:
        body = {"title": "Buy bread", "description": "Two liters"}
        answer = service("POST", PATH, ADA, body)
        assert answer.status == 500
        assert service.stop() == 0
    (defect,) = [each for each in objects(service) if each.get("status") == 500]
    assert defect["request_id"] == answer.json["request_id"]
    assert "sqlalchemy.exc.IntegrityError" in defect["exception"]
    assert "bread" not in defect["exception"].replace("no bread", "")


def test_a_new_worker_over_an_unfit_database_goes_on(
    tmp_path: Path, sqlite: dict[str, str]
) -> None:
    """Where the database vanished, it says so; the service lives, and is not ready."""
    with gunicorn(tmp_path, **sqlite, WEB_CONCURRENCY="1") as service:
        (tmp_path / "tasks.db").unlink()
        (first,) = wait_for(service, "Worker ready", 1)
        os.kill(int(first.rpartition("pid: ")[2].partition(")")[0]), signal.SIGKILL)
        wait_for(service, "Worker ready", 2)
        assert service("GET", "/livez").status == 200
        assert service("GET", "/readyz").status == 503
        assert service.stop() == 0
    (said,) = [each for each in objects(service) if each["event"] == "database unusable"]
    assert "there is no file" in said["reason"]


@pytest.mark.parametrize(
    ("level", "count"), [("debug", 2), ("info", 2), ("warning", 1), ("error", 0)]
)
def test_the_level_filters(tmp_path: Path, level: str, count: int) -> None:
    """A setting that is not known is a warning, the reason of a 401 is information."""
    settings = {"TASKSERVICE_LOG_LEVEL": level, "TASKSERVICE_NEW": "x"}
    with running([*COMMAND, "serve", "--port", "0"], tmp_path, **settings) as service:
        assert service("GET", PATH).status == 401
        assert service.stop() == 0
    logged = [json.loads(line) for line in service.output if line.startswith("{")]
    ours = {each["event"] for each in logged if each["logger"] == "taskservice"}
    assert len(ours) == count
    assert not logged or min(len(each) for each in logged) >= 5


def test_serve_greets_a_person_and_logs_to_standard_error(tmp_path: Path) -> None:
    """The welcome is plain text on standard output; the log has the form that is set, beside it."""
    settings = {"TASKSERVICE_LOG_FORMAT": "console"}
    with running([*COMMAND, "serve", "--port", "0"], tmp_path, **settings) as service:
        assert service("GET", PATH).status == 401
        assert service.stop() == 0
    lines = list(service.output)
    assert lines[0].startswith("taskservice ")
    (refused,) = [line for line in lines if "request finished" in line]
    assert " info " in refused
    assert "  reason=no bearer token  problem=unauthenticated\n" in refused


def test_an_access_log_is_json_and_shows_no_query(tmp_path: Path, sqlite: dict[str, str]) -> None:
    """gunicorn's access log, where it is asked for, has the path, the status, and no query."""
    settings = {**sqlite, "GUNICORN_CMD_ARGS": "--access-logfile -"}
    with gunicorn(tmp_path, **settings) as service:
        assert service("GET", f"{PATH}?q=Buy%20milk", ADA).status == 200
        assert service.stop() == 0
    (access,) = [each for each in objects(service) if each["logger"] == "gunicorn.access"]
    assert f'"GET {PATH} HTTP/1.1" 200' in access["event"]


def test_another_server_logs_in_the_same_form(tmp_path: Path, sqlite: dict[str, str]) -> None:
    """Under any WSGI server the log of the application is JSON, warnings of Python included."""
    script = (
        "import logging, warnings, taskservice.wsgi\n"
        "logging.getLogger('a.library').warning('one\\ntwo')\n"
        "logging.getLogger('a.library').info('not told')\n"
        "warnings.warn('three')\n"
    )
    result = run(write_program(tmp_path, script), tmp_path, **sqlite)
    assert result.returncode == 0, result.stderr
    logged = [json.loads(line) for line in result.stderr.splitlines()]
    assert [each["logger"] for each in logged] == ["a.library", "py.warnings"]
    assert logged[0]["event"] == "one\ntwo"


def test_a_server_with_a_log_of_its_own_keeps_it(tmp_path: Path, sqlite: dict[str, str]) -> None:
    """Where logging is configured already, the application leaves it alone."""
    script = (
        "import logging\n"
        "logging.basicConfig(format='mine: %(message)s')\n"
        "import taskservice.wsgi\n"
        "logging.warning('x')\n"
    )
    result = run(write_program(tmp_path, script), tmp_path, **sqlite)
    assert (result.returncode, result.stderr) == (0, "mine: x\n")
