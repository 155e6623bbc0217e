"""What ties an answer to its request: the request id, the address, and what is noted on the way."""

import re
from random import getrandbits
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import g, request

_is_request_id = re.compile(r"[A-Za-z0-9._-]{1,64}").fullmatch


def request_id() -> str:
    """Return this request's id: the caller's `X-Request-Id` where it is fit, else a new one.

    It tells requests apart, and is no secret.
    """
    known: str | None = g.get("request_id")
    if known is None:
        given = request.headers.get("X-Request-Id", "")
        known = g.request_id = given if _is_request_id(given) else _new_id()
    return known


def _new_id() -> str:
    # A system call for better randomness would hand the interpreter to another thread.
    return UUID(int=getrandbits(128), version=4).hex


def instance() -> str:
    """Return the path of this request as a URI reference."""
    return quote(f"{request.root_path}{request.path}", safe="/:@!$&'()*+,;=~")


def note(**fields: Any) -> None:
    """Have the log's line about this request say `fields`."""
    noted().update(fields)


def noted() -> dict[str, Any]:
    """Return what was noted of this request."""
    fields: dict[str, Any] = g.setdefault("noted", {})
    return fields
