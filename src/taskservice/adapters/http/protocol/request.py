"""The request that is being answered, and what was found out about it on the way."""

import re
from functools import cached_property
from random import getrandbits
from typing import Any
from urllib.parse import quote

from flask import Request, request

from taskservice.adapters.http.protocol.etags import ETags
from taskservice.adapters.http.protocol.path_prefix import IN_PATHS, path_prefix
from taskservice.core.operations.rate_limits import RateLimitStatus

BODY_LIMIT = 192 * 1024
"""The longest body that is read, in bytes: any JSON spelling of what the fields allow fits."""

_is_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


class ApiRequest(Request):
    """A request, with what each step finds for those that follow, to its answer's last header."""

    max_content_length = None
    """None of Flask's, which it would look up at each body: `BODY_LIMIT` is the limit."""
    path_user: str
    """Whose tasks the path names."""
    caller: str
    """Who asks; missing until it is known that these are their tasks."""
    budget: RateLimitStatus | None = None
    """What the caller's rate limit has left."""
    must_match: ETags | None = None
    """What `If-Match` names."""
    must_not_match: ETags | None = None
    """What `If-None-Match` names."""
    key: str | None = None
    """The `Idempotency-Key`."""
    body: bytes = b""
    """The body, where it was read."""
    answer: object = None
    """The entity that the answer shows."""

    @cached_property
    def noted(self) -> dict[str, Any]:
        """What the log's line about this request says beside the usual."""
        return {}

    @cached_property
    def request_id(self) -> str:
        """The caller's `X-Request-Id` where it is fit, else a new one, to tell requests apart.

        It is no secret.
        """
        given = self.headers.get("X-Request-Id", "")
        return given if _is_request_id(given) else _new_id()

    @property
    def prefix(self) -> str:
        """What stands before the paths of this service, as a URI reference; `""` for nothing."""
        return path_prefix(self.root_path) if self.root_path else ""

    @property
    def address(self) -> str:
        """The path of this request as a URI reference."""
        return self.prefix + quote(self.path, safe=IN_PATHS)

    def note(self, **fields: Any) -> None:
        """Have the log's line about this request say `fields`."""
        self.noted.update(fields)


_proxy: Any = request


def exchange() -> ApiRequest:
    """Return the request that is being answered: itself, as each look through a proxy costs."""
    current: ApiRequest = _proxy._get_current_object()
    return current


def _new_id() -> str:
    # A system call for better randomness would hand the interpreter to another thread.
    return f"{getrandbits(128):032x}"
