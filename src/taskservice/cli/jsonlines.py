"""Entities as JSON Lines: one per line, in the API's format, with the name of its type."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO, NamedTuple

import orjson

from taskservice import strict_json
from taskservice.core.entity import Entity
from taskservice.core.errors import InvalidEntity
from taskservice.core.fields import fields_of
from taskservice.core.task import Task
from taskservice.core.workspace import entity_type

MAX_LINE_BYTES = 256 * 1024
"""Twice the length of the longest task."""

# Control characters that JSON does not escape, line separators and bidirectional formatting
# characters (UAX #9): a terminal interprets them. They occur only inside strings.
_escape = partial(
    re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]").sub,
    lambda match: f"\\u{ord(match[0]):04x}",
)


class InvalidLine(ValueError):
    """A line is no entity of the user. The message gives the reason and quotes no content."""


class Line(NamedTuple):
    """One line of a file: its number from 1, its octets without line end, its size in bytes."""

    number: int
    octets: bytes
    size: int


class Parsed(NamedTuple):
    """The entity of a line, and the names of its members that this version does not know."""

    entity: Entity
    unknown: frozenset[str]


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Yield the lines of `file` that are not blank; truncate lines that are too long.

    A byte order mark at the start of the file is skipped (RFC 8259, section 8.1).
    """
    number = 0
    while octets := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        size = len(octets)
        rest = octets
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES + 1)
            size += len(rest)
        if number == 1:
            octets = octets.removeprefix(BOM_UTF8)
        if octets.strip():
            yield Line(number, octets.rstrip(b"\r\n"), size)


def format_entity(entity: Entity) -> bytes:
    """Return `entity` as a line with its end, without characters that a terminal interprets."""
    line = orjson.dumps(entity, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    typed = f'{{"type":"{entity.type_name}",{line.decode().removeprefix("{")}'
    return _escape(typed).encode()


def parse_entity(octets: bytes, owner: str) -> Parsed:
    """Return the entity of `owner` in a line of any version. Raises `InvalidLine` with every error.

    A line without a type is a task. A field that is newer than the line has its default.
    """
    if len(octets) > MAX_LINE_BYTES:
        raise InvalidLine(f"it is longer than {MAX_LINE_BYTES} bytes")
    members = _members(octets)
    kind = entity_type(members.pop("type", Task.type_name))
    if kind is None:
        raise InvalidLine("this version does not know its type")
    try:
        entity = kind.load(members)
        if entity.user_id != owner:
            raise InvalidLine("user_id is not this user")
        entity.validate()
    except InvalidEntity as error:
        raise InvalidLine(str(error)) from None
    return Parsed(entity, frozenset(members.keys() - fields_of(kind).keys()))


def _members(octets: bytes) -> dict[str, Any]:
    try:
        members = strict_json.loads(octets)
    except strict_json.MalformedJson as error:
        raise InvalidLine(f"it is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise InvalidLine("it is not a JSON object")
    return members
