"""Tasks as JSON Lines: one task a line, as the API shows it."""

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

LINE_LIMIT = 256 * 1024
"""The longest line that is read, in bytes: twice what the longest task needs."""

# Controls that JSON leaves as they are, line separators, and the marks of UAX #9: a terminal
# obeys them. Within a string, the only place where they can stand, an escape means the same.
_escape = partial(
    re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]").sub,
    lambda found: f"\\u{ord(found[0]):04x}",
)

_is_id = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch


class BadLine(ValueError):
    """A line that is no task of the user. The message says why, and quotes nothing of it."""


class Line(NamedTuple):
    """One line of a file: its number from 1, and its octets without the end."""

    number: int
    octets: bytes
    size: int


def lines_of(file: BinaryIO) -> Iterator[Line]:
    """Yield the lines of `file` that are not blank; of one that is too long, the beginning.

    A byte order mark at the head of the file is passed over (RFC 8259, section 8.1).
    """
    number = 0
    while octets := file.readline(LINE_LIMIT + 1):
        number += 1
        size = len(octets)
        rest = octets
        while len(rest) > LINE_LIMIT and not rest.endswith(b"\n"):
            rest = file.readline(LINE_LIMIT + 1)
            size += len(rest)
        if number == 1:
            octets = octets.removeprefix(BOM_UTF8)
        if octets.strip():
            yield Line(number, octets.rstrip(b"\r\n"), size)


def write(task: Task) -> bytes:
    """Return `task` as a line, with its end, that does nothing to a terminal that shows it."""
    line = orjson.dumps(task, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    return _escape(line.decode()).encode()


def read(octets: bytes, owner: str) -> Task:
    """Return the task of `owner` that a line holds. Raises `BadLine` with every fault."""
    if len(octets) > LINE_LIMIT:
        raise BadLine(f"it is longer than {LINE_LIMIT} bytes")
    task = Task(**_fields(_members(octets)))
    if task.user_id != owner:
        raise BadLine("user_id is another user")
    try:
        validate(task)
    except InvalidTask as error:
        raise BadLine(str(error)) from None
    return task


def _members(octets: bytes) -> Mapping[str, Any]:
    try:
        members = strict_json.loads(octets)
    except strict_json.MalformedJson as error:
        raise BadLine(f"it is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise BadLine("it is not a JSON object")
    missing = [f"{name} is missing" for name in _READERS if name not in members]
    if faults := missing + ["it has a member that no task has"] * bool(members.keys() - _READERS):
        raise BadLine("; ".join(faults))
    return members


def _fields(members: Mapping[str, Any]) -> dict[str, Any]:
    values, faults = {}, []
    for name, reader in _READERS.items():
        try:
            values[name] = reader(members[name])
        except ValueError as error:
            faults.append(f"{name} {error}")
    if faults:
        raise BadLine("; ".join(faults))
    return values


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _id(value: Any) -> UUID:
    if not _is_id(_text(value)):
        raise ValueError("must be a UUID")
    return UUID(value)


def _moment(value: Any) -> datetime:
    return parse_timestamp(_text(value), exact=True)


def _or_null(reader: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else reader(value)


_READERS: dict[str, Callable[[Any], Any]] = {
    "id": _id,
    "user_id": _text,
    "title": _text,
    "description": _or_null(_text),
    "completed": _flag,
    "completed_at": _or_null(_moment),
    "created_at": _moment,
    "updated_at": _moment,
    "version": _number,
}
