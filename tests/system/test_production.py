"""`wsgi:app` behind gunicorn, as it is deployed, on SQLite and PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from tests.http_callers import token_of
from tests.processes import Answer, Service, gunicorn

PATH = "/api/tasks/ada/tasks"


@pytest.fixture(scope="module")
def shared(
    tmp_path_factory: pytest.TempPathFactory, production: dict[str, str]
) -> Iterator[Service]:
    """One service for all tests that neither stop it nor depend on other tasks.

    A variable of the interpreter keeps it from being forked: it starts as in production.
    """
    with gunicorn(tmp_path_factory.mktemp("shared"), PYTHONHASHSEED="0", **production) as service:
        yield service


@pytest.fixture
def service(shared: Service) -> Service:
    """The shared service, without a task of Ada's."""
    for task in shared("GET", PATH, ADA).json:
        assert shared("DELETE", f"{PATH}/{task['id']}", ADA).status == 204
    return shared


ADA = token_of("ada")


def is_problem(answer: Answer, status: int, kind: str) -> bool:
    """Tell whether `answer` is that problem, in its media type."""
    return (answer.status, answer.json["type"], answer.headers["Content-Type"]) == (
        status,
        f"/problems/{kind}",
        "application/problem+json",
    )


def test_the_whole_story(service: Service) -> None:
    """Create, list, read, update, patch, complete, reopen, delete, and every common refusal."""
    created = service("POST", PATH, ADA, {"title": "Buy milk", "description": "Two liters"})
    task = created.json
    address = created.headers["Location"]
    assert (created.status, address) == (201, f"{PATH}/{task['id']}")
    assert service("GET", PATH, ADA).json == [task]
    assert service("GET", address, ADA).json == task
    updated = service("PUT", address, ADA, {"title": "Buy oat milk"})
    assert (updated.status, updated.headers["ETag"]) == (200, '"2"')
    assert updated.json["description"] == "Two liters"
    patched = service("PATCH", address, ADA, {"description": None})
    assert (patched.status, patched.json["description"]) == (200, None)
    done = service("PATCH", f"{address}/complete", ADA)
    assert (done.status, done.json["completed"], done.json["version"]) == (200, True, 4)
    reopened = service("PATCH", f"{address}/complete", ADA, {"completed": False})
    assert (reopened.json["completed"], reopened.json["completed_at"]) == (False, None)
    assert is_problem(service("GET", PATH), 401, "unauthenticated")
    assert is_problem(service("GET", PATH, token_of("bob")), 403, "not-your-tasks")
    assert is_problem(service("POST", PATH, ADA, {"title": " "}), 422, "invalid-request")
    assert is_problem(service("GET", f"{PATH}/{uuid4()}", ADA), 404, "task-not-found")
    foreign = address.replace("/ada/", "/bob/")
    assert is_problem(service("GET", foreign, token_of("bob")), 404, "task-not-found")
    deleted = service("DELETE", address, ADA)
    assert (deleted.status, deleted.body) == (204, b"")
    assert "Content-Type" not in deleted.headers
    assert is_problem(service("GET", address, ADA), 404, "task-not-found")


def test_tasks_outlive_a_restart(tmp_path: Path, production: dict[str, str]) -> None:
    """After a stop and a start the tasks are there, with the same times and versions."""
    path, token = PATH.replace("ada", "restarter"), token_of("restarter")
    with gunicorn(tmp_path, **production) as service:
        tasks = [service("POST", path, token, {"title": f"Task {n}"}).json for n in range(3)]
        tasks[1] = service("PATCH", f"{path}/{tasks[1]['id']}/complete", token).json
        assert service.stop() == 0
    with gunicorn(tmp_path, **production) as service:
        assert service("GET", path, token).json == tasks[::-1]


def test_parallel_changes_over_processes_are_all_kept(service: Service) -> None:
    """Completions and edits from many clients at once, over two processes, keep every change."""
    task = service("POST", PATH, ADA, {"title": "0"}).json
    address = f"{PATH}/{task['id']}"

    def edit(n: int) -> int:
        body = {"title": f"{n}"} if n % 2 else {"description": f"{n}"}
        return service("PATCH", address, ADA, body).status

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(edit, range(40))) == {200}
    after = service("GET", address, ADA).json
    assert after["version"] == 41
    assert int(after["title"]) % 2 == 1
    assert int(after["description"]) % 2 == 0
