"""Prometheus metrics of all processes: each worker counts, gunicorn's master serves the sums.

The client library decides how it counts by `FOLDER` when it is imported, so
nothing here imports it before that is settled. See `docs/decisions/0015-watching.md`.
"""

import logging
import os
import socket
from importlib import import_module

from taskservice.core.operations.metrics import NO_METRICS, Metrics

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder with the numbers of each process."""

_log = logging.getLogger("taskservice")


def serve(listener: socket.socket, folder: str) -> None:
    """Serve `/metrics` at `listener`, from a thread of this process, for the processes it forks.

    The numbers of each are kept in `folder`.
    """
    os.environ[FOLDER] = folder
    import_module("taskservice.adapters.prometheus.endpoint").serve(listener, folder)


def counting() -> Metrics:
    """Return a watch that counts in this process, for whoever serves the numbers."""
    if FOLDER not in os.environ:
        reason = "the server does not use taskservice.server.gunicorn_conf"
        _log.warning("metrics disabled", extra={"reason": reason})
        return NO_METRICS
    metrics: Metrics = import_module("taskservice.adapters.prometheus.metrics").counting()
    return metrics


def retire(pid: int) -> None:
    """Forget what a process that has ended was doing; what it counted stays."""
    if FOLDER in os.environ:
        import_module("prometheus_client.multiprocess").mark_process_dead(pid)
