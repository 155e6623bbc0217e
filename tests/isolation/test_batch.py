"""Batches, renames of labels and steps of a deletion: nothing of them leads to another user."""

import logging
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.isolation.matrix import IDENTITIES, SETTINGS, Ids, World
from tests.openapi_operations import resolved
from tests.problem_details import faults

from taskservice.app import create_app
from taskservice.core import batch
from taskservice.core.workspace import OpenWorkspace
from taskservice.logs import Formatter
from taskservice.testing import ADA, BOB

TOKEN = IDENTITIES["the owner"][1]
PATH = f"/api/tasks/{ADA}/batch"
UNKNOWN = "must be the ref of a task that an earlier command has created"
MODES = list(product(("atomic", "each"), (False, True)))

Command = dict[str, Any]


@pytest.fixture
def world(open_workspace: OpenWorkspace) -> World:
    return World(create_app(open_workspace, SETTINGS))


def members(world: World, of: str) -> dict[str, str]:
    """Return the members of a schema that hold an id, each with its name in `World.ids`."""
    schema = world.document["components"]["schemas"][of]
    found = {name: resolved(world.document, one) for name, one in schema["properties"].items()}
    return {
        name: name.replace("parent_id", "task_id")
        for name, one in found.items()
        if one.get("format") == "uuid" or "[0-9A-Fa-f]{8}" in one.get("pattern", "")
    }


def commands(world: World, ids: Ids, own: Ids) -> Iterator[Command]:
    """Yield a command for each place where the id of a task or a list may stand."""
    for one in (
        {"op": "update", "changes": {"title": "Mine now"}},
        {"op": "complete"},
        {"op": "complete", "completed": False},
        {"op": "delete"},
        {"op": "delete", "subtasks": "delete"},
    ):
        yield {**one, "id": ids["task_id"]}
        yield {**one, "id": ids["task_id"], "if_match": "1"}
    yield {"op": "restore", "id": ids["trashed_id"]}
    for name, refers_to in members(world, "BatchTask").items():
        yield {"op": "create", "task": {"title": "x", name: ids[refers_to]}}
    for name, refers_to in members(world, "BatchChanges").items():
        yield {"op": "update", "id": own["task_id"], "changes": {name: ids[refers_to]}}


def answer(world: World, mode: str, command: Command, *, dry_run: bool) -> str:
    """Return all that the caller gets for a command between two others, but for what those made."""
    create = {"op": "create", "task": {"title": "x"}}
    body = {"mode": mode, "dry_run": dry_run, "commands": [create, command, create]}
    response = world.ask("POST", PATH, TOKEN, body)
    made = re.compile(r'"(?:id|created_at|updated_at|position)":"[^"]*"')
    return f"{response.status} {list(response.headers)}\n{made.sub('', response.text)}"


def test_ids_stand_where_the_commands_have_them(world: World) -> None:
    """A member with an id that comes later fails here until it is tried below."""
    assert members(world, "BatchCommand") == {"id": "id"}
    for of in ("BatchTask", "BatchChanges"):
        assert members(world, of) == {"list_id": "list_id", "parent_id": "task_id"}


@pytest.mark.parametrize(("mode", "dry_run"), MODES)
def test_a_foreign_id_in_a_command_looks_like_a_missing_one(
    world: World, mode: str, *, dry_run: bool
) -> None:
    """In every operation and member: 404 or 422 as of the single one, and the same bytes.

    Also that of a task in the trash. Nothing of its owner changes.
    """
    before, own, missing = world.all_of_bob(), world.ids["own"], world.ids["missing"]
    for foreign in (world.ids["foreign"], world.ids["foreign, swapped"]):
        statuses: list[str] = []
        pairs = zip(commands(world, foreign, own), commands(world, missing, own), strict=True)
        for pair in pairs:
            found, expected = (answer(world, mode, one, dry_run=dry_run) for one in pair)
            assert found == expected
            statuses += {*re.findall(r'"status":(4..)', found)}
        assert statuses == ["404"] * 11 + ["422"] * 4
    assert world.all_of_bob() == before


def test_an_own_id_in_a_command_is_accepted(world: World) -> None:
    """So the commands above would find what is there."""
    own = world.ids["own"]
    for number in range(len([*commands(world, own, own)])):
        command = [*commands(world, world.create(ADA), world.create(ADA))][number]
        text = answer(world, "atomic", command, dry_run=False)
        assert text.startswith("200"), (command, text)


def send(caller: ApiClient, *given: Command, **options: Any) -> Any:
    body = {**options, "commands": given}
    return caller("POST", f"/api/tasks/{caller.user}/batch", json=body)


def test_a_reference_is_never_that_of_another_batch(ada: ApiClient, bob: ApiClient) -> None:
    """Not of another user's, nor of an earlier one of the same user, nor of a failed command."""
    create = {"op": "create", "ref": "a", "task": {"title": "Straße"}}
    task = send(ada, create).json["results"][0]["task"]
    before = ada("GET").data
    failed = {"op": "create", "ref": "a", "task": {"title": ""}}
    for caller in (ada, bob):
        below = {"op": "create", "task": {"title": "x", "parent_id": "$a"}}
        assert faults(send(caller, below)) == {"/commands/0/task/parent_id": UNKNOWN}
        assert faults(send(caller, {"op": "delete", "id": "$a"})) == {"/commands/0/id": UNKNOWN}
        uses: list[Command] = [
            below,
            *({"op": op, "id": "$a"} for op in ("complete", "delete", "restore")),
        ]
        uses += [{"op": "update", "id": "$a", "changes": {"title": "Mine now"}}]
        results = send(caller, failed, *uses, mode="each").json["results"]
        assert [one["status"] for one in results] == [422] * 6
        assert {one["problem"]["errors"][0]["detail"] for one in results[1:]} == {UNKNOWN}
    assert ada("GET").data == before
    assert ada("GET", f"/{task['id']}").json == task


def test_references_that_are_kept_are_noticed(
    ada: ApiClient, bob: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above fails if the names of tasks outlive their batch."""
    kept: dict[str, Any] = {}
    run = batch._run

    def keeps(workspace: Any, command: Any, references: Any) -> Any:
        found = run(workspace, command, kept)
        references.update(kept)
        return found

    monkeypatch.setattr(batch, "_run", keeps)
    with pytest.raises(AssertionError):
        test_a_reference_is_never_that_of_another_batch(ada, bob)


@pytest.mark.parametrize("mode", ["atomic", "each"])
def test_a_batch_changes_nothing_of_another_user(ada: ApiClient, bob: ApiClient, mode: str) -> None:
    """Nor takes a number of their changes, although both have the same labels and names."""
    for caller in (ada, bob):
        caller.create(labels=["home"])
    before = [bob("GET", path).data for path in (bob.path, f"/api/tasks/{BOB}/changes")]
    create = {"op": "create", "ref": "a", "task": {"title": "Straße", "labels": ["home"]}}
    complete = {"op": "complete", "id": "$a"}
    assert send(ada, create, complete, mode=mode).status_code == 200
    assert [bob("GET", path).data for path in (bob.path, f"/api/tasks/{BOB}/changes")] == before


def test_a_label_is_renamed_on_own_tasks_alone(ada: ApiClient, bob: ApiClient) -> None:
    """And counted on them; another user's label looks like one that nobody has."""
    ada.create(labels=["home", "garden"])
    for labels in (["home"], ["house"], ["theirs"]):
        bob.create(labels=labels)
    before = [bob("GET", path).data for path in (bob.path, f"/api/tasks/{BOB}/changes")]
    path, same = f"/api/tasks/{ADA}/labels", {"X-Request-Id": "same"}
    renamed = ada("PATCH", path, json={"label": "HOME", "new": "house"})
    assert renamed.json == {"label": "house", "open": 1, "all": 1, "more": False}
    foreign, missing = (
        ada("PATCH", path, json={"label": label, "new": "new"}, headers=same)
        for label in ("theirs", "nobody")
    )
    assert foreign.json == {"label": "new", "open": 0, "all": 0, "more": False}
    assert (foreign.status, foreign.data) == (missing.status, missing.data)
    assert [bob("GET", path).data for path in (bob.path, f"/api/tasks/{BOB}/changes")] == before


def test_a_batch_is_not_logged(ada: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    """No line has a value of a command, a name, nor the values of one that failed."""
    caplog.set_level(logging.DEBUG)
    secret = "xsecretx"
    task = ada.create()
    given = [
        {"op": "create", "ref": secret, "task": {"title": secret, "labels": [secret]}},
        {"op": "update", "id": f"${secret}", "changes": {"description": secret}},
        {"op": "create", "task": {"title": secret * 99, secret: secret}},
        {"op": "update", "id": task["id"], "changes": {"due": secret, "recurrence": secret}},
    ]
    answers = [send(ada, *given, mode=mode, dry_run=dry_run) for mode, dry_run in MODES]
    answers += [send(ada, {secret: secret, "op": secret})]
    label = {"label": secret, "new": f"{secret}2"}
    answers += [ada("PATCH", f"/api/tasks/{ADA}/labels", json=label)]
    assert [one.status_code for one in answers] == [422, 422, 200, 200, 422, 200]
    lines = [Formatter("json").format(record) for record in caplog.records]
    assert len(lines) >= len(answers)
    assert [line for line in lines if secret in line] == []
