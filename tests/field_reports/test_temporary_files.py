"""Temporary files: a folder that is there and cannot be written is passed over, or named.

Reported as MinBZK/mijn-bureau-infra#371 and benoitc/gunicorn#2859. `/proc` stands for a folder
that is there, and in which nobody can write; the last test makes a real one.
"""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.databases import sqlite_database
from tests.http_callers import SETTINGS
from tests.processes import START, running
from tests.secret_values import SECRET

from taskservice import temporary_folder
from taskservice.app import serve_metrics
from taskservice.cli import serve
from taskservice.config import ConfigError
from taskservice.server import gunicorn_conf

CANNOT = "temporary files cannot be written"
TRIED = "No usable temporary directory found in ['/proc', '/proc/self']"
ADVICE = "; set TMPDIR to a folder that this user can write to"

# In mounts of its own; status 77 where they do not hold.
SHARED_MEMORY_READ_ONLY = """
    mount -o remount,bind,ro /dev/shm 2>/dev/null || mount --bind -o ro /dev/shm /dev/shm || exit 77
    if touch /dev/shm/probe 2>/dev/null; then exit 77; fi
"""
METRICS = {"TASKSERVICE_METRICS_ADDRESS": "127.0.0.1:0"}


@pytest.fixture(autouse=True)
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory cannot be written."""
    monkeypatch.setattr(temporary_folder, "_SHARED_MEMORY", "/proc")


@pytest.fixture
def no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor can any other folder."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc", "/proc/self"])


def test_the_temporary_folder_does_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory cannot be written."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert temporary_folder.memory_folder() is None
    temporary_folder.require_writable(temporary_folder.memory_folder())
    assert Path(temporary_folder.create_folder()).parent == tmp_path


@pytest.mark.parametrize(
    "start",
    [
        lambda: serve_metrics(replace(SETTINGS, metrics_address=("127.0.0.1", 0))),
        lambda: serve.serve.main(["--port", "0"], standalone_mode=False),
    ],
    ids=["metrics", "serve"],
)
@pytest.mark.usefixtures("no_temporary_folder")
def test_no_temporary_folder_is_an_error(
    start: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that were tried, and what to do; an address is not blamed for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve, "configure", lambda _: None)
    with pytest.raises(ConfigError) as caught:
        start()
    assert str(caught.value) == f"{CANNOT}: {TRIED}{ADVICE}"


@pytest.mark.usefixtures("no_temporary_folder")
def test_gunicorn_ends_with_one_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it makes a file of its own, which ends in a traceback where it cannot."""
    monkeypatch.setenv("DATABASE_URL", "sqlite:///tasks.db")
    monkeypatch.setenv("TASKSERVICE_JWT_SECRET", SECRET)
    arbiter: Any = SimpleNamespace(cfg=SimpleNamespace(preload_app=False, worker_tmp_dir=None))
    with pytest.raises(SystemExit) as end:
        gunicorn_conf.on_starting(arbiter)
    assert end.value.code == 2
    assert capsys.readouterr().err == f"taskservice: {CANNOT}: {TRIED}{ADVICE}\n"


def test_a_folder_of_the_operator_is_named() -> None:
    """gunicorn's --worker-tmp-dir, which gunicorn answers with a traceback."""
    with pytest.raises(ConfigError) as caught:
        temporary_folder.require_writable("/no/such/folder")
    advice = ADVICE.replace("TMPDIR", "gunicorn's worker_tmp_dir")
    assert str(caught.value) == f"{CANNOT} in /no/such/folder: No such file or directory{advice}"


def test_gunicorn_serves_without_shared_memory(tmp_path: Path) -> None:
    """Metrics and all: `/dev/shm` is there, read-only."""
    private = ["unshare", "--mount", "sh", "-c"]
    probe = subprocess.run([*private, SHARED_MEMORY_READ_ONLY], check=False, cwd="/")
    if probe.returncode != 0:
        pytest.skip("NOT VERIFIED: this machine makes no mounts for us")
    settings = {"DATABASE_URL": sqlite_database(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    command = [*private, f'{SHARED_MEMORY_READ_ONLY} exec "$@"', "sh", *START]
    with running(command, tmp_path, **settings, **METRICS) as service:
        assert service("GET", "/readyz").status == 200
        assert service.stop() == 0
