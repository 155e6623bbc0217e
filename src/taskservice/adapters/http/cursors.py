"""Opaque cursors: where the next page begins, tied to the owner and the filter it was made for.

The digest finds what was altered or taken from another list. It is no secret
and grants nothing: whose tasks are read is decided by the token alone.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from hashlib import blake2b
from uuid import UUID

from taskservice.core.query import TaskQuery

_DIGEST_BYTES = 16


class BadCursor(ValueError):
    """The cursor was altered, or belongs to another list."""


def encode(owner: str, query: TaskQuery) -> str:
    """Return the cursor of the page that `query` asks for; `query.after` must be set."""
    assert query.after is not None
    position = query.after.bytes
    return urlsafe_b64encode(position + _digest(owner, query, position)).rstrip(b"=").decode()


def decode(cursor: str, owner: str, query: TaskQuery) -> TaskQuery:
    """Return `query`, going on where `cursor` says. Raises `BadCursor`."""
    try:
        after = UUID(bytes=urlsafe_b64decode(cursor + "==")[:-_DIGEST_BYTES])
        goes_on = replace(query, after=after)
        if encode(owner, goes_on) == cursor:
            return goes_on
    except ValueError:
        pass
    raise BadCursor


def _digest(owner: str, query: TaskQuery, position: bytes) -> bytes:
    bound_to = json.dumps([owner, query.completed, position.hex()]).encode()
    return blake2b(bound_to, digest_size=_DIGEST_BYTES, person=b"taskservice").digest()
