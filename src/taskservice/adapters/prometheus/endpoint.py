"""Metrics server: `/metrics` on a port of its own, in the formats of Prometheus."""

import logging
import os
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler

from prometheus_client import CollectorRegistry, Info, make_wsgi_app
from prometheus_client.core import Metric
from prometheus_client.exposition import ThreadingWSGIServer
from prometheus_client.multiprocess import MultiProcessCollector

from taskservice import __version__

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_TIMEOUT = 10.0
"""Seconds to wait for data from a client."""

_log = logging.getLogger("taskservice")


def serve(listener: socket.socket, folder: str) -> None:
    """Serve the metric files in `folder` on `listener` until this process exits.

    A fork waits for the scrape in progress, so that no child inherits a lock
    that a scrape holds. The child closes the inherited listening socket.
    """
    scrape_lock = Lock()
    server = _Server(listener)
    server.set_app(_metrics_app(make_wsgi_app(create_registry(folder)), scrape_lock))
    os.register_at_fork(
        before=scrape_lock.acquire,
        after_in_parent=scrape_lock.release,
        after_in_child=server.socket.close,
    )
    os.register_at_fork(after_in_child=scrape_lock.release)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()


class _Workers(MultiProcessCollector):
    """Aggregates the metric files of all processes."""

    def __init__(self, folder: str) -> None:
        super().__init__(None, folder)  # type: ignore[no-untyped-call]
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        """Skip empty files: a worker creates each file before it writes the header."""
        files = [str(file) for file in self._folder.glob("*.db") if _size(file)]
        metrics: Iterable[Metric] = self.merge(files)  # type: ignore[no-untyped-call]
        return metrics


def create_registry(folder: str) -> CollectorRegistry:
    """Return a registry of the metric files in `folder`, and of the version."""
    registry = CollectorRegistry()
    registry.register(_Workers(folder))
    build = Info("taskservice_build", "The version of the service.", registry=registry)
    build.info({"version": __version__})
    return registry


def _size(file: Path) -> int:
    """Return the size in bytes, 0 if the file is gone because its worker exited."""
    with suppress(FileNotFoundError):
        return file.stat().st_size
    return 0


def _metrics_app(metrics: "WSGIApplication", scrape_lock: Lock) -> "WSGIApplication":
    """Return an application with `metrics` at `/metrics`, for one scrape at a time."""

    def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ["PATH_INFO"] != "/metrics":
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"metrics are at /metrics\n"]
        try:
            with scrape_lock:
                return metrics(environ, start_response)
        except Exception:
            _log.exception("metrics scrape failed")
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"try again\n"]

    return app


class _Server(ThreadingWSGIServer):
    """A thread per connection; errors are logged."""

    def __init__(self, listener: socket.socket) -> None:
        super().__init__(listener.getsockname(), _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        # What `server_bind` does, without its DNS lookup of the host name.
        self.server_name, self.server_port = listener.getsockname()[:2]
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log that a client disconnected or timed out."""
        _log.info("metrics response not sent", exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_TIMEOUT

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log no requests."""
