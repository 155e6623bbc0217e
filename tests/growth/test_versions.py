"""The current version and the next, with one more field, read what the other has stored."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from tests.databases import service_engine, sqlite_database
from tests.growth.scratch import Client, Scratch, add_rating, scratch_package
from tests.http_callers import ApiClient, application
from tests.problem_details import problem
from tests.processes import COMMAND, ROOT, run

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.repository import SqlStorage

BODY = b'{"title": "Plan"}'
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The next version: the package with the field `rating`."""
    scratch = scratch_package(tmp_path_factory.mktemp("scratch"))
    add_rating(scratch)
    return scratch


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a database with the columns, as a migration of the next version adds them."""
    address = sqlite_database(tmp_path_factory.mktemp("database"))
    engine = service_engine(address)
    with transaction(engine) as connection:
        for table in ("tasks", "trash"):
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN rating INTEGER")
    engine.dispose()
    return address


@pytest.fixture
def engine(storage: str) -> Iterator[Engine]:
    """The database, for the current version."""
    engine = service_engine(storage)
    yield engine
    engine.dispose()


@pytest.fixture
def current(engine: Engine, client: Client) -> ApiClient:
    """The user of `client` at the current version."""
    return ApiClient(application(SqlStorage(engine).open_workspace).test_client(), client.user)


def create(caller: ApiClient, key: str) -> Any:
    """Send a creation with a key."""
    headers = {"Idempotency-Key": key}
    return caller("POST", data=BODY, content_type="application/json", headers=headers)


def test_a_response_of_the_current_version_gets_the_field(
    current: ApiClient, client: Client
) -> None:
    """The next version replays it with the default, and its other members and headers."""
    first = create(current, "old")
    assert first.status_code == 201
    again = client("POST", "", BODY, **JSON, Idempotency_Key="old")
    assert again.headers["Idempotency-Replayed"] == "true"
    headers = {name: again.headers[name] for name in ("ETag", "Location", "Content-Type")}
    assert headers == {name: first.headers[name] for name in headers}
    assert (again.status, again.json) == (201, {**first.json, "rating": None})


def test_a_response_of_the_next_version_is_a_conflict_for_the_current(
    current: ApiClient, client: Client
) -> None:
    """409 with `Retry-After`, as the next version can replay it. Nothing is done."""
    assert client("POST", "", BODY, **JSON, Idempotency_Key="new").status == 201
    response = create(current, "new")
    assert problem(response, 409, "key-in-use")
    assert response.headers["Retry-After"] == "1"
    assert len(client("GET").json) == 1


def test_an_export_of_the_current_version_is_imported(
    scratch: Scratch, current: ApiClient, client: Client, storage: str, tmp_path: Path
) -> None:
    """The next version gives its tasks the default."""
    task = current.create(title="Plan")
    arguments = (client.user, str(tmp_path / "tasks.jsonl"), "--database", storage)
    export(*arguments)
    assert current("DELETE", f"/{task['id']}").status_code == 204
    trash = f"/api/tasks/{client.user}/trash/{task['id']}"
    assert current("DELETE", trash).status_code == 204
    scratch.run("taskservice", "import", *arguments)
    assert client("GET").json == [{**task, "rating": None}]


def export(*arguments: str) -> None:
    """Export with the current version."""
    ended = run([*COMMAND, "export", *arguments], ROOT)
    assert ended.returncode == 0, ended.stderr


def test_a_task_of_the_current_version_is_read_and_changed_by_both(
    current: ApiClient, client: Client
) -> None:
    """The next version sets the field, and an update by the current version keeps it."""
    path = f"/{current.create(title='Plan')['id']}"
    assert client("PATCH", path, {"rating": 3}).json["rating"] == 3
    assert current("PATCH", path, json={"title": "Act"}).json["version"] == 3
    assert client("GET", path).json["rating"] == 3
