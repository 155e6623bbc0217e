"""The current request, with the state that later steps of it read."""

import re
from functools import cached_property
from random import getrandbits
from typing import Any
from urllib.parse import quote

from flask import Request
from flask import request as flask_request

from taskservice.adapters.http.protocol.etags import ETags
from taskservice.adapters.http.protocol.path_prefix import (
    PATH_SAFE_CHARACTERS,
    normalize_path_prefix,
)
from taskservice.core.authentication import Caller
from taskservice.core.operations.metrics import WriteOutcome
from taskservice.core.operations.rate_limits import RateLimitStatus
from taskservice.core.workspace import Workspace

BODY_LIMIT = 192 * 1024
"""The maximum size of a request body, in bytes. It fits any JSON spelling of the largest task."""

BATCH_BODY_LIMIT = 256 * 1024
"""The maximum size of the body of a batch, in bytes."""

_is_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


class ApiRequest(Request):
    """A request, and the state that each step stores on it for the steps that follow."""

    max_content_length = None
    """Disables Flask's own limit, which costs a lookup for each body. `body_limit` applies."""
    body_limit: int = BODY_LIMIT
    """The maximum size of the body, in bytes."""
    path_user: str
    """The user in the path."""
    caller: Caller
    """The authenticated caller. Set once its owner equals `path_user`."""
    rate_limit_status: RateLimitStatus | None = None
    """The owner's remaining rate limit."""
    if_match_etags: ETags | None = None
    """The entity tags of `If-Match`."""
    if_none_match_etags: ETags | None = None
    """The entity tags of `If-None-Match`."""
    idempotency_key: str | None = None
    """The `Idempotency-Key`."""
    body: bytes = b""
    """The body, if it was read."""
    workspace: Workspace | None = None
    """The workspace, while the whole request is one transaction."""
    entity: object = None
    """The entity in the response: a task or a page of tasks."""
    location: str | None = None
    """The path of the entity in the response, if it is another one than that of the request."""
    next_cursor: str | None = None
    """The cursor of the next page of the list in the response, if there is one."""
    replayed: bool = False
    """Whether the response repeats that of an earlier request with the same key."""
    outcome: WriteOutcome | None = None
    """The outcome of a write that failed, if the service knows it."""
    unexpected_error: Exception | None = None
    """The exception that no error handler expects."""

    @property
    def owner(self) -> str:
        """The owner whose tasks are read or written: that of the caller."""
        return self.caller.owner

    @cached_property
    def log_context(self) -> dict[str, Any]:
        """Additional fields of the log record for this request. Nothing else reads them."""
        return {}

    @cached_property
    def request_id(self) -> str:
        """The client's `X-Request-Id` if it is valid, else a generated id. It is not secret."""
        request_id = self.headers.get("X-Request-Id", "")
        return request_id if _is_request_id(request_id) else _new_request_id()

    @property
    def path_prefix(self) -> str:
        """The path prefix of the service as a URI reference, or `""`."""
        return normalize_path_prefix(self.root_path) if self.root_path else ""

    @property
    def encoded_path(self) -> str:
        """The path of this request, with the prefix, as a URI reference."""
        return self.path_prefix + quote(self.path, safe=PATH_SAFE_CHARACTERS)


_proxy: Any = flask_request


def current_request() -> ApiRequest:
    """Return the current request itself, because each access through Flask's proxy is slow."""
    request: ApiRequest = _proxy._get_current_object()
    return request


def _new_request_id() -> str:
    # `secrets` makes a system call, which releases the interpreter lock to another thread.
    return f"{getrandbits(128):032x}"
