"""Opaque cursors: encode the position of the next page, for one owner, filter and sort.

The digest detects an altered cursor and one of another list. It is not secret and
grants no access: the token alone decides whose tasks are read. A client that
computes a digest can reach any valid position of its own list, and nothing else.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from hashlib import blake2b
from typing import Any

import orjson

from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.core.fields import fields_of
from taskservice.core.query import Position, Query

PATTERN = "^[A-Za-z0-9_-]*$"
_DIGEST_BYTES = 16
_NUMBER_BYTES = 8
_MAX_NUMBER = 2**63 - 1
_FORM = b"taskservice 2"
"""Cursors of another form are refused, as those of another list."""


class BadCursor(ProblemError):
    """The cursor was altered, or it belongs to another list (400)."""

    def __init__(self) -> None:
        super().__init__("malformed-request", "the cursor does not belong to this list")


def encode(owner: str, query: Query[Any]) -> str:
    """Return the cursor of the page that `query` requests. `query.after` must be set."""
    assert query.after is not None
    fields = fields_of(query.entity_type)
    values = zip(query.sort.fields, query.after, strict=True)
    position = [fields[name].to_json(value) for name, value in values]
    return with_digest(owner, query, orjson.dumps(position))


def with_digest(owner: str, query: Query[Any], position: bytes) -> str:
    """Return the cursor with this JSON position."""
    return _seal(position, _content(owner, query, position))


def decode(cursor: str, owner: str, query: Query[Any]) -> Query[Any]:
    """Return `query`, continued at `cursor`. Raises `BadCursor`."""
    try:
        position = json.loads(urlsafe_b64decode(cursor + "==")[:-_DIGEST_BYTES])
        continued = replace(query, after=_parse_position(position, query))
        if encode(owner, continued) == cursor:
            return continued
    except (ValueError, RecursionError):
        pass
    raise BadCursor


def _parse_position(position: Any, query: Query[Any]) -> Position:
    """Return the position of an entity in the order of `query`. Raises `ValueError`."""
    if not isinstance(position, list) or len(position) != len(query.sort.fields):
        raise ValueError("not a position")
    fields = fields_of(query.entity_type)
    values = zip(query.sort.fields, position, strict=True)
    return tuple(fields[name].parse(value) for name, value in values)


def encode_number(owner: str, list_name: str, number: int) -> str:
    """Return the cursor of the page that begins at a number, in a list of numbered items."""
    return _seal(number.to_bytes(_NUMBER_BYTES, "big"), [owner, list_name, number])


def decode_number(cursor: str, owner: str, list_name: str) -> int:
    """Return the number of a cursor. Raises `BadCursor`."""
    try:
        number = int.from_bytes(urlsafe_b64decode(cursor + "==")[:_NUMBER_BYTES], "big")
    except ValueError:
        raise BadCursor from None
    if number > _MAX_NUMBER or encode_number(owner, list_name, number) != cursor:
        raise BadCursor
    return number


def _content(owner: str, query: Query[Any], position: bytes) -> list[Any]:
    """Return what was asked, except the limit. It has no filter that is not set."""
    return [owner, query.filters, [query.sort.field, query.sort.descending], position.hex()]


def _seal(position: bytes, content: list[Any]) -> str:
    """Return the cursor of a position, with a digest of the content that it belongs to."""
    text = json.dumps(content, default=str, sort_keys=True)
    digest = blake2b(text.encode(), digest_size=_DIGEST_BYTES, person=_FORM).digest()
    return urlsafe_b64encode(position + digest).rstrip(b"=").decode()
