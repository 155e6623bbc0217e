"""The service one day: each object that its API answers has members that no document names."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug import Response

from taskservice.wsgi import app as today

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

MEMBERS = {
    "added_text": "new",
    "added_number": 1,
    "added_null": None,
    "added_list": [{"a": 1}],
    "added_object": {"a": None},
}


def grown(value: Any) -> Any:
    """Return JSON in which every object has the new members."""
    if isinstance(value, list):
        return [grown(one) for one in value]
    if isinstance(value, dict):
        return {name: grown(one) for name, one in value.items()} | MEMBERS
    return value


def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Answer as the service does, with members added; the document stays as it is."""
    answer = Response.from_app(today, environ)
    if answer.is_json and environ["PATH_INFO"].startswith("/api/"):
        answer.set_data(json.dumps(grown(answer.json)))
    return answer(environ, start_response)
