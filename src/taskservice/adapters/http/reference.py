"""The pages for readers: the OpenAPI document, its reference page, and a page for each problem."""

from pathlib import Path
from typing import Any

import flask_swagger_ui
import orjson
from flask import Blueprint, Response, abort, render_template, request, send_from_directory

from taskservice.adapters.http.problems import PROBLEM_TYPES

DESCRIPTION = """\
Every user has their own tasks: create, list, read, update, complete and delete them.

- Send `Authorization: Bearer <token>`. The token's subject is the user, whose paths alone answer.
- Every error is `application/problem+json` (RFC 9457); its stable `type` leads to its explanation.
- Times are RFC 3339, in UTC, with microseconds. Ids are in order of creation.
- An update never blanks a field that it does not name.
"""

_ASSETS = Path(flask_swagger_ui.__file__).with_name("dist")
_SERVED = {"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"}
_CONTENT_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def pages(openapi: dict[str, Any]) -> Blueprint:
    """Return the public pages, serving the document `openapi`."""
    blueprint = Blueprint("reference", __name__, template_folder="templates", static_folder=None)
    written = orjson.dumps(openapi, option=orjson.OPT_INDENT_2)

    @blueprint.get("/openapi.json")
    def openapi_document() -> Response:
        return Response(written, content_type="application/json")

    @blueprint.get("/docs")
    def docs() -> Response:
        return _page("docs.html")

    @blueprint.get("/docs/<name>")
    def asset(name: str) -> Response:
        if name == "start.js":
            return _file(Path(__file__).with_name("static"), name)
        return _file(_ASSETS, name) if name in _SERVED else abort(404)

    @blueprint.get("/problems/<name>")
    def problem(name: str) -> Response:
        if name not in PROBLEM_TYPES:
            abort(404)
        return _page("problem.html", name=name, problem=PROBLEM_TYPES[name])

    return blueprint


def _file(folder: Path, name: str) -> Response:
    """Return a file, whole, or 304 to who holds it; ranges and dates are passed over.

    The framework takes both for what they should be, and fails where they are not.
    """
    heeded = {
        "REQUEST_METHOD": request.method,
        "HTTP_IF_NONE_MATCH": request.headers.get("If-None-Match", ""),
    }
    response = send_from_directory(folder, name, conditional=False)
    response.make_conditional(heeded)
    return response


def _page(template: str, **context: Any) -> Response:
    return Response(
        render_template(template, **context),
        content_type="text/html; charset=utf-8",
        headers={"Content-Security-Policy": _CONTENT_POLICY, "Referrer-Policy": "no-referrer"},
    )
