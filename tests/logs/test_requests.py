"""Access log: one line per request, with documented fields and levels."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import time
from typing import Any
from uuid import UUID

import pytest
from tests.http_callers import SETTINGS, ApiClient
from tests.secret_values import SECRET
from tests.token_forge import forge

from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import create_app
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.errors import Unavailable
from taskservice.core.operations.metrics import FinishedRequest, Metrics
from taskservice.core.workspace import Workspace
from taskservice.logs import SERVICE_LOGGER, Formatter
from taskservice.testing import ADA, TickingClock

TASKS = "/api/tasks/{user_id}/tasks"
TASK = "/api/tasks/{user_id}/tasks/{task_id}"
LIST = "/api/tasks/{user_id}/lists/{list_id}"
BATCH = "/api/tasks/{user_id}/batch"
ABSENT = f"/{UUID(int=0)}"
BODY = {"title": "Buy milk"}
OF_EVERY_LINE = {"timestamp", "pid", "message"}
KEYED: dict[str, Any] = {"json": BODY, "headers": {"Idempotency-Key": "a-key"}}


class Recorder(Metrics):
    """Records the events of requests."""

    def __init__(self) -> None:
        self.in_progress: list[int] = [0]
        self.requests: list[FinishedRequest] = []

    def request_started(self) -> None:
        self.in_progress.append(self.in_progress[-1] + 1)

    def request_finished(self, request: FinishedRequest) -> None:
        self.requests.append(request)

    def request_closed(self) -> None:
        self.in_progress.append(self.in_progress[-1] - 1)


class Out:
    """An unavailable storage adapter."""

    outcome: Any = "not_applied"

    @contextmanager
    def open_workspace(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> Iterator[Workspace]:
        if owner:
            raise Unavailable("no database connection became free in time", self.outcome)
        yield InMemoryStorage()  # type: ignore[misc]


@pytest.fixture
def metrics() -> Recorder:
    return Recorder()


@pytest.fixture
def ada(clock: TickingClock, metrics: Recorder) -> ApiClient:
    app = create_app(InMemoryStorage(clock).open_workspace, SETTINGS, metrics=metrics)
    return ApiClient(app.test_client(), ADA)


@pytest.fixture
def out(metrics: Recorder) -> ApiClient:
    """Ada, calling a service whose database is unavailable."""
    return ApiClient(create_app(Out().open_workspace, SETTINGS, metrics=metrics).test_client(), ADA)


@pytest.fixture
def logged_request(caplog: pytest.LogCaptureFixture) -> Callable[[], dict[str, Any]]:
    """Return the only line since the last call, without the fields of every line."""

    def one() -> dict[str, Any]:
        (record,) = caplog.records
        caplog.clear()
        line: dict[str, Any] = json.loads(Formatter("json").format(record))
        assert line.pop("event") == "request finished"
        assert line.pop("logger") == "taskservice"
        assert line.pop("duration_ms") > 0
        assert line.pop("request_id")
        return {name: line[name] for name in line if name not in OF_EVERY_LINE}

    return one


LoggedRequest = Callable[[], dict[str, Any]]


def test_a_request_is_one_line(ada: ApiClient, logged_request: LoggedRequest) -> None:
    """User, method, route and status: no path, no query, no title."""
    ada("POST", json=BODY)
    assert logged_request() == {
        "level": "info",
        "user_id": "ada",
        "method": "POST",
        "route": TASKS,
        "status": 201,
    }
    ada("GET", "?q=milk")
    assert logged_request() == {
        "level": "info",
        "user_id": "ada",
        "method": "GET",
        "route": TASKS,
        "status": 200,
    }


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("", {"status": 200}),
        ("/api/tasks/bob/tasks", {"status": 403, "problem": "not-your-tasks"}),
    ],
)
def test_the_client_of_a_token_is_logged(
    ada: ApiClient, logged_request: LoggedRequest, path: str, logged: dict[str, Any]
) -> None:
    """Beside the user, also on the path of another user."""
    ada.token = forge({"sub": ADA, "exp": time() + 3600, "azp": "todo-app"}, secret=SECRET)
    ada("GET", path)
    caller = {"user_id": "ada", "client": "todo-app"}
    request = {"method": "GET", "route": TASKS}
    assert logged_request() == {"level": "info", **caller, **request, **logged}


@pytest.mark.parametrize(
    ("mode", "logged"),
    [
        ("atomic", {"status": 404, "problem": "task-not-found"}),
        ("each", {"status": 200}),
    ],
)
def test_a_batch_is_one_line(
    ada: ApiClient, logged_request: LoggedRequest, mode: str, logged: dict[str, Any]
) -> None:
    """Whatever its commands are: with the problem of the batch, and none of a command."""
    commands = [
        {"op": "create", "ref": "Groceries", "task": {**BODY, "recurrence": "FREQ=DAILY"}},
        {"op": "create", "ref": "a", "task": {**BODY, "labels": ["Groceries"]}},
        {"op": "update", "id": "$a", "changes": {"description": "Two liters"}},
        {"op": "delete", "id": str(UUID(int=0))},
    ]
    given = commands[mode == "atomic" :]
    assert ada("POST", f"/api/tasks/{ADA}/batch", json={"mode": mode, "commands": given}).json
    request = {"level": "info", "user_id": "ada", "method": "POST", "route": BATCH}
    assert logged_request() == {**request, **logged}


def test_an_outage_in_a_batch_is_logged(out: ApiClient, logged_request: LoggedRequest) -> None:
    """As of any other write: with the reason and the outcome, of all its commands."""
    commands = [{"op": "create", "task": BODY}]
    for mode in ("atomic", "each"):
        out("POST", f"/api/tasks/{ADA}/batch", json={"mode": mode, "commands": commands})
        line = logged_request()
        assert (line["status"], line["problem"]) == (503, "unavailable")
        assert (line["reason"], line["outcome"]) == (
            "no database connection became free in time",
            "not_applied",
        )


def test_a_replay_is_logged(ada: ApiClient, logged_request: LoggedRequest) -> None:
    """`replayed` distinguishes it from the original request."""
    ada("POST", **KEYED)
    assert "replayed" not in logged_request()
    ada("POST", **KEYED)
    line = logged_request()
    assert (line["status"], line["replayed"]) == (201, True)


@pytest.mark.parametrize(
    ("path", "route", "status", "problem"),
    [
        (ABSENT, TASK, 404, "task-not-found"),
        (f"/api/tasks/ada/lists{ABSENT}", LIST, 404, "list-not-found"),
        ("?limit=0", TASKS, 422, "invalid-request"),
        ("/api/tasks/bob/tasks", TASKS, 403, "not-your-tasks"),
    ],
)
def test_a_refusal_is_logged_with_its_problem_type(
    path: str, route: str, status: int, problem: str, request: pytest.FixtureRequest
) -> None:
    """And with the user of a valid token, also on the path of another user."""
    ada, logged_request = request.getfixturevalue("ada"), request.getfixturevalue("logged_request")
    ada("GET", path)
    refused = {"route": route, "status": status, "problem": problem}
    assert logged_request() == {"level": "info", "user_id": "ada", "method": "GET", **refused}


def test_a_refused_token_is_logged_with_its_reason(
    ada: ApiClient, logged_request: LoggedRequest
) -> None:
    """The response does not contain the reason. There is no user, as none was verified."""
    ada.token = "x.y.z"
    ada("GET")
    line = logged_request()
    assert line.pop("reason")
    assert line == {
        "level": "info",
        "method": "GET",
        "route": TASKS,
        "status": 401,
        "problem": "unauthenticated",
    }


@pytest.mark.parametrize("outcome", ["not_applied", "unknown"])
def test_an_outage_is_a_warning(
    out: ApiClient, logged_request: LoggedRequest, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """With the reason, and the outcome of the write."""
    monkeypatch.setattr(Out, "outcome", outcome)
    out("POST", json=BODY)
    assert logged_request() == {
        "level": "warning",
        "user_id": "ada",
        "method": "POST",
        "route": TASKS,
        "status": 503,
        "problem": "unavailable",
        "reason": "no database connection became free in time",
        "outcome": outcome,
    }


@pytest.mark.parametrize("method", ["TRACE", "FOO", "eyJhbGciOiJIUzI1NiJ9.e30.x"])
def test_no_client_data_is_logged(
    ada: ApiClient, logged_request: LoggedRequest, method: str
) -> None:
    """An unknown method is OTHER; a path without a route is not logged."""
    ada.client.open("/api/nowhere/\x1b[31m?q=milk", method=method)
    assert logged_request() == {
        "level": "info",
        "method": "OTHER",
        "status": 404,
        "problem": "not-found",
    }
    ada(method, ABSENT)
    line = logged_request()
    assert (line["method"], line["status"]) == ("OTHER", 405)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_are_logged_at_debug(
    ada: ApiClient, logged_request: LoggedRequest, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Monitors send them every few seconds."""
    caplog.set_level(logging.INFO, SERVICE_LOGGER)
    ada.client.get(path)
    assert not caplog.records
    caplog.set_level(logging.DEBUG, SERVICE_LOGGER)
    ada.client.get(path)
    assert logged_request() == {"level": "debug", "method": "GET", "route": path, "status": 200}


def test_a_suppressed_line_is_not_formatted(
    ada: ApiClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At `warning`, the fields of an `info` line are not collected."""
    monkeypatch.delattr("taskservice.adapters.http.access_log._log_fields")
    caplog.set_level(logging.WARNING, SERVICE_LOGGER)
    assert ada("GET").status_code == 200
    assert not caplog.records


def test_metrics_receive_each_request(ada: ApiClient, metrics: Recorder) -> None:
    """Start, response and end; the outcome of a write, unless it was refused or replayed."""
    ada("POST", **KEYED)
    ada("POST", **KEYED)
    ada("POST", json={})
    ada("GET")
    ada.client.get("/nowhere")
    received = [(one.method, one.route, one.status, one.outcome) for one in metrics.requests]
    assert received == [
        ("POST", TASKS, 201, "applied"),
        ("POST", TASKS, 201, None),
        ("POST", TASKS, 422, None),
        ("GET", TASKS, 200, None),
        ("GET", None, 404, None),
    ]
    assert all(one.seconds > 0 for one in metrics.requests)
    assert metrics.in_progress == [0] + [1, 0] * 5


@pytest.mark.parametrize("outcome", ["not_applied", "unknown"])
def test_metrics_receive_the_outcome_of_a_write(
    out: ApiClient, metrics: Recorder, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """The same as in the response; a read has no outcome."""
    monkeypatch.setattr(Out, "outcome", outcome)
    out("DELETE", ABSENT)
    out("GET", ABSENT)
    assert [one.outcome for one in metrics.requests] == [outcome, None]


def test_the_outcome_of_an_unexpected_error_is_unknown(
    out: ApiClient, metrics: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 500 does not say whether the write was applied."""
    monkeypatch.setattr(Out, "outcome", property())
    monkeypatch.setattr("taskservice.core.errors.Unavailable.__init__", None)
    out("POST", json=BODY)
    assert [(one.status, one.outcome) for one in metrics.requests] == [(500, "unknown")]
