"""Responses: writes entities as JSON, and adds the headers of an entity or a page."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import parse_http_list

import orjson
from flask import Response
from flask.json.provider import JSONProvider

from taskservice.adapters.http.api import cursors
from taskservice.adapters.http.protocol.etags import ANY_ETAG
from taskservice.adapters.http.protocol.preconditions import READ_METHODS, is_not_modified
from taskservice.adapters.http.protocol.request import ApiRequest, current_request
from taskservice.adapters.http.protocol.strict_fields import ResponseSchema
from taskservice.core.entity import Entity
from taskservice.core.query import Page

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.datastructures import Headers

COUNT_EXACT = "count=exact"


class EntitySchema(ResponseSchema):
    """Documents an entity. orjson serializes the entity itself, which is many times as fast.

    A test checks that both serializations are equal.
    """

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return the entity as it is, and store it on the request for the headers."""
        current_request().entity = obj
        return obj.items if isinstance(obj, Page) else obj


class EntityResponse(Response):
    """A response whose headers need no correction by Werkzeug, which would copy them."""

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> "Headers":
        """Return the headers, which already have the length and valid URIs."""
        return self.headers


class EntityJSONProvider(JSONProvider):
    """JSON by orjson, which supports dataclasses, UUIDs and datetimes (RFC 3339, UTC as `Z`)."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Return `obj` as JSON text."""
        return orjson.dumps(obj, option=orjson.OPT_UTC_Z).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Return the value of JSON text."""
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        """Return a response with the argument as its JSON body."""
        body = orjson.dumps(self._prepare_response_obj(args, kwargs), option=orjson.OPT_UTC_Z)
        return EntityResponse(body, content_type="application/json")


def add_entity_headers(response: Response) -> Response:
    """Add the headers of an entity or a list: `ETag`, `Location`, `Link` and those of a count.

    A response without a body has neither type nor length (RFC 9110, sections 8.6 and 15.4.5).
    """
    request = current_request()
    match request.entity:
        case Entity() as entity:
            _add_headers_of_entity(request, response, entity)
        case Page() as page:
            _add_headers_of_page(request, response, page)
        case list() if request.if_none_match_etags == ANY_ETAG:
            response.status_code = 304
    if request.next_cursor is not None and response.status_code == 200:
        parameters = {**request.args, "cursor": request.next_cursor}
        response.headers["Link"] = f'<?{urlencode(parameters)}>; rel="next"'
    if response.status_code in {204, 304}:
        response.set_data(b"")
        response.headers.remove("Content-Type")
        response.headers.remove("Content-Length")
    return response


def _add_headers_of_entity(request: ApiRequest, response: Response, entity: Entity) -> None:
    response.headers["ETag"] = f'"{entity.version}"'
    if response.status_code == 201:
        response.headers["Location"] = f"{request.encoded_path}/{entity.id}"
    elif request.location is not None:
        response.headers["Location"] = request.location
    if request.method in READ_METHODS and is_not_modified(entity):
        response.status_code = 304


def _add_headers_of_page(request: ApiRequest, response: Response, page: Page[Any]) -> None:
    if request.if_none_match_etags == ANY_ETAG:
        response.status_code = 304
        return
    if page.next is not None:
        request.next_cursor = cursors.encode(request.owner, page.next)
    if page.total is not None:
        response.headers["X-Total-Count"] = str(page.total)
        response.headers["Preference-Applied"] = COUNT_EXACT


def prefers_exact_count() -> bool:
    """Return whether the client prefers an exact count (RFC 7240, section 2)."""
    preferences = parse_http_list(current_request().headers.get("Prefer", "").lower())
    return any(_is_exact_count(one.partition(";")[0]) for one in preferences)


def _is_exact_count(preference: str) -> bool:
    """Return whether this is `count=exact`. The value may be a token or a quoted string."""
    name, _, value = preference.partition("=")
    return name.strip() == "count" and value.strip() in {"exact", '"exact"'}
