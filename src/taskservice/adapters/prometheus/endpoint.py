"""The port on which metrics are served: `/metrics`, in the formats that Prometheus asks for."""

import logging
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from taskservice import __version__

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PATIENCE = 10.0
"""How long a client may take to send its request, in seconds."""

_log = logging.getLogger("taskservice")


def serve(listener: socket.socket, folder: str) -> None:
    """Serve the numbers in `folder` at `listener` until this process ends.

    A fork waits until no scrape is under way, so that a child is never born
    holding half of one; it closes the port, which is its parent's.
    """
    scrapes = Lock()
    server = _Server(listener)
    server.set_app(_at_metrics(make_wsgi_app(registry(folder)), scrapes))
    os.register_at_fork(
        before=scrapes.acquire,
        after_in_parent=scrapes.release,
        after_in_child=server.socket.close,
    )
    os.register_at_fork(after_in_child=scrapes.release)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()


class _Build(Collector):
    """Tells which version serves."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "taskservice_build", "The version that serves.", {"version": __version__}
        )


class _Workers(MultiProcessCollector):
    """Sums up the numbers of all processes."""

    def __init__(self, folder: str) -> None:
        super().__init__(None, folder)  # type: ignore[no-untyped-call]
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        """Skip empty files: a worker creates each before it writes the size that is read first."""
        files = [str(file) for file in self._folder.glob("*.db") if _size(file)]
        metrics: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]
        return metrics


def registry(folder: str) -> CollectorRegistry:
    """Return the numbers in `folder`, and the version."""
    collectors = CollectorRegistry()
    collectors.register(_Workers(folder))
    collectors.register(_Build())
    return collectors


def _size(file: Path) -> int:
    """Return the size in bytes; 0 where a worker has ended and its file is gone."""
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0


def _at_metrics(metrics: "WSGIApplication", scrapes: Lock) -> "WSGIApplication":
    """Return `metrics` at its one address, one scrape at a time."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"metrics are at /metrics\n"]
        try:
            with scrapes:
                return metrics(environ, start_response)
        except Exception:
            _log.exception("metrics scrape failed")
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"try again\n"]

    return answer


class _Server(ThreadingWSGIServer):
    """A thread a scrape; what goes wrong with one is told in the log."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        # As `server_bind` has it, without asking a name server who we are.
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of a client that has gone before its answer came."""
        _log.info("metrics response not sent", exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tell nothing of each scrape."""
