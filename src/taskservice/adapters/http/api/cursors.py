"""Opaque cursors: where the next page begins, tied to the owner, the filter and the sort.

The digest finds what was altered or taken from another list. It is no secret
and grants nothing: whose tasks are read is decided by the token alone. Whoever
computes it may write any position that a task can have, and no other.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from uuid import UUID

from taskservice.core.query import Position, SortField, TaskQuery
from taskservice.core.validation import check_title

PATTERN = "^[A-Za-z0-9_-]*$"
_DIGEST_BYTES = 16


class BadCursor(ValueError):
    """The cursor was altered, or belongs to another list."""


def encode(owner: str, query: TaskQuery) -> str:
    """Return the cursor of the page that `query` asks for; `query.after` must be set."""
    assert query.after is not None
    position = json.dumps(query.after, default=str, ensure_ascii=False).encode()
    return urlsafe_b64encode(position + _digest(owner, query, position)).rstrip(b"=").decode()


def decode(cursor: str, owner: str, query: TaskQuery) -> TaskQuery:
    """Return `query`, going on where `cursor` says. Raises `BadCursor`."""
    try:
        position = json.loads(urlsafe_b64decode(cursor + "==")[:-_DIGEST_BYTES])
        goes_on = replace(query, after=_read(position, query.sort.field))
        if encode(owner, goes_on) == cursor:
            return goes_on
    except (ValueError, RecursionError):
        pass
    raise BadCursor


def _read(position: Any, field: SortField) -> Position:
    """Return where a task can stand in a sort by `field`, or raise `ValueError`."""
    match field, position:
        case "created_at", [str(task_id)]:
            return (UUID(task_id),)
        case "updated_at", [str(text), str(task_id)]:
            return (_moment(text), UUID(task_id))
        case "title", [str(title), str(task_id)]:
            check_title(title)
            return (title, UUID(task_id))
    raise ValueError("not a position")


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() != timedelta(0):
        raise ValueError("not in UTC")
    return moment


def _digest(owner: str, query: TaskQuery, position: bytes) -> bytes:
    """Return the digest of all that a page depends on, but for its length."""
    filters = {
        name: value
        for name, value in vars(query).items()
        if name not in {"limit", "after", "counted", "sort"}
    }
    bound_to = json.dumps([owner, filters, vars(query.sort), position.hex()], default=str)
    return blake2b(bound_to.encode(), digest_size=_DIGEST_BYTES, person=b"taskservice").digest()
