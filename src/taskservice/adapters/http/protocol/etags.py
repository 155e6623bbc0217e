"""Entity tags (RFC 9110, section 8.8.3), and the lists of them that a condition holds."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_tag = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"').match
_separator = re.compile(r"[ \t]*(?:,[ \t]*)+").match


class ETag(NamedTuple):
    """An entity tag (RFC 9110, section 8.8.3)."""

    weak: bool
    opaque: str


ETags = tuple[ETag, ...]

ANY: ETags = ()
"""What `*` means: any tag, as long as there is a task. No list of tags is empty."""


def parse_condition(value: str) -> ETags:
    """Return what a condition names: a list of tags, or any. Raises `ValueError`."""
    return ANY if value.strip(" \t") == "*" else tuple(parse_etags(value))


def parse_etags(value: str) -> Iterator[ETag]:
    """Yield the tags of a list, one or more (RFC 9110, section 8.8.3), or raise `ValueError`."""
    rest = value.strip(" \t,")
    while True:
        match = _tag(rest)
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
