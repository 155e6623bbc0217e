"""Temporary files: a folder that is there and cannot be written is passed over, or named.

Reported as MinBZK/mijn-bureau-infra#371 and benoitc/gunicorn#2859. `/proc` stands for a folder
that is there, and in which nobody can write; the last two tests make a real one.
"""

import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.homes import sqlite_home
from tests.http_callers import SETTINGS
from tests.processes import START, run, running
from tests.support import SECRET

from taskservice import temporary_files
from taskservice.app import serve_metrics
from taskservice.cli import serve
from taskservice.config import ConfigError

CANNOT = "temporary files cannot be written"
ADVICE = "; set TMPDIR to a folder that this user can write to"

# In mounts of its own; status 77 where they do not hold.
SHARED_MEMORY_READ_ONLY = """
    mount -o remount,bind,ro /dev/shm 2>/dev/null || mount --bind -o ro /dev/shm /dev/shm || exit 77
    if touch /dev/shm/probe 2>/dev/null; then exit 77; fi
"""
ALL_READ_ONLY = """
    cut -d' ' -f2 /proc/self/mounts | grep -vE '^/(proc|sys|dev)(/|$)' | while read -r place
    do mount -o remount,bind,ro "$place"; done
    if touch probe 2>/dev/null; then exit 77; fi
"""
METRICS = {"TASKSERVICE_METRICS_ADDRESS": "127.0.0.1:0"}


@pytest.fixture(autouse=True)
def no_shared_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory cannot be written."""
    monkeypatch.setattr(temporary_files, "_IN_MEMORY", "/proc")


@pytest.fixture
def no_temporary_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor can any other folder."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc", "/proc/self"])


def test_the_temporary_folder_does_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory cannot be written."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert temporary_files.memory_folder() is None
    temporary_files.require_writable(temporary_files.memory_folder())
    assert Path(temporary_files.make_folder()).parent == tmp_path


@pytest.mark.parametrize(
    "start",
    [
        lambda: temporary_files.require_writable(None),
        lambda: serve_metrics(replace(SETTINGS, metrics_address=("127.0.0.1", 0))),
        lambda: serve.serve.main(["--port", "0"], standalone_mode=False),
    ],
    ids=["gunicorn", "metrics", "serve"],
)
@pytest.mark.usefixtures("no_temporary_folder")
def test_no_folder_at_all_is_told(
    start: Callable[[], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With all that were tried, and what to do; an address is not blamed for it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(serve, "configure", lambda _: None)
    with pytest.raises(ConfigError) as told:
        start()
    tried = "No usable temporary directory found in ['/proc', '/proc/self']"
    assert str(told.value) == f"{CANNOT}: {tried}{ADVICE}"


def test_a_folder_of_the_operator_is_named() -> None:
    """gunicorn's --worker-tmp-dir, which gunicorn answers with a traceback."""
    with pytest.raises(ConfigError) as told:
        temporary_files.require_writable("/no/such/folder")
    advice = ADVICE.replace("TMPDIR", "gunicorn's worker_tmp_dir")
    assert str(told.value) == f"{CANNOT} in /no/such/folder: No such file or directory{advice}"


def in_mounts(*scripts: str) -> list[str]:
    """Return what runs a command in mounts of its own, as the scripts leave them."""
    private = ["unshare", "--mount"]
    probe = subprocess.run([*private, "sh", "-c", "".join(scripts)], check=False, cwd="/")
    if probe.returncode != 0:
        pytest.skip("NOT VERIFIED: this machine makes no mounts for us")
    return [*private, "sh", "-c", "".join((*scripts, 'exec "$@"')), "sh"]


def test_gunicorn_serves_without_shared_memory(tmp_path: Path) -> None:
    """Metrics and all: `/dev/shm` is there, read-only."""
    settings = {"DATABASE_URL": sqlite_home(tmp_path), "TASKSERVICE_JWT_SECRET": SECRET}
    command = [*in_mounts(SHARED_MEMORY_READ_ONLY), *START]
    with running(command, tmp_path, **settings, **METRICS) as service:
        assert service("GET", "/readyz").status == 200
        assert service.stop() == 0


def test_gunicorn_ends_with_one_message(tmp_path: Path) -> None:
    """Where nothing can be written at all."""
    settings = {"DATABASE_URL": "sqlite:///tasks.db", "TASKSERVICE_JWT_SECRET": SECRET}
    command = [*in_mounts(SHARED_MEMORY_READ_ONLY, ALL_READ_ONLY), *START]
    result = run(command, tmp_path, **settings)
    assert result.returncode == 2
    *_, message = result.stderr.splitlines()
    assert message.startswith(f"taskservice: {CANNOT}: No usable temporary directory")
    assert message.endswith(ADVICE)
