"""Conditional requests (RFC 9110, section 13): what the caller has seen decides what happens."""

import re

from flask import current_app

from taskservice.adapters.http.exchange import Exchange, exchange
from taskservice.adapters.http.problems import Refused
from taskservice.adapters.http.tags import ANY, Tags, read_tags
from taskservice.core.conditions import Guard, at_version
from taskservice.core.task import Task

CHANGES = {"PUT", "PATCH", "DELETE"}
READS = {"GET", "HEAD"}

REQUIRED = "TASKSERVICE_REQUIRE_IF_MATCH"

_version = re.compile(r"[1-9][0-9]{0,18}").fullmatch


def read_conditions() -> None:
    """Read the conditions of this request, before anything is opened. Raises `Refused` (400)."""
    asked = exchange()
    if asked.method in CHANGES:
        asked.condition = _tags(asked, "If-Match")
    elif asked.method in READS:
        asked.condition = _tags(asked, "If-None-Match")


def precondition(*, may_be_demanded: bool = True) -> Guard | None:
    """Return what `If-Match` asks of the task (strong comparison), None where it asks nothing."""
    tags = exchange().condition
    if tags is None:
        return _demand if may_be_demanded and current_app.config[REQUIRED] else None
    if tags == ANY:
        return None
    return at_version({int(tag.opaque) for tag in tags if not tag.weak and _version(tag.opaque)})


def is_unmodified(task: Task) -> bool:
    """Tell whether `If-None-Match` names the task as it is (weak comparison)."""
    tags = exchange().condition
    return tags is not None and (tags == ANY or f"{task.version}" in {tag.opaque for tag in tags})


def _demand(_: Task) -> None:
    raise Refused("precondition-required", "say with If-Match which version of the task is meant")


def _tags(asked: Exchange, name: str) -> Tags | None:
    value = asked.headers.get(name)
    try:
        return None if value is None else read_tags(value)
    except ValueError:
        raise Refused("malformed-request", f'{name} must be * or quoted tags, as in "1"') from None
