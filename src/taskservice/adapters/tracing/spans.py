"""Spans of requests and of their database work; trace and span ids in the log."""

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
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.errors import Unavailable
from taskservice.core.workspace import OpenWorkspace, Workspace

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_tracer = trace.get_tracer("taskservice", __version__)
_extract_context = TraceContextTextMapPropagator().extract


def start() -> None:
    """Export spans as OpenTelemetry's variables configure, and add their ids to log records.

    Remaining spans are exported when the process exits.
    """
    defaults = Resource({"service.name": "taskservice", "service.version": __version__})
    provider = TracerProvider(resource=defaults.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    logging.setLogRecordFactory(_add_span_ids(logging.getLogRecordFactory()))


def trace_app(app: Flask, rule: Callable[[], tuple[str, str | None]]) -> None:
    """Create a span for each request to `app`; `rule` returns the current method and route.

    The span continues the trace in `traceparent`. `tracestate` is ignored, as
    a client can write anything into it.
    """
    wrapped = app.wsgi_app

    def traced(environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        context = _extract_context({"traceparent": environ.get("HTTP_TRACEPARENT", "")})
        with _span("HTTP", SpanKind.SERVER, context) as span:

            def start_traced_response(status: str, *rest: Any) -> Any:
                _set_attributes(span, int(status[:3]), *rule())
                return start_response(status, *rest)

            return wrapped(environ, start_traced_response)

    app.wsgi_app = traced  # type: ignore[method-assign]


def trace_workspaces(open_workspace: OpenWorkspace) -> OpenWorkspace:
    """Return `open_workspace` with a span from opening to closing, for the database work."""

    @contextmanager
    def traced(
        owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        with _span("tasks", SpanKind.CLIENT) as span:
            try:
                with open_workspace(owner, atomic=atomic, origin=origin) as workspace:
                    yield workspace
            except Unavailable as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    return traced


def _span(name: str, kind: SpanKind, context: Any = None) -> AbstractContextManager[Span]:
    """Open a span that records no exceptions, as their messages may quote a title."""
    return _tracer.start_as_current_span(
        name, context, kind, record_exception=False, set_status_on_exception=False
    )


def _set_attributes(span: Span, status: int, method: str, route: str | None) -> None:
    """Set the attributes of the semantic conventions for HTTP that contain no client data."""
    span.update_name(f"{method} {route}" if route else method)
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.response.status_code", status)
    if route:
        span.set_attribute("http.route", route)
    if status >= 500:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


def _add_span_ids(factory: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    """Return a log record factory that adds the ids of the current span."""

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        created = factory(*args, **kwargs)
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            created.trace_id = format_trace_id(context.trace_id)
            created.span_id = format_span_id(context.span_id)
        return created

    return record
