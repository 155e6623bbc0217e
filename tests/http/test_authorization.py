"""Authorization: rules for all routes, checked on every route."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from flask import Flask
from tests.http_callers import ApiClient, application
from tests.problem_details import problem
from tests.secret_values import SECRET

from taskservice.adapters.jwt import issue
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.workspace import Workspace
from taskservice.testing import ADA

PUBLIC = {"/", "/livez", "/readyz", "/openapi.json", "/docs", "/docs/<name>", "/problems/<name>"}
OWNED = {
    "/api/tasks/<user_id>/batch",
    "/api/tasks/<user_id>/changes",
    "/api/tasks/<user_id>/labels",
    "/api/tasks/<user_id>/lists",
    "/api/tasks/<user_id>/lists/<uuid:list_id>",
    "/api/tasks/<user_id>/lists/<uuid:list_id>/position",
    "/api/tasks/<user_id>/summary",
    "/api/tasks/<user_id>/tasks",
    "/api/tasks/<user_id>/tasks/<uuid:task_id>",
    "/api/tasks/<user_id>/tasks/<uuid:task_id>/complete",
    "/api/tasks/<user_id>/tasks/<uuid:task_id>/history",
    "/api/tasks/<user_id>/tasks/<uuid:task_id>/position",
    "/api/tasks/<user_id>/tasks/<uuid:task_id>/undo",
    "/api/tasks/<user_id>/trash",
    "/api/tasks/<user_id>/trash/<uuid:task_id>",
    "/api/tasks/<user_id>/trash/<uuid:task_id>/restore",
}


def locked(
    owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
) -> AbstractContextManager[Workspace]:
    """A home for tasks that must not be opened."""
    raise AssertionError(f"opened the tasks of {owner!r}")


@pytest.fixture
def closed_app() -> Flask:
    """An application in which reaching the tasks is a defect: a 500, and no refusal."""
    return application(locked)


def operations(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield method and address, under the path of Ada, of every operation that has an owner."""
    for rule in app.url_map.iter_rules():
        if rule.rule in OWNED:
            path = re.sub("<uuid:.*?>", str(uuid4()), rule.rule.replace("<user_id>", ADA))
            yield from ((method, path) for method in sorted((rule.methods or set()) - {"OPTIONS"}))


def test_every_route_is_known(app: Flask) -> None:
    """A route that is neither public nor owned by name fails here, whatever it does."""
    assert {rule.rule for rule in app.url_map.iter_rules()} == PUBLIC | OWNED


def test_the_walk_finds_every_operation(app: Flask) -> None:
    """The 26 operations, and HEAD for the ten reads."""
    assert len(list(operations(app))) == 36


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer x.y.z",
        "Basic YWRhOnNlY3JldA==",
        "Token {valid}",
        "{valid}",
        "Bearer {valid} {valid}",
        "Bearer {valid},Bearer {valid}",
        "Bearer {expired}",
        "Bearer {stranger}",
    ],
)
def test_without_a_valid_token_every_operation_is_401(
    closed_app: Flask, authorization: str | None
) -> None:
    """No credentials, or bad ones: the same body for every reason, and no task is opened."""
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    tokens = {
        "valid": issue(SECRET, ADA, lifetime=hour, now=now),
        "expired": issue(SECRET, ADA, lifetime=hour, now=now - 2 * hour),
        "stranger": issue(SECRET[::-1], ADA, lifetime=hour, now=now),
    }
    headers = {} if authorization is None else {"Authorization": authorization.format(**tokens)}
    for method, path in operations(closed_app):
        response = closed_app.test_client().open(path, method=method, headers=headers)
        assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
        if method != "HEAD":
            body = problem(response, 401, "unauthenticated")
            assert body["detail"] == "a valid bearer token is required"


@pytest.mark.parametrize(
    "user", ["bob", "Ada", "ada.", "ada%20", "%61da%00", "%ff", "%C3%A4", ".."]
)
def test_under_another_path_every_operation_is_403(closed_app: Flask, user: str) -> None:
    """The path's user is not the subject, byte for byte: 403, without opening any task."""
    caller = ApiClient(closed_app.test_client(), ADA)
    for method, path in operations(closed_app):
        response = caller(method, path.replace("/ada/", f"/{user}/"))
        assert response.status_code == 403
        if method != "HEAD":
            problem(response, 403, "not-your-tasks")


def test_a_403_reveals_nothing_about_the_other_user(ada: ApiClient, bob: ApiClient) -> None:
    """Whether the other user exists or not, the answer is the same but for its own path."""
    bob.create()
    same = {"X-Request-Id": "same"}
    existing = ada("GET", bob.path, headers=same)
    invented = ada("GET", "/api/tasks/auth0%7Cnobody/tasks", headers=same)
    assert existing.text.replace("%7Cbob", "%7Cnobody") == invented.text


@pytest.mark.parametrize(
    "path", ["/api/tasks/ada%2Ftasks", "/api//tasks/ada/tasks", "/api/tasks/ada", "/api"]
)
def test_what_is_no_route_is_404(closed_app: Flask, path: str) -> None:
    """An address that no route matches is 404: no redirect, no other handler."""
    token = ApiClient(closed_app.test_client(), ADA).token
    headers = {"Authorization": f"Bearer {token}"}
    problem(closed_app.test_client().get(path, headers=headers), 404, "not-found")


def test_an_encoded_slash_is_seen_behind_another_server(closed_app: Flask) -> None:
    """gunicorn keeps the address as it came in one variable, other servers in another."""
    environ = {"RAW_URI": "", "REQUEST_URI": "/api/tasks/ada%2Ftasks?completed=true"}
    answer = closed_app.test_client().get("/api/tasks/ada/tasks", environ_overrides=environ)
    problem(answer, 404, "not-found")


@pytest.mark.parametrize("method", ["TRACE", "FOO", "PUT", "DELETE"])
def test_a_method_that_is_not_there_is_405(closed_app: Flask, method: str) -> None:
    """405 with the methods that there are, before any token is asked for."""
    response = closed_app.test_client().open("/api/tasks/ada/tasks", method=method)
    problem(response, 405, "method-not-allowed")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_options_is_public(closed_app: Flask) -> None:
    """204 with the methods, no body, no token, no task opened."""
    allowed: dict[str, set[str]] = {}
    for _, path in operations(closed_app):
        response = closed_app.test_client().options(path)
        assert (response.status_code, response.data) == (204, b"")
        assert "Content-Type" not in response.headers
        allowed[path.rpartition("/")[2]] = set(response.headers["Allow"].split(", "))
    assert allowed["tasks"] == {"GET", "HEAD", "OPTIONS", "POST"}
    assert allowed["lists"] == {"GET", "HEAD", "OPTIONS", "POST"}
    assert allowed["changes"] == allowed["history"] == allowed["summary"]
    assert allowed["changes"] == {"GET", "HEAD", "OPTIONS"}
    assert allowed["trash"] == {"DELETE", "GET", "HEAD", "OPTIONS"}
    assert allowed["labels"] == {"GET", "HEAD", "OPTIONS", "PATCH"}
    assert allowed["complete"] == allowed["position"] == {"OPTIONS", "PATCH"}
    assert allowed["batch"] == allowed["restore"] == allowed["undo"] == {"OPTIONS", "POST"}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-HTTP-Method-Override": "DELETE"},
        {"X-User-ID": "bob"},
        {"X-Original-URL": "/api/tasks/bob/tasks"},
        {"X-Forwarded-For": "10.0.0.1", "X-Forwarded-Prefix": "/evil", "X-Forwarded-Host": "evil"},
        {"Script-Name": "/evil"},
    ],
)
def test_headers_of_proxies_change_nothing(ada: ApiClient, headers: dict[str, str]) -> None:
    """No header stands in for the method, the path, the user or the host."""
    task = ada.create()
    response = ada("GET", headers=headers)
    assert (response.status_code, response.json) == (200, [task])
    assert ada("POST", json={"title": "x"}, headers=headers).headers["Location"].startswith("/api/")


def test_no_handler_takes_a_user(app: Flask) -> None:
    """The owner is taken out of the path's values: a handler cannot name one."""
    for rule in app.url_map.iter_rules():
        if rule.rule in OWNED:
            assert "user_id" not in app.view_functions[rule.endpoint].__annotations__
