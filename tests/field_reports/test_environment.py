"""What a process finds around it: streams, file systems, a home. Each fault is one message."""

import subprocess
import sys
from io import TextIOWrapper
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.databases import sqlite_database
from tests.field_reports.test_no_traceback import NO_DATABASE
from tests.postgres import Databases
from tests.processes import COMMAND, START, run
from tests.secret_values import SECRET

from taskservice.adapters.sql.checks.connectivity import require_connection
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.cli import main
from taskservice.cli.standard_streams import output_flushed_at_exit
from taskservice.server import gunicorn_conf

SETTINGS = {"DATABASE_URL": "sqlite:///tasks.db", "TASKSERVICE_JWT_SECRET": SECRET}
PRIVATE_MOUNTS = ["unshare", "--mount", "sh", "-c"]
READ_ONLY = (
    'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD" && exec "$@"'
)
FULL, CLOSED = "No space left on device", "standard output is closed"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a database, in which commands are run in process and leave its log alone."""
    sqlite_database(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("taskservice.cli.configure", lambda _: None)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.mark.parametrize("why", [FULL, CLOSED])
@pytest.mark.parametrize("arguments", [["token", "ada"], ["check"], ["db", "current"], ["--help"]])
@pytest.mark.usefixtures("folder")
def test_output_that_cannot_be_written_is_a_message(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    why: str,
    arguments: list[str],
) -> None:
    """And status 2: nobody takes what was lost for what was printed."""
    with TextIOWrapper(Path("/dev/full").open("wb", buffering=0), write_through=True) as full:
        monkeypatch.setattr(sys, "stdout", full if why == FULL else None)
        with pytest.raises(SystemExit) as end:
            main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err == f"Error: input or output failed: {why}\n"


@pytest.mark.parametrize(("stream", "why"), [(">/dev/full", FULL), (">&-", CLOSED)])
def test_a_process_cannot_write_its_output(tmp_path: Path, stream: str, why: str) -> None:
    """Nothing is left in Python's own buffer that fails once more at its end."""
    script = f'unset PYTHONUNBUFFERED; exec "$@" {stream}'
    result = run(["sh", "-c", script, "sh", *COMMAND, "token", "ada"], tmp_path, **SETTINGS)
    assert (result.returncode, result.stderr) == (2, f"Error: input or output failed: {why}\n")


@pytest.mark.parametrize(("code", "error"), [(0, OSError), (3, SystemExit)])
def test_buffered_output_that_cannot_be_written_is_an_error(
    monkeypatch: pytest.MonkeyPatch, code: int, error: type[BaseException]
) -> None:
    """A command that succeeded otherwise fails, and a failed one keeps its status."""
    with TextIOWrapper(Path("/dev/full").open("wb")) as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(error), output_flushed_at_exit():
            full.write("buffered")
            sys.exit(code)


def test_streams_that_are_closed_and_not_needed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An input is empty, as `/dev/null` is; what is written to a file needs no standard output."""
    monkeypatch.setattr(sys, "stdin", None)
    main(["import", "ada"], standalone_mode=False)
    sys.stdin.close()
    assert capsys.readouterr().out == "0 lines imported\n"
    monkeypatch.setattr(sys, "stdout", None)
    main(["export", "ada", "tasks.jsonl"], standalone_mode=False)
    assert (folder / "tasks.jsonl").read_text() == ""


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("a text file", "DATABASE_URL: "),
        ("another application's", "the database schema is at version none"),
    ],
)
def test_a_start_on_what_is_no_database_is_a_message(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: str,
    said: str,
) -> None:
    """Under gunicorn: one line, before there is a worker that boots in a loop."""
    path = folder / "data" / "x.db"
    path.parent.mkdir()
    NO_DATABASE[kind](path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    arbiter: Any = SimpleNamespace(cfg=SimpleNamespace(preload_app=False, worker_tmp_dir=None))
    with pytest.raises(SystemExit) as end:
        gunicorn_conf.on_starting(arbiter)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"taskservice: {said}")


def mounted(script: str, command: list[str]) -> list[str]:
    """Return a command line that runs with mounts of its own."""
    if subprocess.run([*PRIVATE_MOUNTS, "true"], check=False, capture_output=True).returncode:
        pytest.skip("NOT VERIFIED: this machine makes no mounts for us")
    return [*PRIVATE_MOUNTS, script, "sh", *command]


def test_a_file_system_that_is_read_only_is_a_message(tmp_path: Path) -> None:
    """Which names the database."""
    sqlite_database(tmp_path)
    result = run(mounted(READ_ONLY, START), tmp_path, **SETTINGS)
    assert result.returncode == 2
    assert "Traceback" not in result.stdout + result.stderr
    assert "or its folder is read-only" in result.stderr


def test_a_missing_home_directory_is_not_needed(
    postgresql: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver looks for files in it."""
    monkeypatch.setenv("HOME", "/nonexistent")
    require_connection(unpooled_engine(database_url(postgresql.url())))
