"""Conditional requests (RFC 9110, section 13): what the caller has seen decides what happens."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from flask import current_app, g, request

from taskservice.adapters.http.problems import Refused
from taskservice.core.conditions import Guard, at_version
from taskservice.core.task import Task

CHANGES = {"PUT", "PATCH", "DELETE"}
READS = {"GET", "HEAD"}

REQUIRED = "TASKSERVICE_REQUIRE_IF_MATCH"

_tag = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"').match
_separator = re.compile(r"[ \t]*(?:,[ \t]*)+").match
_version = re.compile(r"[1-9][0-9]{0,18}").fullmatch


class Tag(NamedTuple):
    """An entity tag (RFC 9110, section 8.8.3)."""

    weak: bool
    opaque: str


ANY: tuple[Tag, ...] = ()
"""What `*` means: any tag, as long as there is a task. No list of tags is empty."""


def read_conditions() -> None:
    """Read the conditions of this request, before anything is opened. Raises `Refused` (400)."""
    method = request.method
    g.if_match = _tags("If-Match") if method in CHANGES else None
    g.if_none_match = _tags("If-None-Match") if method in READS else None


def precondition(*, may_be_demanded: bool = True) -> Guard | None:
    """Return what `If-Match` asks of the task (strong comparison), None where it asks nothing."""
    tags: tuple[Tag, ...] | None = g.if_match
    if tags is None:
        return _demand if may_be_demanded and current_app.config[REQUIRED] else None
    if tags == ANY:
        return None
    return at_version({int(tag.opaque) for tag in tags if not tag.weak and _version(tag.opaque)})


def is_unmodified(task: Task) -> bool:
    """Tell whether `If-None-Match` names the task as it is (weak comparison)."""
    tags: tuple[Tag, ...] | None = g.if_none_match
    return tags is not None and (tags == ANY or f"{task.version}" in {tag.opaque for tag in tags})


def _demand(_: Task) -> None:
    raise Refused("precondition-required", "say with If-Match which version of the task is meant")


def _tags(name: str) -> tuple[Tag, ...] | None:
    value = request.headers.get(name)
    if value is None:
        return None
    if value.strip(" \t") == "*":
        return ANY
    try:
        return tuple(parse_tags(value))
    except ValueError:
        raise Refused("malformed-request", f'{name} must be * or quoted tags, as in "1"') from None


def parse_tags(value: str) -> Iterator[Tag]:
    """Yield the tags of a list, one or more (RFC 9110, section 8.8.3), or raise `ValueError`."""
    rest = value.strip(" \t,")
    while True:
        match = _tag(rest)
        if match is None:
            raise ValueError
        yield Tag(weak=match[1] is not None, opaque=match[2])
        rest = rest[match.end() :]
        if not rest:
            return
        separator = _separator(rest)
        if separator is None:
            raise ValueError
        rest = rest[separator.end() :]
