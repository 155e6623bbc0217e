"""A plain settable field is one statement: everything else derives from it."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.growth.scratch import Client, Scratch, add_rating, scratch_package

KEY = {"Idempotency_Key": "key"}
CONTRACT_FILES = ["test_built_in.py", "test_folder_storage.py"]
SCHEMAS = ["Task", "TaskCreate", "TaskUpdate", "TaskPatch", "BatchTask", "BatchChanges"]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The package with the field `rating`."""
    scratch = scratch_package(tmp_path_factory.mktemp("scratch"))
    add_rating(scratch)
    return scratch


def test_the_field_is_one_statement(scratch: Scratch) -> None:
    """The statement and its import in the entity, and the form of the stored data."""
    assert scratch.changed_lines() == {"core/task.py": 2, "core/entity.py": 1}


@pytest.mark.parametrize(("fields", "rating"), [({"rating": 3}, 3), ({}, None)])
def test_a_task_is_created_with_the_field_or_its_default(
    client: Client, fields: dict[str, Any], rating: int | None
) -> None:
    """Creation, GET and the list show it."""
    task = client.create(title="Plan", **fields)
    assert task["rating"] == rating
    assert client("GET", f"/{task['id']}").json == task
    assert client("GET").json == [task]


def test_an_update_that_does_not_name_the_field_keeps_it(client: Client) -> None:
    """PUT sets it if it is named."""
    task = client.create(title="Plan", rating=3)
    path = f"/{task['id']}"
    bodies: list[dict[str, Any]] = [{"title": "Act"}, {"title": "Act", "rating": 4}]
    assert [client("PUT", path, body).json["rating"] for body in bodies] == [3, 4]
    assert client("GET", path).json["rating"] == 4


def test_a_patch_sets_and_clears_the_field(client: Client) -> None:
    """It is a change like any other: the version counts it."""
    path = f"/{client.create(title='Plan')['id']}"
    answers = [client("PATCH", path, {"rating": value}).json for value in (9, None)]
    assert [(task["rating"], task["version"]) for task in answers] == [(9, 2), (None, 3)]


@pytest.mark.parametrize("value", [0, 10, "1", 1.5, True])
def test_another_value_is_refused(client: Client, value: object) -> None:
    """Creation, update and patch name the field, and nothing changes."""
    task = client.create(title="Plan", rating=3)
    path = f"/{task['id']}"
    wrong = {"title": "Act", "rating": value}
    for method, place in (("POST", ""), ("PUT", path), ("PATCH", path)):
        answer = client(method, place, wrong)
        assert (answer.status, answer.json["type"]) == (422, "/problems/invalid-request")
        assert [error["pointer"] for error in answer.json["errors"]] == ["/rating"]
    assert client("GET").json == [task]


def test_a_batch_sets_the_field(client: Client) -> None:
    """In the task and the changes of its commands; another value is refused where it stands."""
    commands = [
        {"op": "create", "ref": "plan", "task": {"title": "Plan", "rating": 3}},
        {"op": "update", "id": "$plan", "changes": {"rating": 4}},
        {"op": "update", "id": "$plan", "changes": {"rating": 10}},
        {"op": "create", "task": {"title": "Act", "rating": 0}},
    ]
    batch = client._replace(list_name="batch")
    answer = batch("POST", "", {"mode": "each", "commands": commands})
    created, updated, *refused = answer.json["results"]
    assert [one["task"]["rating"] for one in (created, updated)] == [3, 4]
    assert [one["problem"]["errors"][0]["pointer"] for one in refused] == [
        "/commands/2/changes/rating",
        "/commands/3/task/rating",
    ]
    assert client("GET").json == [updated["task"]]


def test_a_replay_shows_the_field(client: Client) -> None:
    """A retry of a creation gets the first response."""
    first, again = (client("POST", "", {"title": "Plan", "rating": 3}, **KEY) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (first.json["rating"], again.json) == (3, first.json)


@pytest.mark.parametrize("storage", ["sqlite", "postgresql"], indirect=True)
def test_an_export_is_imported_with_the_field(
    scratch: Scratch, storage: str, client: Client, tmp_path: Path
) -> None:
    """The lines of an export have it, and an import into empty tables stores it."""
    tasks = [client.create(title="Plan", rating=3), client.create(title="Act")]
    arguments = (client.user, str(tmp_path / "tasks.jsonl"), "--database", storage)
    scratch.run("taskservice", "export", *arguments)
    lines = (tmp_path / "tasks.jsonl").read_text().splitlines()
    assert [json.loads(line)["rating"] for line in lines] == [3, None]
    for task in tasks:
        client("DELETE", f"/{task['id']}")
    client._replace(list_name="trash")("DELETE")
    scratch.run("taskservice", "import", *arguments)
    assert client("GET", "?sort=created_at").json == tasks


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_document_has_the_field(client: Client, name: str) -> None:
    """The schemas of the response and of all bodies."""
    document = client.service("GET", "/openapi.json").json
    schema = document["components"]["schemas"][name]
    field = schema["properties"]["rating"]
    assert (field["minimum"], field["maximum"]) == (1, 9)
    assert set(field["type"]) == {"integer", "null"}
    assert field["description"] == "From 1 to 9, or null."
    assert ("rating" in schema.get("required", [])) == (name == "Task")
