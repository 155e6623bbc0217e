"""What is told of each request: one line in the log when it is answered, and all to a `Metrics`."""

import logging
import re
from functools import cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

from taskservice.adapters.http.protocol.idempotency import WRITES
from taskservice.adapters.http.protocol.request import ApiRequest, exchange
from taskservice.core.operations.metrics import FinishedRequest, Metrics, WriteOutcome

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

METHODS = {"GET", "HEAD", "OPTIONS", *WRITES}
OTHER = "OTHER"
"""What a method is called that no address takes: a client can make up any number of them."""

PROBES = {"/livez", "/readyz"}
"""Asked every few seconds, and of no news: what `/readyz` finds unfit is told by itself."""

_log = logging.getLogger("taskservice")


class RequestTelemetry:
    """A WSGI application around a Flask application: looks at a request when its answer begins."""

    def __init__(self, app: "WSGIApplication", metrics: Metrics) -> None:
        self.wrapped = app
        self._metrics = metrics

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Pass the request on, and tell how long it took to be answered."""
        began = perf_counter()

        def answer(status: str, *rest: Any) -> Any:
            _record(self._metrics, int(status[:3]), perf_counter() - began)
            return start_response(status, *rest)

        self._metrics.request_started()
        try:
            return self.wrapped(environ, answer)
        finally:
            self._metrics.request_closed()


def current_rule() -> tuple[str, str | None]:
    """Return the method and the route that this request met: `GET /api/tasks/{user_id}/tasks`."""
    asked = exchange()
    method, rule = asked.method, asked.url_rule
    return method if method in METHODS else OTHER, _documented(rule.rule) if rule else None


@cache
def _documented(rule: str) -> str:
    """Return a rule of the URL map as the OpenAPI document writes it."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)


def _record(metrics: Metrics, status: int, seconds: float) -> None:
    asked = exchange()
    method, route = current_rule()
    answered = FinishedRequest(method, route, status, seconds, _outcome(asked, status))
    metrics.request_finished(answered)
    level = _level(answered)
    if _log.isEnabledFor(level):
        defect = asked.noted.pop("defect", None)
        _log.log(level, "request answered", exc_info=defect, extra=_line(asked, answered))


def _outcome(asked: ApiRequest, status: int) -> WriteOutcome | None:
    """Return what became of a write; a defect leaves that open."""
    if asked.method not in WRITES or "replayed" in asked.noted or 300 <= status < 500:
        return None
    return "applied" if status < 300 else asked.noted.get("outcome") or "unknown"


def _level(answered: FinishedRequest) -> int:
    if answered.route in PROBES:
        return logging.DEBUG
    if answered.status < 500:
        return logging.INFO
    return logging.ERROR if answered.status == 500 else logging.WARNING


def _line(asked: ApiRequest, answered: FinishedRequest) -> dict[str, Any]:
    fields = {
        "request_id": asked.request_id,
        "user_id": asked.noted.get("user_id"),
        "method": answered.method,
        "route": answered.route,
        "status": answered.status,
        "duration_ms": round(answered.seconds * 1000, 3),
        **asked.noted,
    }
    return {name: value for name, value in fields.items() if value is not None}
