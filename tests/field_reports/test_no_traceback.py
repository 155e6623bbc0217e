"""No command and no start ends in a traceback, whatever it is given.

Each setting with each fault, and each database that is none, for every command in process; what a
process has of its own (streams, file systems, a home) in processes.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner, Result
from tests.databases import sqlite_database
from tests.secret_values import SECRET

from taskservice.cli import main
from taskservice.config.parsers import PARSERS

COMMANDS = {
    "check": ["check"],
    "token": ["token", "ada"],
    "explain": ["token", "--explain", "x"],
    "serve": ["serve", "--port", "0"],
    "upgrade": ["db", "upgrade"],
    "current": ["db", "current"],
    "prune": ["db", "prune"],
    "export": ["export", "ada"],
    "seed": ["seed", "--tasks", "1"],
    "import": ["import", "ada"],
    "erase": ["erase", "ada", "--yes"],
    "grant": ["db", "grant", "ada"],
    "partition": ["db", "partition"],
}
READS = [
    *((command, name) for command in ("check", "token", "explain", "serve") for name in PARSERS),
    *((command, "DATABASE_URL") for command in COMMANDS),
]
"""Each command with each setting that it reads."""


ANY_TEXT = {"TASKSERVICE_JWT_ISSUER", "TASKSERVICE_JWT_AUDIENCE", "TASKSERVICE_JWT_SUBJECT_CLAIM"}

GOOD = {"DATABASE_URL": "sqlite:///tasks.db", "TASKSERVICE_JWT_SECRET": SECRET}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which `serve` does all but serve, and no command changes this process's log."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("taskservice.cli.configure", lambda _: None)
    monkeypatch.setattr("taskservice.cli.serve.configure", lambda _: None)
    monkeypatch.setattr("taskservice.cli.serve.serve_metrics", lambda _: None)
    monkeypatch.setattr("taskservice.cli.development_server.Server.run", lambda _: None)
    monkeypatch.setattr("taskservice.startup_checks._is_checked", Event())
    return tmp_path


def call(command: str, settings: dict[str, str]) -> Result:
    """Run a command in process, with these settings and no others."""
    given = {name: None for name in os.environ if name in PARSERS} | settings
    result = CliRunner(catch_exceptions=False).invoke(main, COMMANDS[command], env=given)
    assert "Traceback" not in result.output
    return result


def expect_message(result: Result, *words: str) -> None:
    """Expect status 2, and one message; these words are in what is printed."""
    assert (result.exit_code, result.stderr.count("Error:")) == (2, 1)
    for word in words:
        assert word in result.output


@pytest.mark.parametrize(("command", "name"), READS)
def test_a_setting_that_cannot_be_read_is_named(folder: Path, command: str, name: str) -> None:
    """In quotes, or of a wrong type."""
    for value in ['"x"', *["*"] * (name not in ANY_TEXT)]:
        expect_message(call(command, {**GOOD, name: value}), name)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_setting_as_files_leave_it_is_read(folder: Path, command: str) -> None:
    """A carriage return makes no difference, nor does an empty one from a missing one."""
    sqlite_database(folder)
    with_return = {name: f"{value}\r" for name, value in GOOD.items()}
    secret = {"TASKSERVICE_JWT_SECRET": SECRET}
    for one, other in ((GOOD, with_return), (secret, {**secret, "DATABASE_URL": ""})):
        assert call(command, one).exit_code == call(command, other).exit_code


def text(path: Path) -> None:
    path.write_text("Dear diary\n" * 100)


def another_applications(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE tasks (id integer)")


def nothing(path: Path) -> None:
    path.parent.rmdir()


NO_DATABASE: dict[str, Callable[[Path], object]] = {
    "a text file": text,
    "a directory": Path.mkdir,
    "a FIFO": os.mkfifo,
    "another application's": another_applications,
    "in a folder that is not there": nothing,
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", NO_DATABASE)
def test_what_is_no_database_is_a_message(folder: Path, kind: str, command: str) -> None:
    """With what to do; what is there stays as it is."""
    path = folder / "data" / "x.db"
    path.parent.mkdir()
    NO_DATABASE[kind](path)
    before = path.read_bytes() if path.is_file() else None
    result = call(command, {**GOOD, "DATABASE_URL": f"sqlite:///{path}"})
    if command == "token":
        assert result.exit_code == 0
    elif (kind, command) == ("another application's", "current"):
        assert "is at version none" in result.output
    else:
        expect_message(result)
    assert (path.read_bytes() if path.is_file() else None) == before
