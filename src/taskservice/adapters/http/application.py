"""Application factory: the Flask application with its blueprints, middleware, error handlers."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

from flask import Flask, Request, Response, abort
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Map, MapAdapter
from werkzeug.wsgi import get_host

from taskservice.adapters.http.access_log import RequestTelemetry
from taskservice.adapters.http.api import (
    batch,
    changes,
    health,
    history,
    labels,
    lists,
    summary,
    tasks,
    trash,
)
from taskservice.adapters.http.api.responses import EntityJSONProvider
from taskservice.adapters.http.cors import enable_cors
from taskservice.adapters.http.openapi.blueprint import patch_media_types
from taskservice.adapters.http.openapi.document import create_api
from taskservice.adapters.http.pages import public_pages
from taskservice.adapters.http.protocol import preconditions
from taskservice.adapters.http.protocol.authorization import Services
from taskservice.adapters.http.protocol.problems import (
    ProblemError,
    on_problem_error,
    on_service_error,
    on_unexpected_error,
)
from taskservice.adapters.http.protocol.rate_limit import RateLimits
from taskservice.adapters.http.protocol.request import ApiRequest, current_request
from taskservice.core.authentication import Authenticate
from taskservice.core.errors import TaskServiceError
from taskservice.core.operations.metrics import NO_METRICS, Metrics
from taskservice.core.operations.readiness import Probe
from taskservice.core.trash import DEFAULT_TRASH_DAYS
from taskservice.core.validation import OWNER_PATTERN
from taskservice.core.workspace import OpenWorkspace

USER_ID_PARAMETER = {
    "in": "path",
    "name": "user_id",
    "required": True,
    "description": "The owner. It must be the subject of the token.",
    "example": "ada",
    "schema": {"type": "string", "pattern": f"^{OWNER_PATTERN}$"},
}

HOST_CACHE_SIZE = 64
"""The number of `Host` values whose check is cached. A check takes as long as routing."""


class _Application(Flask):
    """Flask without redirects, which would send the token again, and without static files."""

    json_provider_class = EntityJSONProvider
    request_class = ApiRequest

    def __init__(self) -> None:
        super().__init__(__name__, static_folder=None)
        self.url_map.merge_slashes = False

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return an adapter that matches path and method, and ignores `Upgrade`."""
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
        """Return the view itself, as no view is async."""
        return func

    def make_default_options_response(self) -> Response:
        """Return the 204 to OPTIONS, with `Allow` and `Accept-Patch` (RFC 5789, section 3.1)."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        rule = current_request().url_rule
        if media_types := patch_media_types(self, rule.rule if rule else ""):
            response.headers["Accept-Patch"] = ", ".join(media_types)
        return response


@lru_cache(HOST_CACHE_SIZE)
def _require_host(host: str) -> None:
    """Raise `BadHost` (400) if `host` is not a valid host name (RFC 9112, section 3.2)."""
    Map().bind(get_host({"HTTP_HOST": host, "wsgi.url_scheme": "http"}))


def reject_ambiguous_slashes() -> None:
    """Return 404 for a path with an encoded slash (`%2F`) or two slashes at its start.

    Once `%2F` is decoded, the path would match another route.
    """
    environ = current_request().environ
    uri = environ.get("RAW_URI") or environ.get("REQUEST_URI", "")
    path, _, _ = uri.partition("?")
    if "%2f" in path.lower() or environ["PATH_INFO"].startswith("//"):
        abort(404)


def add_common_headers(response: Response) -> Response:
    """Add the headers of every response, and forbid shared caches to store those of the API."""
    request, headers = current_request(), response.headers
    headers.add("X-Request-Id", request.request_id)
    headers.add("X-Content-Type-Options", "nosniff")
    if "Allow" in headers:
        headers["Allow"] = ", ".join(sorted(response.allow))
    if request.path.startswith("/api/"):
        headers.add("Cache-Control", "private, no-cache")
        headers.add("Vary", "Authorization")
    return response


def http_application(
    authenticate: Authenticate,
    open_workspace: OpenWorkspace,
    probes: Mapping[str, Probe],
    *,
    require_if_match: bool = False,
    trash_days: int = DEFAULT_TRASH_DAYS,
    origins: Collection[str] = (),
    headers: Collection[str] = (),
    proxies: int = 0,
    limits: RateLimits | None = None,
    metrics: Metrics = NO_METRICS,
) -> Flask:
    """Return the application that serves `open_workspace` to authenticated users.

    `origins` are the allowed CORS origins, `headers` additional allowed request
    headers. Tasks stay in the trash for `trash_days`. `proxies` is the number of trusted
    reverse proxies whose `X-Forwarded-*` headers are used. Without `limits` no rate limit
    applies.
    """
    app = _Application()
    app.wsgi_app = RequestTelemetry(app.wsgi_app, metrics)  # type: ignore[method-assign]
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, proxies, proxies, proxies, proxies, proxies)  # type: ignore[method-assign]
    enable_cors(app, origins, headers)
    app.config[preconditions.REQUIRE_IF_MATCH] = require_if_match
    app.config[trash.TRASH_DAYS] = trash_days
    Services(authenticate, open_workspace).install(app)
    if limits is not None:
        limits.install(app)
    app.extensions[health.PROBES] = probes
    app.before_request(reject_ambiguous_slashes)
    app.after_request(add_common_headers)
    app.register_error_handler(ProblemError, on_problem_error)
    app.register_error_handler(TaskServiceError, on_service_error)
    app.register_error_handler(Exception, on_unexpected_error)
    api = create_api(app)
    for module in (tasks, history, trash, batch, lists, labels, summary, changes):
        api.register_blueprint(module.blueprint, parameters=[USER_ID_PARAMETER])
    api.register_blueprint(health.blueprint)
    app.register_blueprint(public_pages.pages(api.spec.to_dict()))
    return app
