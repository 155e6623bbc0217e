"""Idempotency keys: reads `Idempotency-Key`, and runs a request once for each key.

The stored result is the response: a line of JSON with the form of the data, the status,
the headers and the type of the entity, if it is one; then the body.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson
from flask import Response
from werkzeug.datastructures import Headers

from taskservice.adapters.http.protocol.authorization import atomic_workspace
from taskservice.adapters.http.protocol.bodies import read_body
from taskservice.adapters.http.protocol.problems import RETRY_AFTER_HEADER, ProblemError
from taskservice.adapters.http.protocol.request import ApiRequest, current_request
from taskservice.core.entity import FORM, Entity
from taskservice.core.errors import InvalidEntity
from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.task import Task
from taskservice.core.workspace import entity_type

KEY_LIMIT = 255
RESULT_LIMIT = 1024 * 1024
"""The maximum size of a stored response, in bytes."""

WRITE_METHODS = {"POST", "PUT", "PATCH", "DELETE"}

View = Callable[..., Response]
Finish = Callable[[Response], Response]

# A server joins repeated headers with a comma.
_is_key = re.compile(rf"[\x20-\x2b\x2d-\x7e]{{1,{KEY_LIMIT}}}").fullmatch


def read_idempotency_key() -> None:
    """Read the key of a write, and the body of a write with a key, which belongs to the request.

    Raises `ProblemError`: 400 for the key, 413 or 400 for the body.
    """
    request = current_request()
    key = request.headers.get("Idempotency-Key") if request.method in WRITE_METHODS else None
    if key is None:
        return
    if not _is_key(key):
        raise ProblemError(
            "malformed-request",
            f"Idempotency-Key must be given once, as 1 to {KEY_LIMIT} printable ASCII characters "
            "without a comma",
        )
    request.idempotency_key = key
    request.body = read_body(request)


def run_once(view: View, finish: Finish, render: Callable[[Entity | None], Response]) -> View:
    """Return `view`, which runs once for each idempotency key; a retry gets the first response.

    The view and its record are one transaction. It is called after the values of the
    request were checked. `finish` completes the response of the view, and `render`
    is the response of the operation to an entity.
    """

    @wraps(view)
    def view_once(*args: Any, **kwargs: Any) -> Response:
        request = current_request()
        if request.idempotency_key is None:
            return finish(view(*args, **kwargs))
        key = IdempotencyKey(request.idempotency_key, _fingerprint(request))
        with atomic_workspace() as workspace:
            result = begin(workspace.idempotency, key)
            if result is None:
                response = finish(view(*args, **kwargs))
                workspace.idempotency.complete(key.key, _checked(_store(response)))
                return response
        request.replayed = True
        return _replay(_read(result), finish, render)

    return view_once


def _fingerprint(request: ApiRequest) -> bytes:
    """Return the fingerprint of method, path, query and body."""
    query = f"?{request.query_string.decode('latin-1')}" if request.query_string else ""
    content = f"{request.method}\n{request.path}{query}\n".encode() + request.body
    return blake2b(content, digest_size=32).digest()


class _Stored(NamedTuple):
    """A stored response. Form 1 has neither status nor headers."""

    form: int
    body: bytes
    status: int | None = None
    headers: Sequence[tuple[str, str]] = ()
    entity: str | None = None


def _store(response: Response) -> bytes:
    """Return a response as the result of a key."""
    entity = current_request().entity
    head = {
        "form": FORM,
        "status": response.status_code,
        "headers": [one for one in response.headers if one[0] != "Content-Length"],
        "entity": entity.type_name if isinstance(entity, Entity) else None,
    }
    return orjson.dumps(head) + b"\n" + response.get_data()


def _checked(result: bytes) -> bytes:
    """Return a result. Raises `ProblemError` (413) if it is too large."""
    if len(result) > RESULT_LIMIT:
        detail = f"the response is larger than {RESULT_LIMIT:,} bytes: send fewer commands"
        raise ProblemError("body-too-large", detail)
    return result


def _read(result: bytes) -> _Stored:
    """Return the response that was stored. Raises `ProblemError` (409) if it cannot be read."""
    head, _, body = result.partition(b"\n")
    with suppress(orjson.JSONDecodeError, TypeError):
        members = orjson.loads(head)
        if members == {"form": 1}:
            return _Stored(1, body, entity=Task.type_name if body else None)
        stored = _Stored(body=body, **members)
        if stored.form <= FORM:
            return stored
    raise _unreadable()


def _replay(
    stored: _Stored, finish: Finish, render: Callable[[Entity | None], Response]
) -> Response:
    """Return the response again, with the members that responses have now."""
    if stored.form < FORM and (stored.form == 1 or stored.entity):
        current_request().location = dict(stored.headers).get("Location")
        response = render(_load(stored))
        response.status_code = stored.status or response.status_code
        response = finish(response)
    else:
        response = Response(stored.body, stored.status)
        response.headers = Headers(stored.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _load(stored: _Stored) -> Entity | None:
    """Return the entity of a response, None if it has none. Raises `ProblemError` (409)."""
    kind = entity_type(stored.entity) if stored.entity else None
    try:
        return kind.load(orjson.loads(stored.body)) if kind else None
    except (orjson.JSONDecodeError, InvalidEntity):
        raise _unreadable() from None


def _unreadable() -> ProblemError:
    detail = "the response to this idempotency key was stored by another version of the service"
    return ProblemError("key-in-use", detail, headers=RETRY_AFTER_HEADER)
