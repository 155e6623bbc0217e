"""Prometheus metrics of all processes: each worker counts, gunicorn's master serves the sums.

The client library decides how it counts by `FOLDER` when it is imported, so
nothing here imports it before that is settled. See `docs/decisions/0015-watching.md`.
"""

import atexit
import logging
import os
import shutil
import tempfile
from importlib import import_module
from pathlib import Path

from taskservice.core.watching import NOBODY, Watch

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder with the numbers of each process."""

_IN_MEMORY = Path("/dev/shm")  # noqa: S108

_log = logging.getLogger("taskservice")


def serve(host: str, port: int) -> None:
    """Serve `/metrics`, from a thread of this process, for the processes that it forks.

    Raises `OSError` where nobody can listen there.
    """
    folder = tempfile.mkdtemp("", "taskservice-", _IN_MEMORY if _IN_MEMORY.is_dir() else None)
    atexit.register(_remove, folder, os.getpid())
    os.environ[FOLDER] = folder
    address = import_module("taskservice.adapters.metrics.serving").listen(host, port, folder)
    _log.info("metrics are served", extra={"address": address})


def counting() -> Watch:
    """Return a watch that counts in this process, for whoever serves the numbers."""
    if FOLDER not in os.environ:
        _log.warning("nobody serves metrics", extra={"reason": "this is not our gunicorn"})
        return NOBODY
    watch: Watch = import_module("taskservice.adapters.metrics.counting").counting()
    return watch


def retire(pid: int) -> None:
    """Forget what a process that has ended was doing; what it counted stays."""
    if FOLDER in os.environ:
        import_module("prometheus_client.multiprocess").mark_process_dead(pid)


def _remove(folder: str, owner: int) -> None:
    """Remove the folder at the end of the process that made it, and of no other."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
