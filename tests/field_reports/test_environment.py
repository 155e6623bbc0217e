"""What a process finds around it: streams, file systems, a home. Each fault is one message."""

import subprocess
from pathlib import Path

import pytest
from tests.field_reports.test_no_traceback import another_applications, text
from tests.homes import served, sqlite_home
from tests.postgres import Databases
from tests.processes import COMMAND, START, run
from tests.support import SECRET

SETTINGS = {"DATABASE_URL": "sqlite:///tasks.db", "TASKSERVICE_JWT_SECRET": SECRET}
PRIVATE_MOUNTS = ["unshare", "--mount", "sh", "-c"]
READ_ONLY = (
    'mount --bind "$PWD" "$PWD" && mount -o remount,ro,bind "$PWD" && cd "$PWD" && exec "$@"'
)


def printing(stream: str, *arguments: str) -> list[str]:
    """Return a command line whose standard output is redirected so."""
    return ["sh", "-c", f'exec "$@" {stream}', "sh", *COMMAND, *arguments]


@pytest.mark.parametrize(
    ("stream", "why"), [(">/dev/full", "No space left on device"), (">&-", "standard output")]
)
@pytest.mark.parametrize("arguments", [["token", "ada"], ["check"], ["db", "current"], ["openapi"]])
def test_output_that_cannot_be_written_is_a_message(
    tmp_path: Path, stream: str, why: str, arguments: list[str]
) -> None:
    """And status 2: nobody takes what was lost for what was printed."""
    sqlite_home(tmp_path)
    result = run(printing(stream, *arguments), tmp_path, **SETTINGS)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("Error: ")
    assert why in result.stderr


@pytest.mark.parametrize(
    ("stream", "why"),
    [(">/dev/full", "No space left on device"), (">&-", "standard output is closed")],
)
def test_help_that_cannot_be_written_is_a_message(tmp_path: Path, stream: str, why: str) -> None:
    """It is printed before any command runs."""
    result = run(printing(stream, "--help"), tmp_path)
    assert (result.returncode, result.stderr) == (2, f"Error: input or output failed: {why}\n")


def test_an_input_that_is_closed_is_empty(tmp_path: Path) -> None:
    """As `/dev/null` is; what is written to a file needs no standard output."""
    sqlite_home(tmp_path)
    result = run(printing("<&-", "import", "ada"), tmp_path, **SETTINGS)
    assert (result.returncode, result.stdout) == (0, "0 lines are stored\n")
    result = run(printing(">&-", "export", "ada", "tasks.jsonl"), tmp_path, **SETTINGS)
    assert (result.returncode, (tmp_path / "tasks.jsonl").read_text()) == (0, "")


@pytest.mark.parametrize("put", [text, another_applications])
def test_a_start_on_what_is_no_database_is_a_message(tmp_path: Path, put: object) -> None:
    """Under gunicorn: one line, and no worker that boots in a loop."""
    assert callable(put)
    put(tmp_path / "tasks.db")
    result = run(START, tmp_path, **SETTINGS)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].startswith("taskservice: ")
    assert "Traceback" not in result.stderr
    assert "Booting worker" not in result.stderr


def mounted(script: str, command: list[str]) -> list[str]:
    """Return a command line that runs with mounts of its own."""
    if subprocess.run([*PRIVATE_MOUNTS, "true"], check=False, capture_output=True).returncode:
        pytest.skip("NOT VERIFIED: this machine makes no mounts for us")
    return [*PRIVATE_MOUNTS, script, "sh", *command]


@pytest.mark.parametrize("command", [START, [*COMMAND, "check"]], ids=["start", "check"])
def test_a_file_system_that_is_read_only_is_a_message(tmp_path: Path, command: list[str]) -> None:
    """Which names the database."""
    sqlite_home(tmp_path)
    result = run(mounted(READ_ONLY, command), tmp_path, **SETTINGS)
    assert result.returncode == 2
    assert "Traceback" not in result.stdout + result.stderr
    assert "or its folder is read-only" in result.stdout + result.stderr


def test_a_home_that_is_not_there_is_not_needed(postgresql: Databases, tmp_path: Path) -> None:
    """The driver looks for files in it."""
    with served(postgresql) as home:
        settings = {**SETTINGS, "DATABASE_URL": home.service, "HOME": "/nonexistent"}
        result = run([*COMMAND, "check"], tmp_path, **settings)
    assert (result.returncode, result.stderr) == (0, "")
