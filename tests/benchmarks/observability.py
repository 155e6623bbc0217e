"""What it costs to watch: microseconds of CPU that the log, metrics and traces add to a request.

    python -m tests.benchmarks.observability [--rounds 40] [--calls 200]

The request reads one task, in process and over memory, so that nothing else
is in the way. The lines of the log go to a file in memory.
"""

import argparse
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from time import thread_time
from typing import Any

import pytest
from flask import Flask
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import set_tracer_provider
from tests.http_callers import SETTINGS, ApiClient
from werkzeug.test import EnvironBuilder

from taskservice.adapters import prometheus
from taskservice.adapters.http.access_log import RequestTelemetry, current_route
from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.tracing.spans import trace_app, trace_workspaces
from taskservice.app import create_app
from taskservice.core.operations.metrics import NO_METRICS, Metrics
from taskservice.logs import SERVICE_LOGGER, configure

Request = Callable[[], bytes]


class Nowhere(SpanExporter):
    """Takes spans and drops them: what a worker sends, it sends in another thread."""

    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def wrapped() -> Flask:
    """Return an application without what is measured here."""
    app = create_app(InMemoryStorage().open_workspace, SETTINGS)
    assert isinstance(app.wsgi_app, RequestTelemetry)
    app.wsgi_app = app.wsgi_app.wrapped  # type: ignore[assignment,method-assign]
    return app


def watched(metrics: Metrics = NO_METRICS) -> Flask:
    return create_app(InMemoryStorage().open_workspace, SETTINGS, metrics=metrics)


def traced() -> Flask:
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(Nowhere()))
    set_tracer_provider(provider)
    app = create_app(trace_workspaces(InMemoryStorage().open_workspace), SETTINGS)
    trace_app(app, current_route)
    return app


def reading(app: Flask) -> Request:
    """Return what reads one task of `app`."""
    ada = ApiClient(app.test_client(), "ada")
    address = f"{ada.path}/{ada.create()['id']}"
    headers = [("Authorization", f"Bearer {ada.token}")]
    environ = EnvironBuilder(address, headers=headers).get_environ()
    return lambda: b"".join(app(dict(environ), lambda *_: lambda _: None))


@contextmanager
def counting() -> Iterator[Metrics]:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv(prometheus.FOLDER_VARIABLE, folder)
        yield prometheus.create_metrics()


def cost(request: Request, level: str, calls: int) -> float:
    """Return the microseconds of CPU of a request, with the log at `level`."""
    logging.getLogger(SERVICE_LOGGER).setLevel(level)
    began = thread_time()
    for _ in range(calls):
        request()
    return (thread_time() - began) / calls * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--calls", type=int, default=200)
    arguments = parser.parse_args()
    with counting() as metrics, tempfile.TemporaryFile("w", dir="/dev/shm") as log:
        configure({"TASKSERVICE_LOG_LEVEL": "warning"}, [logging.StreamHandler(log)])
        ways = {
            "nothing": (reading(wrapped()), "WARNING"),
            "log at warning": (reading(watched()), "WARNING"),
            "log at info": (reading(watched()), "INFO"),
            "log at warning, metrics": (reading(watched(metrics)), "WARNING"),
            "log at warning, traces": (reading(traced()), "WARNING"),
        }
        rounds = [
            {name: cost(*way, arguments.calls) for name, way in ways.items()}
            for _ in range(arguments.rounds)
        ]
    print("| watched by | µs of CPU a request | added |")
    for name in ways:
        added = median(one[name] - one["nothing"] for one in rounds)
        print(f"| {name} | {median(one[name] for one in rounds):.0f} | {added:.0f} |")


if __name__ == "__main__":
    main()
