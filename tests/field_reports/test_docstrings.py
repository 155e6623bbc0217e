"""Python without docstrings (microsoft/apm#1307): no start serves a document without its texts."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from tests.http_callers import SETTINGS
from tests.processes import run

from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import create_app, openapi_document
from taskservice.cli import main
from taskservice.config import ConfigError
from taskservice.docstring_check import require_docstrings
from taskservice.server import gunicorn_conf

MESSAGE = "PYTHONOPTIMIZE must not be 2 (python -OO): "


@pytest.fixture(autouse=True)
def no_docstrings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function without its docstring, as `-OO` leaves all of them."""
    monkeypatch.setattr(require_docstrings, "__doc__", None)


@pytest.mark.parametrize("arguments", [[], ["--help"], ["db", "upgrade", "--help"], ["openapi"]])
def test_no_command_is_run(arguments: list[str]) -> None:
    """Nor is help printed, which would be empty."""
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"Error: {MESSAGE}")


def test_gunicorn_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with the message before there are workers."""
    arbiter: Any = SimpleNamespace(cfg=SimpleNamespace(preload_app=False))
    with pytest.raises(SystemExit) as end:
        gunicorn_conf.on_starting(arbiter)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(f"taskservice: {MESSAGE}")


def test_no_application_is_made() -> None:
    """For any other server, and over any adapter."""
    with pytest.raises(ConfigError, match=r"PYTHONOPTIMIZE must not be 2"):
        create_app(InMemoryStorage().open_workspace, SETTINGS)
    with pytest.raises(ConfigError, match=r"PYTHONOPTIMIZE must not be 2"):
        openapi_document()


@pytest.mark.parametrize(("level", "status"), [("1", 0), ("2", 1)])
def test_the_optimization_level_is_detected(tmp_path: Path, level: str, status: int) -> None:
    """What `-O` removes is not missed."""
    script = "from taskservice.docstring_check import require_docstrings as r; r()"
    result = run([sys.executable, "-c", script], tmp_path, PYTHONOPTIMIZE=level)
    assert (result.returncode, MESSAGE in result.stderr) == (status, status == 1)
