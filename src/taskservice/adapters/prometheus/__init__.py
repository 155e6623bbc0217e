"""Prometheus metrics in multiprocess mode: workers count, gunicorn's master serves the sums.

prometheus_client reads `FOLDER_VARIABLE` when it is imported: import it only
after the variable is set. See `docs/decisions/0015-watching.md`.
"""

import logging
import os
import socket
from importlib import import_module

from taskservice.core.operations.metrics import NO_METRICS, Metrics

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable with the folder of the metric files."""

_log = logging.getLogger("taskservice")


def serve(listener: socket.socket, folder: str) -> None:
    """Serve `/metrics` on `listener`, in a thread of this process, for its forks.

    They write their metric files to `folder`.
    """
    os.environ[FOLDER_VARIABLE] = folder
    import_module("taskservice.adapters.prometheus.endpoint").serve(listener, folder)


def create_metrics() -> Metrics:
    """Return the metrics of this process, `NO_METRICS` if no process serves them."""
    if FOLDER_VARIABLE not in os.environ:
        reason = "the server does not use taskservice.server.gunicorn_conf"
        _log.warning("metrics disabled", extra={"reason": reason})
        return NO_METRICS
    metrics: Metrics = import_module("taskservice.adapters.prometheus.metrics").create_metrics()
    return metrics


def forget_process(pid: int) -> None:
    """Remove the gauges of a process that has exited; its counters stay."""
    if FOLDER_VARIABLE in os.environ:
        import_module("prometheus_client.multiprocess").mark_process_dead(pid)
