"""The watch sees: each of its eyes is shown a leak, and a test that leaks fails."""

import logging
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask, Response
from tests.canaries import WATCH, Listener, Watch
from tests.processes import ROOT, SECONDS, Service, run, running
from tests.secret_values import DATABASE_PASSWORD, SECRET

from taskservice.adapters.jwt import issue

TOKEN = issue(SECRET, "ada", lifetime=timedelta(hours=1), now=datetime.now(UTC))

LEAKS = {
    "the secret": SECRET,
    "a token": TOKEN,
    "a title or a description": "Buy milk",
    "the name of a list": "Groceries",
    "a recurrence": "FREQ=WEEKLY;BYDAY=MO",
    "a time zone": "in Europe/Berlin",
    "the database's password": DATABASE_PASSWORD,
    "a database address": f"postgresql+psycopg://ada:{'x' * 5}@db.example/tasks",
}

ADDRESSES = [
    f"postgres://ada:{'x' * 5}@db.example/tasks",
    'connection to server at "db.example" failed',
    "host=db.example port=5432 user=ada",
    "hostaddr = 192.0.2.1 user = ada",
    "dbname=tasks",
    "<psycopg.Connection [IDLE] (host=db.example user=ada database=tasks)>",
    "<psycopg.Connection [IDLE] (database=tasks)>",
]
"""A database's address in every form that a driver writes it in."""

SERVER = f"""
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(500, "{TOKEN}")

with HTTPServer(("127.0.0.1", 0), Handler) as server:
    print(f"http://127.0.0.1:{{server.server_port}}", flush=True)
    server.handle_request()
"""


def finds(watch: Watch = WATCH) -> list[str]:
    """Return what was found, in short: it is no leak here."""
    return [find.partition(":")[0] for find in watch.take()]


def kinds() -> list[str]:
    """Return what kinds of canary were found."""
    return [find.partition(" in ")[0] for find in WATCH.take()]


@pytest.mark.parametrize("what", LEAKS)
def test_every_canary_is_seen_in_a_log(what: str) -> None:
    """A record with a canary is a find, in its message, in a field and in an exception."""
    watch = Watch()
    logger = logging.Logger("a.logger")
    logger.addHandler(Listener(watch))
    logger.debug("told %s", LEAKS[what])
    logger.debug("told", extra={"field": [LEAKS[what]]})
    logger.debug("told", exc_info=ValueError(LEAKS[what]))
    assert finds(watch) == [f"{what} in the log of a.logger"] * 3


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_seen_in_every_form(address: str) -> None:
    """As an address, as libpq takes it, and as psycopg shows a connection."""
    watch = Watch()
    logger = logging.Logger("a.logger")
    logger.addHandler(Listener(watch))
    logger.debug("told %s", address)
    assert set(finds(watch)) == {"a database address in the log of a.logger"}


@pytest.mark.parametrize(
    "line",
    [
        "host=db.example",
        "user=ada port=1",
        "the database = the disk",
        "HTTPConnectionPool(host='127.0.0.1', port=4318)",
    ],
)
def test_what_only_looks_like_an_address_is_no_find(line: str) -> None:
    """A field of a log may have such a name."""
    watch = Watch()
    watch.look("a line", line)
    assert finds(watch) == []


def test_the_log_of_the_service_is_watched() -> None:
    """What the service logs in process reaches the watch, at every level."""
    logging.getLogger("taskservice").debug("told %s", SECRET)
    logging.getLogger("another").warning("told %s", SECRET)
    where = ("taskservice", "another")
    assert finds() == [f"the secret in the log of {name}" for name in where]


def test_every_error_answer_in_process_is_watched() -> None:
    """A canary in the body or a header of an error is a find; others may have it."""
    app = Flask("a_test")
    app.add_url_rule("/body", view_func=lambda: Response(SECRET, 404), endpoint="body")
    app.add_url_rule("/head", view_func=lambda: Response("", 400, {"X": TOKEN}), endpoint="head")
    app.add_url_rule("/fine", view_func=lambda: Response("Buy milk", 200), endpoint="fine")
    client = app.test_client()
    for path in ("/body", "/head", "/fine"):
        client.get(path)
    assert finds() == ["the secret in the 404 to GET /body", "a token in the 400 to GET /head"]


def test_every_line_of_a_process_is_watched(tmp_path: Path) -> None:
    """A canary in what a process prints is a find, in the last line too, and on either stream."""
    script = f"import sys; print('http://127.0.0.1:1'); sys.stderr.write('{DATABASE_PASSWORD}')"
    command = [sys.executable, "-c", script]
    with running(command, tmp_path) as service:
        service.process.wait(SECONDS)
    run(command, tmp_path)
    assert kinds() == ["the database's password"] * 2


def test_every_error_answer_of_a_process_is_watched(tmp_path: Path) -> None:
    """A canary in an error that a process answers is a find."""
    with running([sys.executable, "-c", SERVER], tmp_path) as service:
        assert isinstance(service, Service)
        assert service("GET", "/").status == 500
    assert "a token in the 500 to GET /" in finds()


def test_what_is_printed_to_be_pasted_is_no_find(tmp_path: Path) -> None:
    """`taskservice token` and the welcome of `serve` show a token: that is what they are for."""
    show = f"print('http://127.0.0.1:1'); print('  TOKEN={TOKEN}')"
    with running([sys.executable, "-c", show, "serve"], tmp_path):
        pass
    run([sys.executable, "-c", f"print('{TOKEN}')", "token"], tmp_path)
    assert finds() == []


def test_a_test_that_leaks_fails(tmp_path: Path) -> None:
    """The watch fails the test in which something was told, and tells what and where."""
    (tmp_path / "test_leaks.py").write_text(
        "import logging\n"
        "def test_leaks(): logging.getLogger('x').warning('Buy milk')\n"
        "def test_does_not(): logging.getLogger('x').warning('fine')\n"
    )
    plugin = ["-p", "tests.canaries", "-p", "no:cacheprovider", "-c", "/dev/null"]
    command = [sys.executable, "-m", "pytest", "--rootdir=.", *plugin, "test_leaks.py"]
    result = run(command, tmp_path, PYTHONPATH=f"{ROOT}:{ROOT / 'tests'}")
    assert "2 passed, 1 error" in result.stdout
    assert "a title or a description in the log of x: {" in result.stdout
    assert set(kinds()) == {"a title or a description"}
