"""Authorization: authenticates the bearer token, and opens only the owner's tasks."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, NamedTuple

from flask import Flask, current_app

from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.rate_limit import count_failed_authentication
from taskservice.adapters.http.protocol.request import current_request
from taskservice.core.authentication import Authenticate, Caller
from taskservice.core.changes import Origin
from taskservice.core.errors import Unauthenticated, Unavailable
from taskservice.core.workspace import OpenWorkspace, TaskService, Workspace

_EXTENSION = "taskservice"
_bearer = re.compile(r"bearer +([^ ]+)", re.IGNORECASE).fullmatch


class Services(NamedTuple):
    """The two ports that every request uses: authentication, and the owner's workspace."""

    authenticate: Authenticate
    open_workspace: OpenWorkspace

    def install(self, app: Flask) -> None:
        """Make these the services of `app`."""
        app.extensions[_EXTENSION] = self


def pop_path_user(_: str | None, path_values: dict[str, Any] | None) -> None:
    """Remove the user from the path values, so that no handler can use it as the owner."""
    assert path_values is not None
    current_request().path_user = path_values.pop("user_id")


def enforce_ownership() -> None:
    """Admit only the user in the path. OPTIONS is public.

    Raises `Unauthenticated` (401), `Unavailable` (503), or `ProblemError` (403, or 429
    instead of 401 and 503). Neither the body is read nor the database used before.
    """
    request = current_request()
    if request.method == "OPTIONS":
        return
    caller = _authenticate()
    request.log_context.update(user_id=caller.owner, client=caller.client)
    if caller.owner != request.path_user:
        raise ProblemError("not-your-tasks", "the user in the path is not the subject of the token")
    request.caller = caller


def own_workspace(*, atomic: bool = False) -> AbstractContextManager[Workspace]:
    """Open the owner's workspace, or join that of `atomic_workspace`."""
    request = current_request()
    if request.workspace is not None:
        return nullcontext(request.workspace)
    origin = Origin(request.caller.client, request.request_id)
    return _services().open_workspace(request.owner, atomic=atomic, origin=origin)


@contextmanager
def own_tasks() -> Iterator[TaskService]:
    """Open the owner's tasks. A handler has no other way to reach any task."""
    with own_workspace() as workspace:
        yield workspace.tasks


@contextmanager
def atomic_workspace() -> Iterator[Workspace]:
    """Open the owner's workspace in one transaction, for all that the request does."""
    request = current_request()
    with own_workspace(atomic=True) as workspace:
        request.workspace = workspace
        try:
            yield workspace
        finally:
            request.workspace = None


def _services() -> Services:
    services = current_app.extensions[_EXTENSION]
    assert isinstance(services, Services)
    return services


def _authenticate() -> Caller:
    """Return the caller that the token names. A failure counts against the client's address."""
    try:
        return _services().authenticate(_bearer_token())
    except (Unauthenticated, Unavailable):
        count_failed_authentication()
        raise


def _bearer_token() -> str:
    """Return the token of the `Authorization` header (RFC 6750, section 2.1)."""
    match = _bearer(current_request().headers.get("Authorization", ""))
    if match is None:
        raise Unauthenticated("no bearer token")
    return match[1]
