"""The HTTP rules of a batch: problems and pointers, preconditions, idempotency keys, size.

`tests/sync/test_batch.py` has what a batch does, over every adapter.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from flask import Flask
from tests.http_callers import SETTINGS, ApiClient, application
from tests.problem_details import faults, problem
from tests.sync.test_batch import Command, create, results_of, send
from tests.sync.test_changes import page_of, synced

from taskservice.adapters.http.protocol.idempotency import RESULT_LIMIT
from taskservice.adapters.http.protocol.request import BATCH_BODY_LIMIT
from taskservice.adapters.memory import InMemoryStorage
from taskservice.core import subtasks
from taskservice.core.workspace import OpenWorkspace

KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
UNUSED = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a99"
MANY_UNKNOWN = {"title": "Straße"} | {f"f{n}": n for n in range(80)}
ODD_NAMES = {"title": "Straße", "a/b~c": 1, "_schema": 2, "": 3, "~1": 4}


class Failure(NamedTuple):
    """A command that fails, and the single operation that fails in the same way.

    `{id}` is a task at version 2. Errors of the single operation are at `member` of the command.
    """

    command: Command
    method: str
    path: str
    body: Any = None
    headers: dict[str, str] = {}  # noqa: RUF012
    member: str = ""


def creation(task: Any) -> Failure:
    """Return the creation of a task that cannot be."""
    return Failure({"op": "create", "task": task}, "POST", "", task, member="/task")


def update(changes: Any) -> Failure:
    """Return an update that cannot be."""
    command = {"op": "update", "id": "{id}", "changes": changes}
    return Failure(command, "PATCH", "/{id}", changes, member="/changes")


def stale(op: str, method: str, path: str, body: Any = None, **members: Any) -> Failure:
    """Return a write of another version."""
    command = {"op": op, "id": "{id}", "if_match": "1", **members}
    return Failure(command, method, path, body, {"If-Match": '"1"'})


def missing(op: str, method: str, path: str, body: Any = None, **members: Any) -> Failure:
    """Return a write of a task that is not there."""
    command = {"op": op, "id": UNUSED, **members}
    return Failure(command, method, path.replace("{id}", UNUSED), body)


COMPLETE = ("complete", "PATCH", "/{id}/complete")
RESTORE = ("restore", "POST", "/api/tasks/ada/trash/{id}/restore")
FAILURES = {
    "no title": creation({}),
    "many values": creation({"title": "", "description": 3, "priority": 0, "due": "2026"}),
    "items": creation({"title": "Straße", "labels": ["a", 7, "A", "", "b,c"]}),
    "odd names": creation(ODD_NAMES),
    "too many errors": creation(MANY_UNKNOWN),
    "a list that is none": creation({"title": "Straße", "list_id": UNUSED}),
    "a parent that is none": creation({"title": "Straße", "parent_id": UNUSED}),
    "a text as parent": creation({"title": "Straße", "parent_id": "x"}),
    "a number as parent": creation({"title": "Straße", "parent_id": 3}),
    "a rule without a date": creation({"title": "Straße", "recurrence": "FREQ=DAILY"}),
    "an update of values": update({"title": None, "labels": "x", "nmae": 1}),
    "an update of names": update({"a/b": {}, "_schema": []}),
    "an update of items": update({"labels": ["a", "a"]}),
    "an update to a list": update({"list_id": UNUSED}),
    "under itself": update({"parent_id": "{id}"}),
    "a contradiction": update({"completed": True, "status": "in-process"}),
    "a start behind the end": update({"due": "2026-03-29", "start": "2026-03-30"}),
    "a stale update": stale("update", "PATCH", "/{id}", {"priority": 1}, changes={"priority": 1}),
    "a stale completion": stale(*COMPLETE),
    "a stale deletion": stale("delete", "DELETE", "/{id}"),
    "no task to update": missing("update", "PATCH", "/{id}", {}, changes={}),
    "no task to complete": missing(*COMPLETE),
    "no task to delete": missing("delete", "DELETE", "/{id}"),
    "no task to restore": missing(*RESTORE),
    "a task that is not deleted": Failure({"op": "restore", "id": "{id}"}, *RESTORE[1:]),
}


def filled(value: Any, task_id: str) -> Any:
    """Return a value of JSON with an id for `{id}`."""
    match value:
        case str():
            return value.replace("{id}", task_id)
        case dict():
            return {name: filled(one, task_id) for name, one in value.items()}
    return value


def unnumbered(body: dict[str, Any]) -> dict[str, Any]:
    """Return a problem without what is of its request."""
    return {name: body[name] for name in body if name not in {"request_id", "instance"}}


@pytest.fixture
def task(ada: ApiClient) -> dict[str, Any]:
    """A task at version 2."""
    changed: dict[str, Any] = ada("PATCH", f"/{ada.create()['id']}", json={"priority": 9}).json
    return changed


@pytest.mark.parametrize("failure", FAILURES)
def test_a_problem_is_that_of_the_single_operation(
    ada: ApiClient, task: dict[str, Any], failure: str
) -> None:
    """But for its pointers, which lead into the body; `atomic` answers what `each` has."""
    one = FAILURES[failure]
    path, body, command = (filled(part, task["id"]) for part in (one.path, one.body, one.command))
    single = ada(one.method, path, json=body, headers=one.headers)
    expected = unnumbered(problem(single, single.status_code, single.json["type"][10:]))
    at = "/commands/1"
    errors = expected.get("errors", [])
    expected["errors"] = [
        {"pointer": f"{at}{one.member}{error['pointer']}", "detail": error["detail"]}
        for error in errors
    ] or [{"pointer": at, "detail": expected["detail"]}]

    response = send(ada, create(), command, mode="each")
    found = results_of(response)[1]
    assert set(found) == {"status", "problem"}
    assert (found["status"], unnumbered(found["problem"])) == (single.status_code, expected)
    assert found["problem"]["instance"] == "/api/tasks/ada/batch"
    assert found["problem"]["request_id"] == response.headers["X-Request-Id"]
    whole = send(ada, create(), command)
    assert whole.status_code == single.status_code
    assert unnumbered(problem(whole, whole.status_code, expected["type"][10:])) == expected
    assert ada("GET", f"/{task['id']}").json == task


def test_too_large_a_tree_is_an_error_of_the_option(
    ada: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parameter of the single operation is a member of the command."""
    monkeypatch.setattr(subtasks, "TREE_LIMIT", 1)
    root = ada.create()
    for _ in range(2):
        ada.create(parent_id=root["id"])
    single = ada("DELETE", f"/{root['id']}?subtasks=delete")
    detail = faults(single)["?subtasks"]
    response = send(ada, {"op": "delete", "id": root["id"], "subtasks": "delete"})
    assert faults(response) == {"/commands/0/subtasks": detail}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ({"op": "create", "task": {}, "a/b~c": 1}, {"/commands/0/a~1b~0c": "field"}),
        ({"op": "create", "task": {}, "_schema": 1}, {"/commands/0/_schema": "field"}),
        ({"op": "create", "task": {}, "": 1}, {"/commands/0/": "field"}),
        ({"task": {}}, {"/commands/0/op": "is required"}),
        ({"op": None}, {"/commands/0/op": "must not be null"}),
        ({"op": 1}, {"/commands/0/op": "must be a string"}),
        (
            {"op": "update", "id": "x", "task": {}},
            {
                "/commands/0/id": "must be a UUID",
                "/commands/0/changes": "is required",
                "/commands/0/task": "is not a member of the command update",
            },
        ),
        (None, {"/commands/0": "must not be null"}),
        ([], {"/commands/0": "must be a JSON object"}),
        ({"op": "create", "task": None}, {"/commands/0/task": "must not be null"}),
        (
            {"op": "create", "task": {}, "ref": "a b"},
            {"/commands/0/ref": "must be 1 to 64 letters, digits, - or _"},
        ),
        (
            {"op": "complete", "id": UNUSED, "completed": "on"},
            {"/commands/0/completed": "must be true or false"},
        ),
        (
            {"op": "delete", "id": UNUSED, "subtasks": "promote"},
            {"/commands/0/subtasks": "must be one of delete"},
        ),
        *(
            (
                {"op": "delete", "id": UNUSED, "if_match": text},
                {"/commands/0/if_match": "must be a version, such as 3"},
            )
            for text in ("", "*", "0", '"0"', "01", "-1", '"1', "1.0", 'W/"1"', '"1", "2"', "٣")
        ),
        (
            {"op": "delete", "id": UNUSED, "if_match": 1},
            {"/commands/0/if_match": "must be a string"},
        ),
        (
            {"op": "delete", "id": f"${'a' * 65}"},
            {"/commands/0/id": "must be the ref of a task that an earlier command has created"},
        ),
    ],
)
def test_every_fault_of_a_command_is_named(
    ada: ApiClient, command: Any, expected: dict[str, str]
) -> None:
    """By the place in the body, whatever the mode, and no command is run."""
    unknown = "is not a field that can be set"
    expected = {at: unknown if said == "field" else said for at, said in expected.items()}
    for mode in ("atomic", "each"):
        assert faults(send(ada, command, create(), mode=mode)) == expected
    assert ada("GET").json == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ([], {"": "must be a JSON object"}),
        ({}, {"/commands": "is required"}),
        ({"commands": {}}, {"/commands": "must be an array"}),
        ({"commands": None}, {"/commands": "must not be null"}),
        (
            {"commands": [7] * 101, "dry_run": 1, "mode": None, "together": True},
            {
                "/commands": "must have 1 to 100 items",
                "/dry_run": "must be true or false",
                "/mode": "must not be null",
                "/together": "is not a field that can be set",
            },
        ),
    ],
)
def test_every_fault_of_the_body_is_named(
    ada: ApiClient, body: Any, expected: dict[str, str]
) -> None:
    """All of them at once."""
    assert faults(ada("POST", "/api/tasks/ada/batch", json=body)) == expected


def test_at_most_50_faults_of_commands_are_listed(ada: ApiClient) -> None:
    """The first ones, in the order of the commands; the detail has the count of all."""
    body = problem(send(ada, *[7] * 60), 422, "invalid-request")  # type: ignore[arg-type]
    assert [error["pointer"] for error in body["errors"]] == [f"/commands/{n}" for n in range(50)]
    assert body["detail"] == "60 fields are not valid"


def test_faults_are_in_the_order_of_the_body(ada: ApiClient) -> None:
    """The eleventh command is behind the second one."""
    commands = [create() for _ in range(12)]
    commands[1] |= {"zoo": 1, "abc": 2}
    commands[10]["op"] = "explode"
    assert list(faults(send(ada, *commands))) == [
        "/commands/1/zoo",
        "/commands/1/abc",
        "/commands/10/op",
    ]


def test_a_batch_with_parameters_is_422(ada: ApiClient) -> None:
    """Its options are in the body: a dry run that would be done is refused."""
    body = {"commands": [create()]}
    assert faults(ada("POST", "/api/tasks/ada/batch?dry_run=true", json=body)) == {
        "?dry_run": "is not a parameter of this operation"
    }
    assert ada("GET").json == []


@pytest.mark.parametrize(
    "headers", [{"If-Match": '"1"'}, {"If-Match": 'W/"1"'}, {"If-None-Match": "*"}]
)
def test_a_batch_is_guarded_like_a_collection(ada: ApiClient, headers: dict[str, str]) -> None:
    """It has no tag, and it exists: 412, before a key is looked at. Each command has its own."""
    results_of(send(ada, create(), headers=KEY))
    problem(send(ada, create(), headers=headers), 412, "precondition-failed")
    problem(send(ada, create(), headers={**headers, **KEY}), 412, "precondition-failed")
    assert len(ada("GET").json) == 1


@pytest.mark.parametrize("headers", [{"If-Match": "*"}, {"If-None-Match": '"1"'}])
def test_a_condition_of_a_batch_that_holds_is_none(ada: ApiClient, headers: dict[str, str]) -> None:
    """`If-Match: *` holds for what exists, and a tag is not that of a batch."""
    results_of(send(ada, create(), headers=headers))
    problem(send(ada, create(), headers={"If-Match": "1"}), 400, "malformed-request")


@pytest.fixture
def strict(open_workspace: OpenWorkspace) -> Flask:
    """An application that demands `If-Match`."""
    return application(open_workspace, replace(SETTINGS, require_if_match=True))


@pytest.fixture
def strict_ada(strict: Flask) -> ApiClient:
    return ApiClient(strict.test_client(), "ada")


WITHOUT = [{"op": "update", "changes": {"priority": 1}}, {"op": "delete"}]


@pytest.mark.parametrize("command", WITHOUT)
def test_if_match_may_be_demanded_of_commands(strict_ada: ApiClient, command: Command) -> None:
    """428 of an update and a deletion; 404 comes before it, as for the single operations.

    A header of the batch does not stand in for it.
    """
    ada, task = strict_ada, strict_ada.create()
    command = {**command, "id": task["id"]}
    for headers in ({}, {"If-Match": "*"}):
        response = send(ada, create(), command, headers=headers)
        (error,) = problem(response, 428, "precondition-required")["errors"]
        assert error["pointer"] == "/commands/1"
    response = send(ada, create(), {**command, "id": UNUSED})
    problem(response, 404, "task-not-found")
    assert ada("GET").json == [task]
    each = results_of(send(ada, command, {**command, "if_match": '"1"'}, mode="each"))
    assert each[0]["status"] == 428
    assert each[0]["problem"]["errors"][0]["pointer"] == "/commands/0"
    assert each[1]["status"] == (200 if "changes" in command else 204)


def test_if_match_is_never_demanded_of_what_a_retry_sets_again(strict_ada: ApiClient) -> None:
    """A creation, a completion and a restoration, as for the single operations."""
    ada, (task, trashed) = strict_ada, (strict_ada.create() for _ in range(2))
    ada("DELETE", f"/{trashed['id']}", headers={"If-Match": '"1"'})
    results = results_of(
        send(
            ada,
            create(),
            {"op": "complete", "id": task["id"]},
            {"op": "restore", "id": trashed["id"]},
        )
    )
    assert [one["status"] for one in results] == [201, 200, 200]


@pytest.mark.parametrize("quoted", ["{}", '"{}"'])
@pytest.mark.parametrize(
    ("op", "members"),
    [("update", {"changes": {"priority": 1}}), ("complete", {}), ("delete", {})],
)
def test_if_match_takes_a_version_and_a_tag(
    strict_ada: ApiClient, task: dict[str, Any], quoted: str, op: str, members: Command
) -> None:
    """The present one lets the command through, and another one is 412."""
    command = {"op": op, "id": task["id"], **members}
    older, newer, present = (
        send(strict_ada, {**command, "if_match": quoted.format(version)}, mode="each")
        for version in (1, 3, 2)
    )
    statuses = [results_of(one)[0]["status"] for one in (older, newer, present)]
    assert statuses == [412, 412, 204 if op == "delete" else 200]


def test_if_match_of_a_restoration_is_that_of_the_trash(
    ada: ApiClient, task: dict[str, Any]
) -> None:
    """The version with which the task was deleted."""
    ada("DELETE", f"/{task['id']}")
    command = {"op": "restore", "id": task["id"]}
    assert send(ada, {**command, "if_match": "1"}).status_code == 412
    (result,) = results_of(send(ada, {**command, "if_match": "2"}))
    assert result["etag"] == '"3"'


def test_a_command_sees_the_version_that_an_earlier_one_made(
    ada: ApiClient, task: dict[str, Any]
) -> None:
    """Within one batch too, a precondition is of the present version."""
    command = {"op": "update", "id": task["id"]}
    results = results_of(
        send(
            ada,
            {**command, "changes": {"priority": 1}, "if_match": "2"},
            {**command, "changes": {"priority": 2}, "if_match": "2"},
            {**command, "changes": {"priority": 3}, "if_match": "3"},
            mode="each",
        )
    )
    assert [one["status"] for one in results] == [200, 412, 200]
    assert ada("GET", f"/{task['id']}").json["priority"] == 3


def test_a_key_stands_for_the_whole_batch(ada: ApiClient, task: dict[str, Any]) -> None:
    """In mode `each` a retry gets every result again, failures too, and nothing is tried anew."""
    commands = [{"op": "delete", "id": task["id"], "if_match": "9"}, create()]
    first = send(ada, *commands, mode="each", headers=KEY)
    assert [one["status"] for one in results_of(first)] == [412, 201]
    changed = ada("PATCH", f"/{task['id']}", json={"priority": 1})
    again = send(ada, *commands, mode="each", headers=KEY)
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert ada("GET", f"/{task['id']}").json == changed.json
    assert len(ada("GET").json) == 2


def test_a_key_is_of_one_batch(ada: ApiClient) -> None:
    """For other commands, another mode, or a single operation it is 422, and nothing is done."""
    results_of(send(ada, create(), headers=KEY))
    problem(send(ada, create(), create(), headers=KEY), 422, "key-reused")
    problem(send(ada, create(), mode="each", headers=KEY), 422, "key-reused")
    problem(ada("POST", json={"title": "Straße"}, headers=KEY), 422, "key-reused")
    assert len(ada("GET").json) == 1


def test_an_invalid_batch_takes_no_key(ada: ApiClient) -> None:
    """Nor one that was too large."""
    assert send(ada, headers=KEY).status_code == 422
    large = create(description="x" * BATCH_BODY_LIMIT)
    problem(send(ada, large, headers=KEY), 413, "body-too-large")
    results_of(send(ada, create(), headers=KEY))


def test_a_dry_run_ignores_a_key(ada: ApiClient) -> None:
    """Neither its own is remembered, nor is the response to another batch replayed."""
    real = send(ada, create(), headers=KEY)
    for _ in range(2):
        trial = send(ada, create(), dry_run=True, headers=KEY)
        results_of(trial, applied=False)
        assert "Idempotency-Replayed" not in trial.headers
    again = send(ada, create(), headers=KEY)
    assert (again.data, again.headers["Idempotency-Replayed"]) == (real.data, "true")
    assert len(ada("GET").json) == 1


def large_answer(ada: ApiClient) -> list[Command]:
    """Return few bytes of commands, whose results have more than may be stored."""
    task = ada.create(description="\U0001f600" * 10_000)
    count = RESULT_LIMIT // 40_500 + 1
    return [
        {"op": "update", "id": task["id"], "changes": {"priority": n % 9 + 1}} for n in range(count)
    ]


def test_a_keyed_answer_over_the_limit_is_413(ada: ApiClient) -> None:
    """Nothing is done, no number is used, and the key is free."""
    commands = large_answer(ada)
    before = [ada("GET", path).data for path in ("", "/api/tasks/ada/changes?limit=200")]
    body = problem(send(ada, *commands, headers=KEY), 413, "body-too-large")
    assert body["detail"].startswith("the response is larger than 1,048,576 bytes")
    assert [ada("GET", path).data for path in ("", "/api/tasks/ada/changes?limit=200")] == before
    results_of(send(ada, *commands[:-1], headers=KEY))
    assert ada("GET").json[0]["version"] == len(commands)


def test_an_answer_without_a_key_has_no_limit(ada: ApiClient) -> None:
    """Nor has that of a dry run."""
    commands = large_answer(ada)
    trial = send(ada, *commands, dry_run=True, headers=KEY)
    results_of(trial, applied=False)
    response = send(ada, *commands)
    results_of(response)
    assert min(len(trial.data), len(response.data)) > RESULT_LIMIT


def test_a_reference_is_of_its_batch(ada: ApiClient) -> None:
    """In the next one it is unknown, also if that failed or was a dry run, or used the same key."""
    unknown = "must be the ref of a task that an earlier command has created"
    results_of(send(ada, create(ref="a")))
    results_of(send(ada, create(ref="b"), dry_run=True), applied=False)
    assert send(ada, create(ref="c"), {"op": "delete", "id": UNUSED}).status_code == 404
    for ref in "abc":
        assert faults(send(ada, {"op": "delete", "id": f"${ref}"})) == {"/commands/0/id": unknown}
        assert faults(send(ada, create(parent_id=f"${ref}"))) == {
            "/commands/0/task/parent_id": unknown
        }
        changes = {"parent_id": f"${ref}"}
        update = {"op": "update", "id": ada.create()["id"], "changes": changes}
        assert faults(send(ada, update)) == {"/commands/0/changes/parent_id": unknown}


def test_references_stand_for_ids(ada: ApiClient) -> None:
    """In `id` of every operation, and in `parent_id`; anywhere else `$a` is a text."""
    results = results_of(
        send(
            ada,
            create(ref="a", title="$a"),
            create(ref="B-_9"),
            {"op": "update", "id": "$B-_9", "changes": {"parent_id": "$a", "description": "$a"}},
            {"op": "complete", "id": "$a"},
            {"op": "delete", "id": "$a", "subtasks": "delete"},
            {"op": "restore", "id": "$a"},
        )
    )
    first, second = results[0]["task"], results[2]["task"]
    assert (first["title"], second["description"]) == ("$a", "$a")
    assert second["parent_id"] == first["id"]
    assert results[5]["task"]["id"] == first["id"]
    assert faults(send(ada, create(ref="a"), create(list_id="$a"))).keys() == {
        "/commands/1/task/list_id"
    }


def test_a_batch_answers_json_that_is_not_stored(ada: ApiClient) -> None:
    """It has the headers of every answer about tasks, and no tag of its own."""
    response = send(ada, create())
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == ada("GET").headers["Cache-Control"]
    assert response.headers["Vary"] == "Authorization"
    assert not {"ETag", "Location", "Link"} & set(response.headers.keys())


def moves(task_id: str, *lists: str) -> list[Command]:
    """Return the commands that move a task to each of the lists in turn."""
    return [{"op": "update", "id": task_id, "changes": {"list_id": one}} for one in lists]


@pytest.fixture
def tree(ada: ApiClient) -> str:
    """The id of a task with 399 others under it."""
    root: str = ada.create()["id"]
    for count in (100, 100, 100, 99):
        results_of(send(ada, *[create(parent_id=root)] * count))
    return root


def test_a_batch_makes_at_most_1000_changes(ada: ApiClient, tree: str) -> None:
    """The command that would make more is 422, and so are those behind it.

    In mode `atomic` nothing is done.
    """
    one, two = (ada.create_list(name)["id"] for name in ("one", "two"))
    token, task = synced(ada), ada("GET", f"/{tree}").json
    commands = [*moves(tree, one, two, one), create()]
    many = {"/commands/2/op": "would change more than 1,000 tasks at once"}
    assert faults(send(ada, *commands)) == many
    assert page_of(ada, since=token)["changes"] == []
    assert ada("GET", f"/{tree}").json == task

    results = results_of(send(ada, *commands, mode="each"))
    assert [result["status"] for result in results] == [200, 200, 422, 422]
    at = [result["problem"]["errors"][0]["pointer"] for result in results[2:]]
    assert at == ["/commands/2/op", "/commands/3/op"]
    assert ada("GET", f"/{tree}").json["list_id"] == two


@pytest.fixture
def real() -> ApiClient:
    """Ada, by a clock that does not move from one command to the next by itself."""
    return ApiClient(application(InMemoryStorage().open_workspace).test_client(), "ada")


def test_tasks_of_one_batch_have_their_own_places(real: ApiClient) -> None:
    """However fast they are made, and in the order of the commands."""
    results = results_of(send(real, *[create() for _ in range(20)]))
    positions = [result["task"]["position"] for result in results]
    assert len(set(positions)) == 20
    assert positions == sorted(positions)


def test_recurring_tasks_of_one_batch_are_completed_in_another(real: ApiClient) -> None:
    """Each at the version that it was created with, although each makes the next of its series."""
    daily = create(due="2026-03-29", recurrence="FREQ=DAILY")
    made = [one["task"]["id"] for one in results_of(send(real, *[daily] * 5))]
    commands = [{"op": "complete", "id": one, "if_match": "1"} for one in made]
    results = results_of(send(real, *commands))
    assert [(one["status"], one["etag"]) for one in results] == [(200, '"2"')] * 5
    tasks = real("GET").json
    assert len(tasks) == 10
    assert len({one["position"] for one in tasks if not one["completed"]}) == 5
