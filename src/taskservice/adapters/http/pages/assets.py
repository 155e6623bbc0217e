"""The files of the pages: from this package and its wheels, kept by browsers until they change."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import flask_swagger_ui
from flask import Response, abort, request, send_from_directory

from taskservice.adapters.http.protocol.preconditions import require_etag
from taskservice.adapters.http.protocol.problems import ProblemError

KEPT = "public, max-age=31536000, immutable"
"""A year: an address that carries the digest of what is there can never be out of date."""

_OURS = Path(__file__).with_name("static")
_SWAGGER_UI = Path(flask_swagger_ui.__file__).with_name("dist")
_FOLDERS = {
    **dict.fromkeys(("icon.svg", "page.css", "ready.js", "reference.css", "start.js"), _OURS),
    **dict.fromkeys(("swagger-ui.css", "swagger-ui-bundle.js"), _SWAGGER_UI),
}


def address(name: str) -> str:
    """Return where the file `name` is, from the root of the service, with its digest."""
    return f"docs/{name}?v={_digest(name)}"


def asset(name: str) -> Response:
    """Return a file, whole, or 304 to who holds it; 404 where there is none of that name."""
    if name not in _FOLDERS:
        abort(404)
    response = send_from_directory(_FOLDERS[name], name, conditional=False)
    if request.args.get("v") == _digest(name):
        response.headers["Cache-Control"] = KEPT
    return unless_held(response)


def unless_held(response: Response) -> Response:
    """Return the response, or 304 to who holds it; ranges and dates are passed over.

    The framework takes both for what they should be, and fails where they are not.
    Raises `ProblemError` (412) where `If-Match` names something else.
    """
    opaque, _ = response.get_etag()
    try:
        require_etag(opaque or "")
    except ProblemError:
        response.close()
        raise
    heeded = {
        "REQUEST_METHOD": request.method,
        "HTTP_IF_NONE_MATCH": request.headers.get("If-None-Match", ""),
    }
    response.make_conditional(heeded)
    return response


@cache
def _digest(name: str) -> str:
    return sha256((_FOLDERS[name] / name).read_bytes()).hexdigest()[:16]
