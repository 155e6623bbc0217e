"""A precondition is heeded on every operation, and where it fails nothing is done."""

from typing import Any

import pytest
from tests.field_reports.preconditions import REPORTS, Asked
from tests.field_reports.report import Report
from tests.http_callers import SETTINGS, Caller
from tests.problems import problem

from taskservice.adapters.memory import InMemoryTasks
from taskservice.app import create_app
from taskservice.testing import ADA

BODIES: dict[str, Any] = {
    "POST": {"title": "Buy bread"},
    "PUT": {"title": "Buy oat milk"},
    "PATCH": {"completed": True},
}
REFUSED = {400: "malformed-request", 412: "precondition-failed"}


@pytest.fixture
def ada() -> Caller:
    return Caller(create_app(InMemoryTasks().open_tasks, SETTINGS).test_client(), ADA)


@pytest.fixture
def task(ada: Caller) -> Any:
    """A task at version 4."""
    task = ada.create()
    for title in ("two", "three", "four"):
        task = ada("PATCH", f"/{task['id']}", json={"title": title}).json
    return task


def identity(report: Report[Asked, int]) -> str:
    return f"{report}: {report.tried.method} {report.tried.path}"


@pytest.mark.parametrize("report", REPORTS, ids=identity)
def test_a_precondition_is_heeded(ada: Caller, task: Any, report: Report[Asked, int]) -> None:
    """The status is that of RFC 9110, and the tasks are as they were unless something was done."""
    method, path, headers = report.tried
    answer = ada(method, path.format(**task), json=BODIES.get(method), headers=headers)
    assert answer.status_code == report.right
    after = ada("GET").json
    if method in {"GET", "HEAD", "OPTIONS"} or report.right in REFUSED:
        assert after == [task]
    else:
        assert after != [task]
    if report.right in REFUSED and method != "HEAD":
        problem(answer, report.right, REFUSED[report.right])
    if report.right == 304:
        assert answer.data == b""
        assert not {"Content-Type", "Link"} & set(answer.headers.keys())


def test_a_tag_of_another_or_no_task_says_nothing(ada: Caller) -> None:
    """What would be no success is answered as without a precondition (section 13.2.1)."""
    address = "/01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
    for tags in ("*", '"1"'):
        for headers in ({"If-Match": tags}, {"If-None-Match": tags}):
            for method, body in {**BODIES, "GET": None, "DELETE": None}.items():
                if method != "POST":
                    answer = ada(method, address, json=body, headers=headers)
                    problem(answer, 404, "task-not-found")
    for method, query in (("GET", "?limit=0"), ("POST", "?x=1")):
        answer = ada(method, query, json=BODIES.get(method), headers={"If-None-Match": "*"})
        problem(answer, 422, "invalid-request")


def test_a_replay_comes_before_the_precondition(ada: Caller, task: Any) -> None:
    """What a key has done once is answered as the first time, though the task has moved on."""
    headers = {"Idempotency-Key": "k", "If-None-Match": '"3"'}
    address = f"/{task['id']}"
    first = ada("PUT", address, json=BODIES["PUT"], headers=headers)
    again = ada("PUT", address, json=BODIES["PUT"], headers={**headers, "If-None-Match": "*"})
    assert (first.json, first.status_code) == (again.json, again.status_code)
    assert again.headers["Idempotency-Replayed"] == "true"
