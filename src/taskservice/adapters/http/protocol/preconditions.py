"""Preconditions (RFC 9110, section 13): what the caller has seen decides what happens.

Those by date are ignored, as no date of a modification is served (section 13.1.3).
"""

import re
from collections.abc import Iterable

from flask import current_app

from taskservice.adapters.http.protocol.etags import ANY, ETag, ETags, parse_condition
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import exchange
from taskservice.core.preconditions import (
    Precondition,
    at_version,
    both,
    must_not_exist,
    not_at_version,
)
from taskservice.core.task import Task

READS = {"GET", "HEAD"}
SELECTING = {*READS, "POST", "PUT", "PATCH", "DELETE"}
"""Methods that select a representation: preconditions mean nothing to others (section 13.2.1)."""

REQUIRED = "TASKSERVICE_REQUIRE_IF_MATCH"

_version = re.compile(r"[1-9][0-9]{0,18}").fullmatch


def read_preconditions() -> None:
    """Read the preconditions, before anything is opened. Raises `ProblemError` (400)."""
    asked = exchange()
    if asked.method in SELECTING:
        asked.must_match = _tags(asked.environ.get("HTTP_IF_MATCH"), "If-Match")
        asked.must_not_match = _tags(asked.environ.get("HTTP_IF_NONE_MATCH"), "If-None-Match")


def precondition(*, may_be_demanded: bool = True) -> Precondition | None:
    """Return what this request asks of the task before it is changed, None where it is nothing."""
    asked = exchange()
    if asked.must_match is None and may_be_demanded and current_app.config[REQUIRED]:
        return _demand
    return both(_matching(asked.must_match), _not_matching(asked.must_not_match))


def require_match(task: Task) -> Task:
    """Return `task`, which is read. Raises `StaleTask` where `If-Match` does not name it."""
    if guard := _matching(exchange().must_match):
        guard(task)
    return task


def require_collection() -> None:
    """Raise `ProblemError` (412) unless the preconditions hold: a collection exists, untagged."""
    asked = exchange()
    if asked.must_match not in {None, ANY}:
        raise ProblemError(
            "precondition-failed", "a collection has no tag that If-Match could name"
        )
    if asked.must_not_match == ANY and asked.method not in READS:
        raise ProblemError(
            "precondition-failed", "If-None-Match: * excludes a collection that exists"
        )


def require_etag(opaque: str) -> None:
    """Raise `ProblemError` (412, 400) unless `If-Match` names this strong entity tag."""
    tags = _tags(exchange().environ.get("HTTP_IF_MATCH"), "If-Match")
    if tags not in {None, ANY} and ETag(weak=False, opaque=opaque) not in (tags or ()):
        raise ProblemError("precondition-failed", "what is here has none of the tags of If-Match")


def is_unmodified(task: Task) -> bool:
    """Tell whether `If-None-Match` names the task as it is (weak comparison)."""
    tags = exchange().must_not_match
    return tags is not None and (tags == ANY or task.version in _versions(tags))


def _matching(tags: ETags | None) -> Precondition | None:
    """Return the guard of `If-Match`, which compares strongly (section 13.1.1)."""
    if tags is None or tags == ANY:
        return None
    return at_version(_versions(tag for tag in tags if not tag.weak))


def _not_matching(tags: ETags | None) -> Precondition | None:
    """Return the guard of `If-None-Match`, which compares weakly (section 13.1.2)."""
    if tags is None:
        return None
    return must_not_exist if tags == ANY else not_at_version(_versions(tags))


def _versions(tags: Iterable[ETag]) -> set[int]:
    return {int(tag.opaque) for tag in tags if _version(tag.opaque)}


def _demand(_: Task) -> None:
    raise ProblemError(
        "precondition-required", "say with If-Match which version of the task is meant"
    )


def _tags(value: str | None, name: str) -> ETags | None:
    try:
        return None if value is None else parse_condition(value)
    except ValueError:
        raise ProblemError(
            "malformed-request", f'{name} must be * or quoted tags, as in "1"'
        ) from None
