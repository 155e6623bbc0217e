"""Spans of a request and of its work on tasks, and their ids in the log."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from flask import Flask
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, StatusCode, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from taskservice import __version__
from taskservice.core.errors import Unavailable
from taskservice.core.service import OpenTasks, TaskService

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_tracer = trace.get_tracer("taskservice", __version__)
_context_of = TraceContextTextMapPropagator().extract


def start() -> None:
    """Export what is traced from now on, as OpenTelemetry's variables say; tell its ids in the log.

    What is left is sent when the process ends.
    """
    ours = Resource({"service.name": "taskservice", "service.version": __version__})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    logging.setLogRecordFactory(_with_ids(logging.getLogRecordFactory()))


def trace_app(app: Flask, rule: Callable[[], tuple[str, str | None]]) -> None:
    """Make a span of each request to `app`; `rule` tells the current one's method and route.

    It goes on the trace that `traceparent` names; `tracestate`, in which a
    client can write what it likes, is not taken over.
    """
    inner = app.wsgi_app

    def traced(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        context = _context_of({"traceparent": environ.get("HTTP_TRACEPARENT", "")})
        with _span("HTTP", SpanKind.SERVER, context) as span:

            def answer(status: str, *rest: Any) -> Any:
                _describe(span, int(status[:3]), *rule())
                return start_response(status, *rest)

            return inner(environ, answer)

    app.wsgi_app = traced  # type: ignore[method-assign]


def traced_tasks(open_tasks: OpenTasks) -> OpenTasks:
    """Return `open_tasks` with a span from opening to closing: the work on the database."""

    @contextmanager
    def traced(owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        with _span("tasks", SpanKind.CLIENT) as span:
            try:
                with open_tasks(owner, atomic=atomic) as tasks:
                    yield tasks
            except Unavailable as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    return traced


def _span(name: str, kind: SpanKind, context: Any = None) -> AbstractContextManager[Span]:
    """Open a span that hears nothing of an exception: its message may quote a title."""
    return _tracer.start_as_current_span(
        name, context, kind, record_exception=False, set_status_on_exception=False
    )


def _describe(span: Span, status: int, method: str, route: str | None) -> None:
    """Say of a span what the semantic conventions for HTTP ask for, as far as it is ours."""
    span.update_name(f"{method} {route}" if route else method)
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.response.status_code", status)
    if route:
        span.set_attribute("http.route", route)
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def _with_ids(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """Return what makes log records that name the span in which they were made."""

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = make(*args, **kwargs)
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            made.trace_id = format_trace_id(context.trace_id)
            made.span_id = format_span_id(context.span_id)
        return made

    return record
