"""Who is calling, and the door to that caller's tasks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from flask import Flask, current_app

from taskservice.adapters.http.protocol.idempotency import attempt
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.rate_limit import count_failed_authentication
from taskservice.adapters.http.protocol.request import exchange
from taskservice.core.caller import Authenticate
from taskservice.core.errors import Unauthenticated, Unavailable
from taskservice.core.idempotent_tasks import IdempotentTasks
from taskservice.core.service import OpenTasks, TaskService

_EXTENSION = "taskservice"
_bearer = re.compile(r"bearer +([^ ]+)", re.IGNORECASE).fullmatch


class Services(NamedTuple):
    """The two ports that a request passes: who calls, and what is theirs."""

    authenticate: Authenticate
    open_tasks: OpenTasks

    def install(self, app: Flask) -> None:
        """Make these the doors of `app`."""
        app.extensions[_EXTENSION] = self


def pop_path_user(_: str | None, path_values: dict[str, Any] | None) -> None:
    """Take the owner out of the path's values, so that no handler sees a name but the caller's."""
    assert path_values is not None
    exchange().path_user = path_values.pop("user_id")


def enforce_ownership() -> None:
    """Let through only the caller whom the path names; OPTIONS is public.

    Raises `Unauthenticated` (401), `Unavailable` (503), or `ProblemError` (403; 429
    in place of a 401 or 503), before a body is read or a database is touched.
    """
    asked = exchange()
    if asked.method == "OPTIONS":
        return
    caller = _authenticated()
    asked.note(user_id=caller)
    if caller != asked.path_user:
        raise ProblemError("not-your-tasks", "these are not your tasks")
    asked.caller = caller


def caller() -> str:
    """Return who is calling: the owner whom the path and the token agree on."""
    return exchange().caller


@contextmanager
def own_tasks() -> Iterator[TaskService]:
    """Open the caller's tasks: the only way that a handler has to reach any.

    A request with a key is done once, and remembered, in one transaction.
    """
    if (keyed := attempt()) is None:
        with _doors().open_tasks(caller()) as tasks:
            yield tasks
        return
    with _doors().open_tasks(caller(), atomic=True) as tasks:
        once = IdempotentTasks(tasks, keyed)
        yield once
        if once.replayed:
            exchange().note(replayed=True)


def _doors() -> Services:
    doors = current_app.extensions[_EXTENSION]
    assert isinstance(doors, Services)
    return doors


def _authenticated() -> str:
    """Return the subject of the token; one that is not verified counts against its address."""
    try:
        return _doors().authenticate(_bearer_token())
    except (Unauthenticated, Unavailable):
        count_failed_authentication()
        raise


def _bearer_token() -> str:
    """Return the token of the `Authorization` header (RFC 6750, section 2.1)."""
    match = _bearer(exchange().headers.get("Authorization", ""))
    if match is None:
        raise Unauthenticated("no bearer token")
    return match[1]
