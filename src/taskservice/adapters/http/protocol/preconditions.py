"""Preconditions: evaluates `If-Match` and `If-None-Match` (RFC 9110, section 13).

`If-Modified-Since` and `If-Unmodified-Since` are ignored, as no `Last-Modified` is
sent (section 13.1.3).
"""

import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import current_app

from taskservice.adapters.http.protocol.etags import ANY_ETAG, ETag, ETags, parse_condition
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import current_request
from taskservice.core.entity import E, Entity
from taskservice.core.preconditions import (
    Precondition,
    at_version,
    both,
    must_not_exist,
    not_at_version,
    precondition_required,
)

P = ParamSpec("P")
R = TypeVar("R")

READ_METHODS = {"GET", "HEAD"}
CONDITIONAL_METHODS = {*READ_METHODS, "POST", "PUT", "PATCH", "DELETE"}
"""Methods with preconditions; other methods ignore them (section 13.2.1)."""

REQUIRE_IF_MATCH = "TASKSERVICE_REQUIRE_IF_MATCH"
"""The key of the setting in the application's configuration."""

_version = re.compile(r"[1-9][0-9]{0,18}").fullmatch


def read_preconditions() -> None:
    """Parse both headers before any task is opened. Raises `ProblemError` (400)."""
    request = current_request()
    if request.method in CONDITIONAL_METHODS:
        environ = request.environ
        request.if_match_etags = _parse(environ.get("HTTP_IF_MATCH"), "If-Match")
        request.if_none_match_etags = _parse(environ.get("HTTP_IF_NONE_MATCH"), "If-None-Match")


def precondition(*, optional: bool = False) -> Precondition[Any] | None:
    """Return the precondition of a write, None without one.

    If the operator requires `If-Match`, a write without it fails with 428 unless it is `optional`.
    """
    request = current_request()
    if request.if_match_etags is None and _is_required(optional):
        return precondition_required
    return both(_if_match(request.if_match_etags), _if_none_match(request.if_none_match_etags))


def version_precondition(
    version: int | None, *, optional: bool = False
) -> Precondition[Any] | None:
    """Return the precondition of a command of a batch, as `precondition` does of a request."""
    if version is not None:
        return at_version({version})
    return precondition_required if _is_required(optional) else None


def _is_required(optional: bool) -> bool:
    return not optional and bool(current_app.config[REQUIRE_IF_MATCH])


def check_if_match(entity: E) -> E:
    """Return `entity`, which is read. Raises `StaleEntity` if `If-Match` does not match."""
    if check := _if_match(current_request().if_match_etags):
        check(entity)
    return entity


def check_collection_preconditions() -> None:
    """Raise `ProblemError` (412) unless the preconditions hold for a list, which has no ETag."""
    request = current_request()
    if request.if_match_etags not in {None, ANY_ETAG}:
        raise ProblemError("precondition-failed", "If-Match failed: there is no ETag here")
    if request.if_none_match_etags == ANY_ETAG and request.method not in READ_METHODS:
        raise ProblemError("precondition-failed", "If-None-Match failed: there is a resource here")


def with_collection_preconditions(view: Callable[P, R]) -> Callable[P, R]:
    """Return `view`, which first checks the preconditions of a list, before an idempotency key."""

    @wraps(view)
    def checked_view(*args: P.args, **kwargs: P.kwargs) -> R:
        check_collection_preconditions()
        return view(*args, **kwargs)

    return checked_view


def check_etag(opaque: str) -> None:
    """Raise `ProblemError` (412, 400) unless `If-Match` matches this strong entity tag."""
    etags = _parse(current_request().environ.get("HTTP_IF_MATCH"), "If-Match")
    if etags not in {None, ANY_ETAG} and ETag(weak=False, opaque=opaque) not in (etags or ()):
        raise ProblemError("precondition-failed", "If-Match does not match the current ETag")


def is_not_modified(entity: Entity) -> bool:
    """Return whether `If-None-Match` matches the version (weak comparison)."""
    etags = current_request().if_none_match_etags
    return etags is not None and (etags == ANY_ETAG or entity.version in _versions(etags))


def _if_match(etags: ETags | None) -> Precondition[Any] | None:
    """Return the precondition of `If-Match` (strong comparison, section 13.1.1)."""
    if etags is None or etags == ANY_ETAG:
        return None
    return at_version(_versions(etag for etag in etags if not etag.weak))


def _if_none_match(etags: ETags | None) -> Precondition[Any] | None:
    """Return the precondition of `If-None-Match` (weak comparison, section 13.1.2)."""
    if etags is None:
        return None
    return must_not_exist if etags == ANY_ETAG else not_at_version(_versions(etags))


def _versions(etags: Iterable[ETag]) -> set[int]:
    return {int(etag.opaque) for etag in etags if _version(etag.opaque)}


def _parse(value: str | None, header: str) -> ETags | None:
    try:
        return None if value is None else parse_condition(value)
    except ValueError:
        raise ProblemError(
            "malformed-request", f'{header} must be * or a list of quoted ETags, such as "1"'
        ) from None
