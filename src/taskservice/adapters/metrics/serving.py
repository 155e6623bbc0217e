"""The port on which metrics are served: `/metrics`, in the formats that Prometheus asks for."""

import logging
import os
import socket
from collections.abc import Iterable, Iterator
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


def listen(host: str, port: int, folder: str) -> str:
    """Serve the numbers in `folder` until this process ends; return host and port.

    A fork waits until no scrape is under way, so that a child is never born
    holding half of one; it closes the port, which is its parent's.
    """
    scrapes = Lock()
    server = _Server((host, port), _Handler)
    server.set_app(_at_metrics(make_wsgi_app(_registry(folder)), scrapes))
    os.register_at_fork(
        before=scrapes.acquire,
        after_in_parent=scrapes.release,
        after_in_child=server.socket.close,
    )
    os.register_at_fork(after_in_child=scrapes.release)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return f"{f'[{host}]' if ':' in host else host}:{server.server_port}"


class _Build(Collector):
    """Tells which version serves."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily(
            "taskservice_build", "The version that serves.", {"version": __version__}
        )


def _registry(folder: str) -> CollectorRegistry:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    registry.register(_Build())
    return registry


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
            _log.exception("metrics were not collected")
            start_response("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"try again\n"]

    return answer


class _Server(ThreadingWSGIServer):
    """A thread a scrape; what goes wrong with one is told in the log."""

    def __init__(self, place: tuple[str, int], handler: type[WSGIRequestHandler]) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        super().__init__(place, handler)

    def server_bind(self) -> None:
        """Listen, without asking a name server who we are."""
        host, port = self.server_address[:2]
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind((host, port))
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(host), int(self.server_address[1])
        self.setup_environ()

    def handle_error(self, request: object, client_address: object) -> None:
        """Tell of a client that has gone before its answer came."""
        _log.info("a scrape was not answered", exc_info=True)


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tell nothing of each scrape."""
