"""The Flask application: blueprints, error handlers and standing headers, put together."""

from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, abort, request

from taskservice.adapters.http import conditions, health, reference, tasks
from taskservice.adapters.http.headers import add_standing_headers
from taskservice.adapters.http.identity import Doors
from taskservice.adapters.http.openapi import document
from taskservice.adapters.http.problems import Refused, on_defect, on_refused, on_service_error
from taskservice.adapters.http.rendering import EntityProvider
from taskservice.core.caller import Authenticate
from taskservice.core.errors import TaskServiceError
from taskservice.core.readiness import Probe
from taskservice.core.service import OpenTasks

USER_ID = {
    "in": "path",
    "name": "user_id",
    "required": True,
    "description": "The user whose tasks these are: the subject of the caller's token.",
    "example": "ada",
}


class _Application(Flask):
    """Flask, without what redirects a token or answers more than was asked."""

    json_provider_class = EntityProvider

    def __init__(self) -> None:
        super().__init__(__name__, static_folder=None)
        self.url_map.merge_slashes = False

    def ensure_sync(self, func: Any) -> Any:
        """Return the view: all are plain functions."""
        return func

    def make_default_options_response(self) -> Response:
        """Answer OPTIONS: the methods, and no body."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        return response


def refuse_encoded_slash() -> None:
    """Refuse a path whose `%2F` was decoded into a `/`: it would reach another handler."""
    path, _, _ = request.environ.get("RAW_URI", "").partition("?")
    if "%2f" in path.lower():
        abort(404)


def http_application(
    authenticate: Authenticate,
    open_tasks: OpenTasks,
    probes: Mapping[str, Probe],
    *,
    require_if_match: bool = False,
) -> Flask:
    """Return the application that serves `open_tasks` to whom `authenticate` knows."""
    app = _Application()
    app.config[conditions.REQUIRED] = require_if_match
    Doors(authenticate, open_tasks).install(app)
    app.extensions[health.PROBES] = probes
    app.before_request(refuse_encoded_slash)
    app.after_request(add_standing_headers)
    app.register_error_handler(Refused, on_refused)
    app.register_error_handler(TaskServiceError, on_service_error)
    app.register_error_handler(Exception, on_defect)
    api = document(app)
    api.register_blueprint(tasks.blueprint, parameters=[USER_ID])
    api.register_blueprint(health.blueprint)
    app.register_blueprint(reference.pages(api.spec.to_dict()))
    return app
