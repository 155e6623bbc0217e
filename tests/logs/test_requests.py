"""One line for each request, with these fields and no others, at the level that it deserves."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from tests.http_callers import SETTINGS, Caller

from taskservice.adapters.memory import InMemoryTasks
from taskservice.app import create_app
from taskservice.core.errors import Unavailable
from taskservice.core.operations.metrics import FinishedRequest, Metrics
from taskservice.core.service import TaskService
from taskservice.logs import SERVICE_LOGGER, Formatter
from taskservice.testing import ADA, TickingClock

TASKS = "/api/tasks/{user_id}/tasks"
TASK = "/api/tasks/{user_id}/tasks/{task_id}"
ABSENT = f"/{UUID(int=0)}"
BODY = {"title": "Buy milk"}
OF_EVERY_LINE = {"timestamp", "pid", "message"}
KEYED: dict[str, Any] = {"json": BODY, "headers": {"Idempotency-Key": "a-key"}}


class Recorder(Metrics):
    """Keeps what it hears of requests."""

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
    """A home for tasks that cannot be reached."""

    outcome: Any = "not_applied"

    @contextmanager
    def open_tasks(self, owner: str, *, atomic: bool = False) -> Iterator[TaskService]:
        if owner:
            raise Unavailable("no database connection became free in time", self.outcome)
        yield InMemoryTasks()  # type: ignore[misc]


@pytest.fixture
def metrics() -> Recorder:
    return Recorder()


@pytest.fixture
def ada(clock: TickingClock, metrics: Recorder) -> Caller:
    app = create_app(InMemoryTasks(clock).open_tasks, SETTINGS, metrics=metrics)
    return Caller(app.test_client(), ADA)


@pytest.fixture
def out(metrics: Recorder) -> Caller:
    """Ada, before a service whose database is away."""
    return Caller(create_app(Out().open_tasks, SETTINGS, metrics=metrics).test_client(), ADA)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Callable[[], dict[str, Any]]:
    """Return the one line that was logged since the last time, without what every line has."""

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


Told = Callable[[], dict[str, Any]]


def test_a_request_is_one_line(ada: Caller, told: Told) -> None:
    """Who called, the method, the rule that was met and the status: no path, no query, no title."""
    ada("POST", json=BODY)
    assert told() == {
        "level": "info",
        "user_id": "ada",
        "method": "POST",
        "route": TASKS,
        "status": 201,
    }
    ada("GET", "?q=milk")
    assert told() == {
        "level": "info",
        "user_id": "ada",
        "method": "GET",
        "route": TASKS,
        "status": 200,
    }


def test_a_replay_is_told(ada: Caller, told: Told) -> None:
    """Whoever looks for the one request that did it, finds which ones only repeated it."""
    ada("POST", **KEYED)
    assert "replayed" not in told()
    ada("POST", **KEYED)
    line = told()
    assert (line["status"], line["replayed"]) == (201, True)


@pytest.mark.parametrize(
    ("path", "route", "status", "problem"),
    [
        (ABSENT, TASK, 404, "task-not-found"),
        ("?limit=0", TASKS, 422, "invalid-request"),
        ("/api/tasks/bob/tasks", TASKS, 403, "not-your-tasks"),
    ],
)
def test_a_refusal_is_told_by_its_kind(
    path: str, route: str, status: int, problem: str, request: pytest.FixtureRequest
) -> None:
    """The problem's type, and who was refused: on another's path too, where a token was valid."""
    ada, told = request.getfixturevalue("ada"), request.getfixturevalue("told")
    ada("GET", path)
    refused = {"route": route, "status": status, "problem": problem}
    assert told() == {"level": "info", "user_id": "ada", "method": "GET", **refused}


def test_a_refused_token_is_told_with_its_reason(ada: Caller, told: Told) -> None:
    """The reason is what the client does not hear. There is no user: nobody was verified."""
    ada.token = "x.y.z"
    ada("GET")
    line = told()
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
    out: Caller, told: Told, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """The reason, and what became of the write."""
    monkeypatch.setattr(Out, "outcome", outcome)
    out("POST", json=BODY)
    assert told() == {
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
def test_nothing_that_a_client_makes_up_is_told(ada: Caller, told: Told, method: str) -> None:
    """A method that no address takes is OTHER; a path without a rule is not shown."""
    ada.client.open("/api/nowhere/\x1b[31m?q=milk", method=method)
    assert told() == {"level": "info", "method": "OTHER", "status": 404, "problem": "not-found"}
    ada(method, ABSENT)
    line = told()
    assert (line["method"], line["status"]) == ("OTHER", 405)


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_probes_are_for_debugging(
    ada: Caller, told: Told, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """Asked every few seconds by every monitor, they would bury what matters."""
    caplog.set_level(logging.INFO, SERVICE_LOGGER)
    ada.client.get(path)
    assert not caplog.records
    caplog.set_level(logging.DEBUG, SERVICE_LOGGER)
    ada.client.get(path)
    assert told() == {"level": "debug", "method": "GET", "route": path, "status": 200}


def test_what_is_not_told_is_not_made(
    ada: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At `warning` no line is put together, only to be thrown away."""
    monkeypatch.delattr("taskservice.adapters.http.access_log._log_fields")
    caplog.set_level(logging.WARNING, SERVICE_LOGGER)
    assert ada("GET").status_code == 200
    assert not caplog.records


def test_who_watches_hears_of_each_request(ada: Caller, metrics: Recorder) -> None:
    """Beginning, answer and end; what became of a write, unless it was refused or replayed."""
    ada("POST", **KEYED)
    ada("POST", **KEYED)
    ada("POST", json={})
    ada("GET")
    ada.client.get("/nowhere")
    heard = [(one.method, one.route, one.status, one.outcome) for one in metrics.requests]
    assert heard == [
        ("POST", TASKS, 201, "applied"),
        ("POST", TASKS, 201, None),
        ("POST", TASKS, 422, None),
        ("GET", TASKS, 200, None),
        ("GET", None, 404, None),
    ]
    assert all(one.seconds > 0 for one in metrics.requests)
    assert metrics.in_progress == [0] + [1, 0] * 5


@pytest.mark.parametrize("outcome", ["not_applied", "unknown"])
def test_who_watches_hears_what_became_of_a_write(
    out: Caller, metrics: Recorder, monkeypatch: pytest.MonkeyPatch, outcome: str
) -> None:
    """As the client hears it; a read has no outcome."""
    monkeypatch.setattr(Out, "outcome", outcome)
    out("DELETE", ABSENT)
    out("GET", ABSENT)
    assert [one.outcome for one in metrics.requests] == [outcome, None]


def test_a_write_that_ends_in_a_defect_may_have_happened(
    out: Caller, metrics: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looked at what became of it: `unknown`."""
    monkeypatch.setattr(Out, "outcome", property())
    monkeypatch.setattr("taskservice.core.errors.Unavailable.__init__", None)
    out("POST", json=BODY)
    assert [(one.status, one.outcome) for one in metrics.requests] == [(500, "unknown")]
