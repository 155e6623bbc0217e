"""Public pages: the front page, the OpenAPI document, the API reference, the problem types."""

from typing import Any

import orjson
from flask import Blueprint, Response, abort, render_template

from taskservice import __version__
from taskservice.adapters.http.pages import assets
from taskservice.adapters.http.protocol.problems import PROBLEM_TYPES
from taskservice.adapters.http.protocol.request import current_request

_CONTENT_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def pages(openapi: dict[str, Any]) -> Blueprint:
    """Return the blueprint of the public pages, which serves the document `openapi`.

    No page uses the database. Links are relative, so that they work under a path prefix.
    """
    blueprint = Blueprint("reference", __name__, template_folder="templates", static_folder=None)
    encoded = _to_json(openapi)

    # An empty path is equivalent to "/" (RFC 9110, section 4.2.3), so it is not redirected.
    @blueprint.get("/", strict_slashes=False)
    def front() -> Response:
        return _html_response("front.html", version=__version__, info=openapi["info"])

    @blueprint.get("/openapi.json")
    def openapi_document() -> Response:
        prefix = current_request().path_prefix
        document = _to_json(_with_server_url(prefix, openapi)) if prefix else encoded
        return _revalidated_response(document, "application/json")

    @blueprint.get("/docs")
    def docs() -> Response:
        return _html_response("docs.html")

    @blueprint.get("/docs/<name>")
    def asset(name: str) -> Response:
        return assets.asset(name)

    @blueprint.get("/problems/<name>")
    def problem(name: str) -> Response:
        if name not in PROBLEM_TYPES:
            abort(404)
        return _html_response("problem.html", name=name, problem=PROBLEM_TYPES[name])

    return blueprint


def _to_json(openapi: dict[str, Any]) -> bytes:
    return orjson.dumps(openapi, option=orjson.OPT_INDENT_2)


def _with_server_url(prefix: str, openapi: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a service under the path prefix of a trusted proxy."""
    servers = [server | {"url": prefix} for server in openapi["servers"]]
    return openapi | {"servers": servers}


def _html_response(template: str, **context: Any) -> Response:
    text = render_template(template, asset=assets.asset_url, **context)
    response = _revalidated_response(text, "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CONTENT_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _revalidated_response(content: str | bytes, content_type: str) -> Response:
    """Return a response with an ETag, which caches must revalidate."""
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return assets.conditional_response(response)
