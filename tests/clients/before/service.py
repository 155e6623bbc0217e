"""The service with the OpenAPI document of the version before tasks recurred."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug import Response

from taskservice.wsgi import app as today

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DOCUMENT = Path(__file__).with_name("openapi.json").read_bytes()


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer as the service does, except for the document."""
    if environ["PATH_INFO"] == "/openapi.json":
        return Response(DOCUMENT, mimetype="application/json")(environ, start_response)
    return today(environ, start_response)
