"""The pages for readers: the front page, the OpenAPI document, its reference, each problem."""

from typing import Any

import orjson
from flask import Blueprint, Response, abort, render_template

from taskservice import __version__
from taskservice.adapters.http.pages import assets
from taskservice.adapters.http.protocol.problems import PROBLEM_TYPES
from taskservice.adapters.http.protocol.request import exchange

_CONTENT_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def pages(openapi: dict[str, Any]) -> Blueprint:
    """Return the public pages, serving the document `openapi`.

    None of them looks at the database: whoever scans addresses neither waits
    for one nor wakes it. What they name is relative, and so found behind a
    prefix too.
    """
    blueprint = Blueprint("reference", __name__, template_folder="templates", static_folder=None)
    written = _written(openapi)

    # An absolute address without a path is that of "/" (RFC 9110, 4.2.3), with no redirect to it.
    @blueprint.get("/", strict_slashes=False)
    def front() -> Response:
        return _page("front.html", version=__version__, info=openapi["info"])

    @blueprint.get("/openapi.json")
    def openapi_document() -> Response:
        prefix = exchange().prefix
        document = _written(_served_under(prefix, openapi)) if prefix else written
        return _revalidated(document, "application/json")

    @blueprint.get("/docs")
    def docs() -> Response:
        return _page("docs.html")

    @blueprint.get("/docs/<name>")
    def asset(name: str) -> Response:
        return assets.asset(name)

    @blueprint.get("/problems/<name>")
    def problem(name: str) -> Response:
        if name not in PROBLEM_TYPES:
            abort(404)
        return _page("problem.html", name=name, problem=PROBLEM_TYPES[name])

    return blueprint


def _written(openapi: dict[str, Any]) -> bytes:
    return orjson.dumps(openapi, option=orjson.OPT_INDENT_2)


def _served_under(prefix: str, openapi: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a service that a trusted proxy has put under `prefix`."""
    servers = [server | {"url": prefix} for server in openapi["servers"]]
    return openapi | {"servers": servers}


def _page(template: str, **context: Any) -> Response:
    text = render_template(template, asset=assets.address, **context)
    response = _revalidated(text, "text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _CONTENT_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _revalidated(content: str | bytes, content_type: str) -> Response:
    """Return an answer that is kept, and asked for again: 304 as long as it is the same."""
    response = Response(content, content_type=content_type)
    response.headers["Cache-Control"] = "no-cache"
    response.add_etag()
    return assets.unless_held(response)
