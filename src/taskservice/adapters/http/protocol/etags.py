"""Entity tags: parses `ETag` values and lists of them (RFC 9110, section 8.8.3)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_etag = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"').match
_separator = re.compile(r"[ \t]*(?:,[ \t]*)+").match


class ETag(NamedTuple):
    """An entity tag (RFC 9110, section 8.8.3)."""

    weak: bool
    opaque: str


ETags = tuple[ETag, ...]

ANY_ETAG: ETags = ()
"""The value of `*`, which matches any existing task. A parsed list is never empty."""


def parse_condition(value: str) -> ETags:
    """Return the entity tags of a condition, or `ANY_ETAG` for `*`. Raises `ValueError`."""
    return ANY_ETAG if value.strip(" \t") == "*" else tuple(parse_etags(value))


def parse_etags(value: str) -> Iterator[ETag]:
    """Yield the entity tags of a list with at least one. Raises `ValueError`."""
    rest = value.strip(" \t,")
    while True:
        match = _etag(rest)
        if match is None:
            raise ValueError
        yield ETag(weak=match[1] is not None, opaque=match[2])
        rest = rest[match.end() :]
        if not rest:
            return
        separator = _separator(rest)
        if separator is None:
            raise ValueError
        rest = rest[separator.end() :]
