"""Static assets: immutable in browser caches, with a digest in the URL (cache busting)."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import flask_swagger_ui
from flask import Response, abort, request, send_from_directory

from taskservice.adapters.http.protocol.preconditions import check_etag
from taskservice.adapters.http.protocol.problems import ProblemError

IMMUTABLE = "public, max-age=31536000, immutable"
"""For URLs with the current digest: one year, as such a URL never changes its content."""

_STATIC = Path(__file__).with_name("static")
_SWAGGER_UI = Path(flask_swagger_ui.__file__).with_name("dist")
_FOLDERS = {
    **dict.fromkeys(("icon.svg", "page.css", "ready.js", "reference.css", "start.js"), _STATIC),
    **dict.fromkeys(("swagger-ui.css", "swagger-ui-bundle.js"), _SWAGGER_UI),
}


def asset_url(name: str) -> str:
    """Return the URL of the file `name`, relative to the root of the service, with its digest."""
    return f"docs/{name}?v={_digest(name)}"


def asset(name: str) -> Response:
    """Return the file `name`, or 304 if the client has it, or 404 if it does not exist."""
    if name not in _FOLDERS:
        abort(404)
    response = send_from_directory(_FOLDERS[name], name, conditional=False)
    if request.args.get("v") == _digest(name):
        response.headers["Cache-Control"] = IMMUTABLE
    return conditional_response(response)


def conditional_response(response: Response) -> Response:
    """Return `response`, or 304 if `If-None-Match` matches its ETag.

    Ranges and dates are ignored, as Werkzeug fails on malformed ones. Raises
    `ProblemError` (412) if `If-Match` does not match.
    """
    opaque, _ = response.get_etag()
    try:
        check_etag(opaque or "")
    except ProblemError:
        response.close()
        raise
    environ = {
        "REQUEST_METHOD": request.method,
        "HTTP_IF_NONE_MATCH": request.headers.get("If-None-Match", ""),
    }
    response.make_conditional(environ)
    return response


@cache
def _digest(name: str) -> str:
    return sha256((_FOLDERS[name] / name).read_bytes()).hexdigest()[:16]
