"""A prefix that is no path is passed over, wherever a prefix is repeated."""

import logging
from dataclasses import replace

import pytest
from tests.field_reports.prefixes import REPORTS
from tests.field_reports.report import Report
from tests.http_callers import SETTINGS, ApiClient
from tests.problem_details import problem

from taskservice.adapters.http.protocol import path_prefix
from taskservice.adapters.http.protocol.path_prefix import WARNING_INTERVAL, Throttle
from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import create_app
from taskservice.testing import ADA

WARNING = "X-Forwarded-Prefix ignored, not a valid path"


@pytest.fixture
def ada(monkeypatch: pytest.MonkeyPatch) -> ApiClient:
    """A caller behind one proxy, of which the log has said nothing so far."""
    monkeypatch.setattr(path_prefix, "_may_warn", Throttle(WARNING_INTERVAL))
    app = create_app(InMemoryStorage().open_workspace, replace(SETTINGS, proxies=1))
    return ApiClient(app.test_client(), ADA)


@pytest.mark.parametrize("report", REPORTS, ids=str)
def test_a_prefix_is_a_path_or_ignored(ada: ApiClient, report: Report[str, str]) -> None:
    """In `Location`, in a problem, in the document and on the front page."""
    said = {"X-Forwarded-Prefix": report.tried}
    made = ada("POST", json={"title": "Buy milk"}, headers=said)
    assert made.headers["Location"] == f"{report.right}/api/tasks/ada/tasks/{made.json['id']}"
    body = problem(ada("GET", "?x=1", headers=said), 422, "invalid-request")
    assert body["instance"] == f"{report.right}/api/tasks/ada/tasks"
    document = ada.client.get("/openapi.json", headers=said).json or {}
    assert [server["url"] for server in document["servers"]] == [report.right or "/"]
    assert f"<code>{report.right}/openapi.json</code>" in ada.client.get("/", headers=said).text


def test_an_ignored_prefix_is_logged_at_intervals(
    ada: ApiClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning a minute, however many requests bring one, which repeats nothing of it."""
    now = 1_000.0
    monkeypatch.setattr(path_prefix, "_may_warn", Throttle(WARNING_INTERVAL, lambda: now))
    caplog.set_level(logging.WARNING)
    for _ in range(20):
        ada("POST", json={"title": "Buy milk"}, headers={"X-Forwarded-Prefix": "//evil.example"})
    assert [record.getMessage() for record in caplog.records] == [WARNING]
    now += WARNING_INTERVAL
    ada("GET", "?x=1", headers={"X-Forwarded-Prefix": "javascript:alert(1)"})
    ada("POST", json={"title": "Buy milk"}, headers={"X-Forwarded-Prefix": "/tasks"})
    assert [record.getMessage() for record in caplog.records] == [WARNING] * 2
    assert "evil" not in caplog.text
