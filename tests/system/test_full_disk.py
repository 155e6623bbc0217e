"""An SQLite database on a disk that is full: writes are 507, and reads go on."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.processes import ROOT, SECONDS, environment

SIZE = "512k"
MOUNT = f'mount -t tmpfs -o size={SIZE} tmpfs "$1" && shift && exec "$@"'
PRIVATE = ["unshare", "--mount", *(["--map-root-user"] if os.geteuid() else [])]


def answered(way: str, folder: Path, before: list[str]) -> dict[str, Any]:
    """Return what a service over a database in `folder` answers, with a command before its own."""
    command = [*before, sys.executable, "-m", "tests.system.full_disk", str(folder), way]
    result = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, timeout=SECONDS, check=False
    )
    assert result.returncode == 0, result.stderr.decode()
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def in_a_mount(folder: Path) -> list[str]:
    """Return the command that gives another one a small file system of its own."""
    before = [*PRIVATE, "sh", "-c", MOUNT, "sh", str(folder)]
    if subprocess.run([*before, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("NOT VERIFIED: this machine makes no mounts for us, so that no disk was full")
    return before


@pytest.mark.parametrize("way", ["disk", "quota"])
def test_a_full_disk_takes_no_write_and_serves_reads(tmp_path: Path, way: str) -> None:
    """Though nobody had called; who starts then cannot read, is told what to do, and recovers.

    A full disk is one of its own, as far as this machine lets us make one; a quota is always tried.
    """
    logged = answered(way, tmp_path, in_a_mount(tmp_path) if way == "disk" else [])
    assert logged["started before"] == [200, 507, 507, 200]
    assert "FAIL  database" in logged["check"]
    assert "its disk or quota is full: free some space" in logged["check"]
    assert "db upgrade" not in logged["check"]
    assert logged["started then"] == [503, 507, 507, 503]
    assert logged["afterwards"] == [200, 201, 201, 200]
