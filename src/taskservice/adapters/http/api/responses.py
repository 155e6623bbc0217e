"""Writing answers: entities as JSON, and the headers that go with one task or a page of them."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import parse_http_list

import orjson
from flask import Response
from flask.json.provider import JSONProvider

from taskservice.adapters.http.api import cursors
from taskservice.adapters.http.protocol.authorization import caller
from taskservice.adapters.http.protocol.etags import ANY
from taskservice.adapters.http.protocol.fields import AnswerSchema
from taskservice.adapters.http.protocol.preconditions import READS, is_unmodified
from taskservice.adapters.http.protocol.request import ApiRequest, exchange
from taskservice.core.query import Page
from taskservice.core.task import Task

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.datastructures import Headers

COUNT_EXACT = "count=exact"


class EntitySchema(AnswerSchema):
    """Documents an entity. The JSON provider writes the entity itself, which is many times as fast.

    A test holds the two renderings equal.
    """

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return the entity as it is, and remember it for the headers."""
        exchange().answer = obj
        return obj.tasks if isinstance(obj, Page) else obj


class EntityResponse(Response):
    """An answer whose headers are right as they stand: nothing looks through a copy of them."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> "Headers":
        """Return the headers, which know the length, and whose addresses are URIs."""
        return self.headers


class EntityProvider(JSONProvider):
    """JSON by orjson, which knows dataclasses, UUIDs and times (RFC 3339, in UTC as `Z`)."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Return `obj` as JSON text."""
        return orjson.dumps(obj, option=orjson.OPT_UTC_Z).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Return the value of JSON text."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return an answer that holds its argument as JSON."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=orjson.OPT_UTC_Z)
        return EntityResponse(body, content_type="application/json")


def add_entity_headers(response: Response) -> Response:
    """Add what the answer's entity says in headers: `ETag`, `Location`, `Link`.

    What has no body has neither a type nor a length (RFC 9110, sections 8.6 and 15.4.5).
    """
    asked = exchange()
    match asked.answer:
        case Task() as task:
            _describe_task(asked, response, task)
        case Page() as page:
            _describe_page(asked, response, page)
    if "replayed" in asked.noted:
        response.headers["Idempotency-Replayed"] = "true"
    if response.status_code in {204, 304}:
        response.headers.remove("Content-Type")
        response.headers.remove("Content-Length")
    return response


def _describe_task(asked: ApiRequest, response: Response, task: Task) -> None:
    response.headers["ETag"] = f'"{task.version}"'
    if response.status_code == 201:
        response.headers["Location"] = f"{asked.address}/{task.id}"
    if asked.method in READS and is_unmodified(task):
        _not_modified(response)


def _describe_page(asked: ApiRequest, response: Response, page: Page) -> None:
    if asked.must_not_match == ANY:
        _not_modified(response)
        return
    if page.next is not None:
        parameters = {**asked.args, "cursor": cursors.encode(caller(), page.next)}
        response.headers["Link"] = f'<?{urlencode(parameters)}>; rel="next"'
    if page.total is not None:
        response.headers["X-Total-Count"] = str(page.total)
        response.headers["Preference-Applied"] = COUNT_EXACT


def _not_modified(response: Response) -> None:
    """Make `response` the 304, without a body, that a failed `If-None-Match` of a read is."""
    response.status_code = 304
    response.set_data(b"")


def prefers_count() -> bool:
    """Tell whether the caller prefers an exact count (RFC 7240, section 2)."""
    preferences = parse_http_list(exchange().headers.get("Prefer", "").lower())
    return any(_is_count(one.partition(";")[0]) for one in preferences)


def _is_count(preference: str) -> bool:
    """Tell whether this is an exact count; its value may be a token or a quoted string."""
    name, _, value = preference.partition("=")
    return name.strip() == "count" and value.strip() in {"exact", '"exact"'}
