"""The PostgreSQL that the tests bring: real, and gone with them."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from tests.postgres import GIVEN, PostgresServer, given_or_own_server

STARTER = """
import sys
from tests.postgres import PostgresServer
with PostgresServer(durable=False) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as started:
        yield started


@pytest.fixture
def folder() -> Iterator[str]:
    """A folder that other users may pass through, unlike pytest's."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        yield name


def value(address: str, query: str) -> object:
    with psycopg.connect(address) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def test_it_is_postgresql(server: PostgresServer) -> None:
    assert str(value(server.url(), "SELECT version()")).startswith("PostgreSQL ")
    assert value(server.url(), "SHOW fsync") == "on"
    assert value(server.url(), "SELECT 'É' ILIKE 'é'") is True


def test_a_given_server_is_used_and_left_running(
    server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(GIVEN, f"{server.url()}?application_name=given")
    with given_or_own_server() as given:
        database = given.create_database()
        assert value(database, "SHOW application_name") == "given"
        given.drop_database(database)
        with pytest.raises(RuntimeError, match=GIVEN):
            given.restart()
    assert value(server.url(), "SELECT 1") == 1


def test_a_missing_package_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(GIVEN, raising=False)
    monkeypatch.setattr("tests.postgres.PACKAGE", "absent_postgres")
    with pytest.raises(RuntimeError, match=f"set {GIVEN}, or install"), given_or_own_server():
        pass


def test_a_server_that_cannot_start_shows_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.postgres.QUICK", {"no_such_setting": "on"})
    with pytest.raises(RuntimeError, match="no_such_setting"), PostgresServer(durable=False):
        pass


def test_a_server_dies_with_the_tests(folder: str) -> None:
    """A killed test run leaves no server behind."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTER],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TMPDIR": folder},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as starter:
        assert starter.stdout is not None
        postmaster = os.pidfd_open(int(starter.stdout.readline()))
        starter.send_signal(signal.SIGKILL)
        ended, _, _ = select.select([postmaster], [], [], 20)
        os.close(postmaster)
    assert ended == [postmaster]
