"""Opaque cursors: encode the position of the next page, for one owner, filter and sort.

The digest detects an altered cursor and one of another list. It is not secret and
grants no access: the token alone decides whose tasks are read. A client that
computes a digest can reach any valid position of its own list, and nothing else.
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
    """The cursor was altered, or it belongs to another list."""


def encode(owner: str, query: TaskQuery) -> str:
    """Return the cursor of the page that `query` requests. `query.after` must be set."""
    assert query.after is not None
    position = json.dumps(query.after, default=str, ensure_ascii=False).encode()
    return urlsafe_b64encode(position + _digest(owner, query, position)).rstrip(b"=").decode()


def decode(cursor: str, owner: str, query: TaskQuery) -> TaskQuery:
    """Return `query`, continued at `cursor`. Raises `BadCursor`."""
    try:
        position = json.loads(urlsafe_b64decode(cursor + "==")[:-_DIGEST_BYTES])
        continued = replace(query, after=_parse_position(position, query.sort.field))
        if encode(owner, continued) == cursor:
            return continued
    except (ValueError, RecursionError):
        pass
    raise BadCursor


def _parse_position(position: Any, field: SortField) -> Position:
    """Return the position of a task in a sort by `field`. Raises `ValueError`."""
    match field, position:
        case "created_at", [str(task_id)]:
            return (UUID(task_id),)
        case "updated_at", [str(text), str(task_id)]:
            return (_parse_utc(text), UUID(task_id))
        case "title", [str(title), str(task_id)]:
            check_title(title)
            return (title, UUID(task_id))
    raise ValueError("not a position")


def _parse_utc(text: str) -> datetime:
    timestamp = datetime.fromisoformat(text)
    if timestamp.utcoffset() != timedelta(0):
        raise ValueError("not in UTC")
    return timestamp


def _digest(owner: str, query: TaskQuery, position: bytes) -> bytes:
    """Return the digest of everything that a page depends on, except the limit."""
    filters = {
        name: value
        for name, value in vars(query).items()
        if name not in {"limit", "after", "with_total", "sort"}
    }
    content = json.dumps([owner, filters, vars(query.sort), position.hex()], default=str)
    return blake2b(content.encode(), digest_size=_DIGEST_BYTES, person=b"taskservice").digest()
