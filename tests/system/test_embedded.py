"""`taskservice serve`: from nothing to a task that outlives a restart, on SQLite."""

import re
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest
from tests.curl import path_with_curl
from tests.processes import COMMAND, SECONDS, Service, environment, run, running
from tests.secret_values import UNREACHABLE_PROXY

from taskservice.cli import COMMANDS

SERVE = [*COMMAND, "serve", "--port", "0"]


def token_for(user: str, folder: Path) -> str:
    result = run([*COMMAND, "token", user], folder)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def rest_of_banner(service: Service) -> str:
    """Return the lines that follow the address, to the last `curl`."""
    lines = []
    for line in service.output:
        lines.append(line)
        if line.count("curl") and not line.rstrip().endswith("\\"):
            break
    return "".join(lines)


def test_the_printed_lines_work_as_pasted(tmp_path: Path) -> None:
    """What `serve` prints creates a task and lists it when it is pasted into a shell.

    Also into one that names a proxy, which does not come between (jupyter/docker-stacks#1962).
    """
    with running(SERVE, tmp_path) as service:
        banner = rest_of_banner(service)
        pasted = banner[banner.index("TOKEN=") :]
        result = subprocess.run(
            ["sh", "-e", "-c", pasted],
            env=environment(PATH=path_with_curl(tmp_path), **UNREACHABLE_PROXY),
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    assert result.returncode == 0, result.stderr
    created, listed = re.findall(r"\{.*?\}", result.stdout)
    assert '"title":"Buy milk"' in created
    assert listed == created


def test_a_task_outlives_a_restart(tmp_path: Path) -> None:
    """After a stop and a start the tasks are there, with the same times and versions."""
    token = ""
    with running(SERVE, tmp_path) as service:
        token = token_for("ada", tmp_path)
        path = "/api/tasks/ada/tasks"
        created = service("POST", path, token, {"title": "Buy milk"}).json
        done = service("PATCH", f"{path}/{created['id']}/complete", token).json
        assert service.stop(signal.SIGINT) == 0
    with running(SERVE, tmp_path) as service:
        assert service("GET", path, token).json == [done]
        assert service.stop(signal.SIGTERM) == 0


def test_the_database_is_durable(tmp_path: Path) -> None:
    """The file is in WAL mode, so that readers and a writer do not wait for one another."""
    with running(SERVE, tmp_path):
        pass
    connection = sqlite3.connect(tmp_path / "taskservice.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serve", "--database", "mysql://x"], "DATABASE_URL must begin with sqlite:///"),
        (["serve", "--database", "sqlite:///no/such/folder/x.db"], "folder/x.secret cannot"),
        (["token", "a b"], "must be 1 to 128 of"),
        (["token", "ada"], "run `taskservice serve` here once"),
        (["db", "upgrade"], "DATABASE_URL must be set"),
        (["db", "grant", "x", "--database", "sqlite:///x.db"], "SQLite has no roles"),
    ],
)
def test_a_bad_command_ends_with_2_and_one_message(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    """What is wrong is said in one line, without a traceback."""
    result = run([*COMMAND, *arguments], tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_in_use_is_an_error(tmp_path: Path) -> None:
    """Where something listens already, `serve` says so and ends with 2, before it makes a file."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run([*COMMAND, "serve", "--port", f"{port}"], tmp_path)
    assert result.returncode == 2
    assert result.stderr == f"Error: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert not (tmp_path / "taskservice.db").exists()


def test_every_command_has_a_help_text(tmp_path: Path) -> None:
    """Help is there for a person, on every level."""
    for arguments in ([], *([name] for name in COMMANDS), ["db", "upgrade"]):
        result = run([*COMMAND, *arguments, "--help"], tmp_path)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout.startswith("Usage: taskservice")


def test_the_committed_document_is_the_served_one(tmp_path: Path) -> None:
    """`docs/openapi.json` is what `taskservice openapi` writes and the service serves."""
    write_program = tmp_path / "openapi.json"
    assert run([*COMMAND, "openapi", str(write_program)], tmp_path).returncode == 0
    committed = (Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes()
    assert write_program.read_bytes() == committed
    with running(SERVE, tmp_path) as service:
        assert service("GET", "/openapi.json").body == committed


def test_environment_without_settings_is_enough(tmp_path: Path) -> None:
    """`serve` needs no setting at all."""
    assert not [name for name in environment() if name.startswith("TASKSERVICE_")]
    with running(SERVE, tmp_path) as service:
        assert service("GET", "/readyz").status == 200
