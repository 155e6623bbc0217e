"""Access log and request metrics: one log record and one `FinishedRequest` for each request."""

import logging
import re
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from taskservice.adapters.http.protocol.idempotency import WRITE_METHODS
from taskservice.adapters.http.protocol.request import ApiRequest, current_request
from taskservice.core.operations.metrics import FinishedRequest, Metrics, WriteOutcome

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KNOWN_METHODS = {"GET", "HEAD", "OPTIONS", *WRITE_METHODS}
OTHER_METHOD = "OTHER"
"""Replaces unknown methods, so that clients cannot create label values."""

PROBE_PATHS = {"/livez", "/readyz"}
"""Logged at `debug`. A failed readiness check has a log event of its own."""

_log = logging.getLogger("taskservice")


class RequestTelemetry:
    """WSGI middleware that logs and measures each request when its response starts."""

    def __init__(self, app: "WSGIApplication", metrics: Metrics) -> None:
        self.wrapped = app
        self._metrics = metrics

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Call the wrapped application, and measure the time until the response starts."""
        started = perf_counter()

        def measured_start_response(status: str, *args: Any) -> Any:
            _record(self._metrics, int(status[:3]), perf_counter() - started)
            return start_response(status, *args)

        self._metrics.request_started()
        try:
            return self.wrapped(environ, measured_start_response)
        finally:
            self._metrics.request_closed()


def current_route() -> tuple[str, str | None]:
    """Return the method and the matched route, as in `GET /api/tasks/{user_id}/tasks`."""
    request = current_request()
    method, rule = request.method, request.url_rule
    return (
        method if method in KNOWN_METHODS else OTHER_METHOD,
        _openapi_path(rule.rule) if rule else None,
    )


@cache
def _openapi_path(rule: str) -> str:
    """Return the OpenAPI path template of a Flask rule."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)


def _record(metrics: Metrics, status: int, seconds: float) -> None:
    request = current_request()
    method, route = current_route()
    finished = FinishedRequest(method, route, status, seconds, _write_outcome(request, status))
    metrics.request_finished(finished)
    level = _log_level(finished)
    if _log.isEnabledFor(level):
        fields = _log_fields(request, finished)
        _log.log(level, "request finished", exc_info=request.unexpected_error, extra=fields)


def _write_outcome(request: ApiRequest, status: int) -> WriteOutcome | None:
    """Return the outcome of a write. After an unexpected error it is `unknown`."""
    if request.method not in WRITE_METHODS or request.replayed or 300 <= status < 500:
        return None
    return "applied" if status < 300 else request.outcome or "unknown"


def _log_level(finished: FinishedRequest) -> int:
    if finished.route in PROBE_PATHS:
        return logging.DEBUG
    if finished.status < 500:
        return logging.INFO
    return logging.ERROR if finished.status == 500 else logging.WARNING


def _log_fields(request: ApiRequest, finished: FinishedRequest) -> dict[str, Any]:
    fields = {
        "request_id": request.request_id,
        "user_id": request.log_context.get("user_id"),
        "client": request.log_context.get("client"),
        "method": finished.method,
        "route": finished.route,
        "status": finished.status,
        "duration_ms": round(finished.seconds * 1000, 3),
        **request.log_context,
        "outcome": request.outcome,
        "replayed": request.replayed or None,
    }
    return {name: value for name, value in fields.items() if value is not None}
