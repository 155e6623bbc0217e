"""A wish as the parts of an HTTP request, and what its answer shows."""

from typing import Any

from tests.faults.batch_requests import batch_in_json
from tests.faults.history import Kind, Result, ShownChange
from tests.faults.requests import Request
from tests.faults.seen import Seen, plan

ROUTES: dict[Kind, tuple[str, str]] = {
    "create": ("POST", "/tasks"),
    "update": ("PUT", "/tasks/{}"),
    "complete": ("PATCH", "/tasks/{}/complete"),
    "skip": ("PATCH", "/tasks/{}"),
    "move": ("PATCH", "/tasks/{}/position"),
    "change_list": ("PATCH", "/tasks/{}"),
    "change_parent": ("PATCH", "/tasks/{}"),
    "change_recurrence": ("PATCH", "/tasks/{}"),
    "delete": ("DELETE", "/tasks/{}"),
    "delete_tree": ("DELETE", "/tasks/{}?subtasks=delete"),
    "restore": ("POST", "/trash/{}/restore"),
    "purge": ("DELETE", "/trash/{}"),
    "purge_all": ("DELETE", "/trash"),
    "undo": ("POST", "/tasks/{}/undo"),
    "get": ("GET", "/tasks/{}"),
    "get_trashed": ("GET", "/trash/{}"),
    "history": ("GET", "/tasks/{}/history?limit=200"),
    "create_list": ("POST", "/lists"),
    "delete_list": ("DELETE", "/lists/{}?tasks=inbox"),
    "lists": ("GET", "/lists"),
    "batch": ("POST", "/batch"),
}
"""Methods and paths, from the user's on."""

FIELDS: dict[Kind, tuple[str, ...]] = {
    "create": ("list_id", "parent_id", "recurrence"),
    "complete": ("completed",),
    "skip": ("status",),
    "change_list": ("list_id",),
    "change_parent": ("parent_id",),
    "change_recurrence": ("recurrence",),
    "undo": ("sequence",),
}
"""What is sent as it is wished for, null too."""


def message(request: Request) -> tuple[str, str, Any]:
    """Return the method, the path from the user's on, and the body."""
    method, path = ROUTES[request.kind]
    body = _batch(request) if request.kind == "batch" else _body(request)
    return method, path.format(request.task), body or None


def _batch(request: Request) -> dict[str, Any]:
    return batch_in_json(request, {one.name: _body(one) for one in request.commands})


def _body(request: Request) -> dict[str, Any]:
    body = {name: getattr(request, name) for name in FIELDS.get(request.kind, ())}
    match request.kind:
        case "create":
            return {**body, **_titled(request), "description": request.name}
        case "update":
            return _titled(request)
        case "create_list":
            return {"name": request.title}
        case "move" if request.beside is None:
            return {"place": request.place}
        case "move":
            return {f"{request.place}": request.beside}
    return body


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers of a write. The log has its name as the id of the request."""
    headers = {"X-Request-Id": request.name}
    matched = {} if request.version is None else {"If-Match": f'"{request.version}"'}
    return headers | matched | ({} if request.key is None else {"Idempotency-Key": request.key})


def seen_in(request: Request, shown: Any) -> tuple[Seen, ...]:
    """Return the tasks or lists of an answer."""
    match request.kind:
        case "lists":
            return tuple(map(Seen.of_list, shown))
        case "create_list":
            return (Seen.of_list(shown),)
        case "purge_all" | "history" | "batch":
            return ()
    return (Seen.of(shown),)


def changes_in(request: Request, shown: Any) -> tuple[ShownChange, ...]:
    """Return the changes of a history."""
    if request.kind != "history":
        return ()
    return tuple(ShownChange(*(one[name] for name in ShownChange._fields)) for one in shown)


def results_in(request: Request, shown: Any) -> tuple[Result, ...]:
    """Return the status of each command of a batch, and the task that it shows."""
    if request.kind != "batch":
        return ()
    shows = {"create", "update", "restore"}
    return tuple(
        (one["status"], seen_in(command, one["task"]))
        if command.kind in shows and one["status"] < 300
        else (one["status"], ())
        for command, one in zip(request.commands, shown["results"], strict=False)
    )


def _titled(request: Request) -> dict[str, Any]:
    assert request.title is not None
    return {"title": request.title, **plan(request.title)}
