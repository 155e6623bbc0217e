"""Tasks as JSON Lines: one task per line, in the API's format."""

import re
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

import orjson

from taskservice import strict_json
from taskservice.core.errors import InvalidTask
from taskservice.core.owner_data import validate
from taskservice.core.task import Task
from taskservice.core.timestamps import parse_timestamp

MAX_LINE_BYTES = 256 * 1024
"""Twice the length of the longest task."""

# Control characters that JSON does not escape, line separators and bidirectional formatting
# characters (UAX #9): a terminal interprets them. They occur only inside strings.
_escape = partial(
    re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]").sub,
    lambda match: f"\\u{ord(match[0]):04x}",
)

_is_id = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch


class InvalidLine(ValueError):
    """A line is not a task of the user. The message gives the reason and quotes no content."""


class Line(NamedTuple):
    """One line of a file: its number from 1, its octets without line end, its size in bytes."""

    number: int
    octets: bytes
    size: int


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


def format_task(task: Task) -> bytes:
    """Return `task` as a line with its end, without characters that a terminal interprets."""
    line = orjson.dumps(task, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    return _escape(line.decode()).encode()


def parse_task(octets: bytes, owner: str) -> Task:
    """Return the task of `owner` in a line. Raises `InvalidLine` with every error."""
    if len(octets) > MAX_LINE_BYTES:
        raise InvalidLine(f"it is longer than {MAX_LINE_BYTES} bytes")
    task = Task(**_fields(_members(octets)))
    if task.user_id != owner:
        raise InvalidLine("user_id is not this user")
    try:
        validate(task)
    except InvalidTask as error:
        raise InvalidLine(str(error)) from None
    return task


def _members(octets: bytes) -> Mapping[str, Any]:
    try:
        members = strict_json.loads(octets)
    except strict_json.MalformedJson as error:
        raise InvalidLine(f"it is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise InvalidLine("it is not a JSON object")
    missing = [f"{name} is missing" for name in _PARSERS if name not in members]
    if errors := missing + ["it has an unknown member"] * bool(members.keys() - _PARSERS):
        raise InvalidLine("; ".join(errors))
    return members


def _fields(members: Mapping[str, Any]) -> dict[str, Any]:
    values, errors = {}, []
    for name, parse in _PARSERS.items():
        try:
            values[name] = parse(members[name])
        except ValueError as error:
            errors.append(f"{name} {error}")
    if errors:
        raise InvalidLine("; ".join(errors))
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _id(value: Any) -> UUID:
    if not _is_id(_text(value)):
        raise ValueError("must be a UUID")
    return UUID(value)


def _timestamp(value: Any) -> datetime:
    return parse_timestamp(_text(value), exact=True)


def _nullable(parse: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else parse(value)


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "user_id": _text,
    "title": _text,
    "description": _nullable(_text),
    "completed": _boolean,
    "completed_at": _nullable(_timestamp),
    "created_at": _timestamp,
    "updated_at": _timestamp,
    "version": _integer,
}
