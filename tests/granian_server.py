"""The service on granian, as docs/operations.md starts it."""

import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from taskservice.config import pool_size
from taskservice.core.operations.admission import QUEUE_LIMIT_PER_SLOT
from taskservice.listening_socket import BACKLOG

LOG_CONFIG = Path(__file__).parents[1] / "docs" / "deploy" / "granian.json"


def granian_command(workers: int, settings: Mapping[str, str]) -> list[str]:
    """Return how the service is started, with as many threads as under gunicorn."""
    threads = pool_size(settings) * (1 + QUEUE_LIMIT_PER_SLOT) + 3
    return [
        *(sys.executable, "-m", "granian", "--interface=wsgi", "--http=1"),
        *(f"--port={_free_port()}", f"--backlog={BACKLOG}", f"--workers={workers}"),
        *(f"--blocking-threads={threads}", "--respawn-failed-workers"),
        *("--http1-header-read-timeout=60000", "--http1-buffer-size=16384"),
        *("--workers-kill-timeout=30", f"--log-config={LOG_CONFIG}", "taskservice.wsgi:app"),
    ]


def await_listener(address: str, seconds: float) -> None:
    """Return when a worker listens, which is after it has logged that it is started."""
    deadline, place = time.monotonic() + seconds, urlsplit(address)
    while time.monotonic() < deadline:
        with suppress(ConnectionRefusedError):
            socket.create_connection((place.hostname, place.port)).close()
            return
        time.sleep(0.01)
    raise AssertionError("no worker listens")


def _free_port() -> int:
    """Return a free port; each worker of granian would choose another one for port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
