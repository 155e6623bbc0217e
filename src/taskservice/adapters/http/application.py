"""The Flask application: blueprints, error handlers and standing headers, put together."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, abort
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, MapAdapter
from werkzeug.wsgi import get_host

from taskservice.adapters.http.access_log import RequestTelemetry
from taskservice.adapters.http.api import health, tasks
from taskservice.adapters.http.api.responses import EntityProvider
from taskservice.adapters.http.cors import enable_cors
from taskservice.adapters.http.openapi.blueprint import patch_media_types
from taskservice.adapters.http.openapi.document import document
from taskservice.adapters.http.pages import reference
from taskservice.adapters.http.protocol import preconditions
from taskservice.adapters.http.protocol.authorization import Services
from taskservice.adapters.http.protocol.common_headers import add_common_headers
from taskservice.adapters.http.protocol.problems import (
    ProblemError,
    on_problem_error,
    on_service_error,
    on_unexpected_error,
)
from taskservice.adapters.http.protocol.rate_limit import Limits
from taskservice.adapters.http.protocol.request import ApiRequest, exchange
from taskservice.core.caller import Authenticate
from taskservice.core.errors import TaskServiceError
from taskservice.core.operations.metrics import NO_METRICS, Metrics
from taskservice.core.operations.readiness import Probe
from taskservice.core.service import OpenTasks
from taskservice.core.validation import OWNER_PATTERN

USER_ID = {
    "in": "path",
    "name": "user_id",
    "required": True,
    "description": "The user whose tasks these are: the subject of the caller's token.",
    "example": "ada",
    "schema": {"type": "string", "pattern": f"^{OWNER_PATTERN}$"},
}

HOSTS = 64
"""How many hosts are remembered as such: to look at one takes as long as to find the route."""


class _Application(Flask):
    """Flask, without what redirects a token or answers more than was asked."""

    json_provider_class = EntityProvider
    request_class = ApiRequest

    def __init__(self) -> None:
        super().__init__(__name__, static_folder=None)
        self.url_map.merge_slashes = False

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the route: by path and method, whatever `Upgrade` wishes for."""
        if request is None:
            return super().create_url_adapter(request)
        if host := request.environ.get("HTTP_HOST"):
            _require_host(host)
        return self.url_map.bind(
            "",
            script_name=request.root_path,
            url_scheme=request.scheme,
            default_method=request.method,
            path_info=request.path,
            query_args=request.environ.get("QUERY_STRING"),
        )

    def ensure_sync(self, func: Any) -> Any:
        """Return the view: all are plain functions."""
        return func

    def make_default_options_response(self) -> Response:
        """Answer OPTIONS: the methods, what a PATCH may be (RFC 5789, section 3.1), and no body."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        rule = exchange().url_rule
        if media_types := patch_media_types(self, rule.rule if rule else ""):
            response.headers["Accept-Patch"] = ", ".join(media_types)
        return response


@lru_cache(HOSTS)
def _require_host(host: str) -> None:
    """Raise `BadHost` (400) where a label of `host` is none (RFC 9112, section 3.2)."""
    Map().bind(get_host({"HTTP_HOST": host, "wsgi.url_scheme": "http"}))


def refuse_odd_slashes() -> None:
    """Refuse a path whose `%2F` was decoded into a `/`, or that begins with two.

    The first would reach another handler; the second is not merged either where it stands.
    """
    environ = exchange().environ
    given = environ.get("RAW_URI") or environ.get("REQUEST_URI", "")
    path, _, _ = given.partition("?")
    if "%2f" in path.lower() or environ["PATH_INFO"].startswith("//"):
        abort(404)


def http_application(
    authenticate: Authenticate,
    open_tasks: OpenTasks,
    probes: Mapping[str, Probe],
    *,
    require_if_match: bool = False,
    origins: Collection[str] = (),
    headers: Collection[str] = (),
    proxies: int = 0,
    limits: Limits | None = None,
    metrics: Metrics = NO_METRICS,
) -> Flask:
    """Return the application that serves `open_tasks` to whom `authenticate` knows.

    Pages of `origins` may call it, with `headers` beside the usual ones. What
    `X-Forwarded-…` says is believed of as many proxies in front of it as
    `proxies`. Without `limits` nobody is told to wait. `metrics` hears of each
    request.
    """
    app = _Application()
    app.wsgi_app = RequestTelemetry(app.wsgi_app, metrics)  # type: ignore[method-assign]
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies, proxies, proxies)  # type: ignore[method-assign]
    enable_cors(app, origins, headers)
    app.config[preconditions.REQUIRED] = require_if_match
    Services(authenticate, open_tasks).install(app)
    if limits is not None:
        limits.install(app)
    app.extensions[health.PROBES] = probes
    app.before_request(refuse_odd_slashes)
    app.after_request(add_common_headers)
    app.register_error_handler(ProblemError, on_problem_error)
    app.register_error_handler(TaskServiceError, on_service_error)
    app.register_error_handler(Exception, on_unexpected_error)
    api = document(app)
    api.register_blueprint(tasks.blueprint, parameters=[USER_ID])
    api.register_blueprint(health.blueprint)
    app.register_blueprint(reference.pages(api.spec.to_dict()))
    return app
