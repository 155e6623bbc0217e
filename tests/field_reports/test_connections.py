"""What a start waits for, and what ends it, whatever language the server speaks."""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy.exc import DBAPIError
from tests.field_reports.connections import BY_CLIENT, BY_SERVER, Kind
from tests.field_reports.report import Report
from tests.postgres import Databases
from tests.secret_values import SECRET

from taskservice.adapters.sql.checks.connectivity import _failure, require_connection
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.config import Settings
from taskservice.core.errors import Unavailable, UnusableDatabase
from taskservice.startup_checks import retry_in_background

SSL_REQUEST = 80877103


def refusal(state: str, said: str) -> bytes:
    """Return an ErrorResponse (PostgreSQL, section 54.7)."""
    fields = ["SFATAL", "VFATAL", f"C{state}", f"M{said}", ""]
    body = b"".join(field.encode() + b"\0" for field in fields)
    return b"E" + (len(body) + 4).to_bytes(4, "big") + body


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives every client this one answer; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        Thread(target=_answer, args=(listener, answer), daemon=True).start()
        yield f"postgresql://ada@127.0.0.1:{listener.getsockname()[1]}/tasks"
        listener.shutdown(socket.SHUT_RDWR)


def _answer(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            while int.from_bytes(connection.recv(4096)[4:8], "big") == SSL_REQUEST:
                connection.sendall(b"N")
            connection.sendall(answer)


def failure(address: str) -> Unavailable:
    with pytest.raises(Unavailable) as error:
        require_connection(unpooled_engine(database_url(address)))
    return error.value


@pytest.mark.parametrize("report", BY_SERVER, ids=str)
def test_a_connection_error_of_the_server_is_classified(
    report: Report[tuple[str, str], Kind],
) -> None:
    """By its SQLSTATE, with what it said for a reason."""
    with answering(refusal(*report.tried)) as address:
        error = failure(address)
    assert type(error) is report.right
    assert str(error) == f"database error: FATAL:  {report.tried[1]}"


@pytest.mark.parametrize("report", BY_CLIENT, ids=str)
def test_a_connection_error_of_the_client_is_classified(
    postgresql: Databases, report: Report[str, Kind]
) -> None:
    """By what libpq says of it, without the address."""
    error = failure(report.tried.format(here=postgresql.url().partition("?")[0]))
    assert type(error) is report.right
    assert "127.0.0.1" not in str(error)


def test_a_refusal_that_has_passed_meanwhile_is_waited_for(postgresql: Databases) -> None:
    """A slot that became free between two looks: nothing is wrong with the address."""
    url = database_url(postgresql.url())
    full = DBAPIError("", None, psycopg.OperationalError("FATAL:  zu viele Verbindungen"))
    assert type(_failure(unpooled_engine(url), full)) is Unavailable


def test_an_english_message_is_classified_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on systems other than Linux."""
    monkeypatch.delattr("os.memfd_create")
    with answering(refusal("57P03", "the database system is starting up")) as address:
        assert type(failure(address)) is Unavailable


def test_a_password_that_is_missing_ends_the_start() -> None:
    """Where the server asks for one."""
    with answering(b"R\0\0\0\x08\0\0\0\x03") as address:
        error = failure(address)
    assert type(error) is UnusableDatabase
    assert str(error) == "database error: fe_sendauth: no password supplied"


def test_the_log_says_again_what_is_waited_for(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, until the database is reached."""
    reached = Event()
    answers = iter([Unavailable("refused"), Unavailable("refused"), None])

    def look(*_: object) -> None:
        if (error := next(answers)) is not None:
            raise error
        reached.set()

    monkeypatch.setattr("taskservice.startup_checks._check", look)
    settings = Settings(database_url="postgresql://db/x", jwt_secret=SECRET)
    with caplog.at_level(logging.WARNING):
        retry_in_background(settings, seconds=0.01).join()
    assert reached.is_set()
    said = [(record.getMessage(), vars(record).get("reason")) for record in caplog.records]
    assert said == [("database unreachable, retrying", "refused")] * 2 + [
        ("database reachable", None)
    ]
