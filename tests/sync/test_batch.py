"""Batches over HTTP: several operations on tasks in one transaction, all or each by itself."""

from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.planning.questions import new_list
from tests.problem_details import faults, problem
from tests.sync.test_changes import page_of, synced
from werkzeug.test import TestResponse

UNUSED = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a99"
UNKNOWN_REF = "must be the ref of a task that an earlier command has created"
KEY = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}

Command = dict[str, Any]


def send(ada: ApiClient, *commands: Command, **options: Any) -> TestResponse:
    """Send a batch; `headers` are those of the request, other options members of the body."""
    headers = options.pop("headers", {})
    path = f"/api/tasks/{ada.user}/batch"
    body = {**options, "commands": commands}
    response: TestResponse = ada("POST", path, json=body, headers=headers)
    return response


def results_of(response: TestResponse, *, applied: bool = True) -> list[dict[str, Any]]:
    """Return the results of a batch."""
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json or {}
    assert list(body) == ["applied", "results"]
    assert body["applied"] is applied
    results: list[dict[str, Any]] = body["results"]
    return results


def create(**members: Any) -> Command:
    """Return a command that creates a task; a `ref` is its name in the batch."""
    ref = {"ref": members.pop("ref")} if "ref" in members else {}
    return {"op": "create", **ref, "task": {"title": "Straße", **members}}


def test_commands_run_in_their_order(ada: ApiClient) -> None:
    """Each has the status, the task and the entity tag that its operation answers."""
    kept, gone, trashed = (ada.create(title=title) for title in ("kept", "gone", "trashed"))
    ada("DELETE", f"/{trashed['id']}")
    results = results_of(
        send(
            ada,
            create(title="new", ref="a"),
            {"op": "update", "id": "$a", "changes": {"description": "Rye"}},
            {"op": "complete", "id": kept["id"], "if_match": "1"},
            {"op": "complete", "id": kept["id"], "completed": False, "if_match": '"2"'},
            {"op": "delete", "id": gone["id"]},
            {"op": "restore", "id": trashed["id"]},
        )
    )
    made = results[0]["task"]
    assert [one["status"] for one in results] == [201, 200, 200, 200, 204, 200]
    assert [one.get("etag") for one in results] == ['"1"', '"2"', '"2"', '"3"', None, '"2"']
    assert results[1]["task"] == ada("GET", f"/{made['id']}").json
    assert results[1]["task"]["description"] == "Rye"
    assert results[5]["task"] == ada("GET", f"/{trashed['id']}").json
    assert ["task" in one for one in results] == [True, True, False, False, False, True]
    assert ada("GET", f"/{gone['id']}").status_code == 404


def test_changes_stand_together_in_the_log(ada: ApiClient) -> None:
    """Each command that writes has its own, in the order of the commands."""
    token, other = synced(ada), ada.create()
    results = results_of(send(ada, create(ref="a"), {"op": "complete", "id": "$a"}, create()))
    made = results[0]["task"]["id"]
    numbers = [
        [one["sequence"] for one in ada("GET", f"/{task_id}/history").json]
        for task_id in (other["id"], made, results[2]["task"]["id"])
    ]
    first = numbers[0][0]
    assert numbers == [[first], [first + 2, first + 1], [first + 3]]
    assert len(page_of(ada, since=token)["changes"]) == 3


def test_an_atomic_batch_is_done_whole_or_not_at_all(ada: ApiClient) -> None:
    """Case 35: the third of five fails with 412, and nothing is changed, no number used."""
    one = ada.create()
    token, before = synced(ada), ada("GET", "").json
    response = send(
        ada,
        create(),
        {"op": "complete", "id": one["id"]},
        {"op": "update", "id": one["id"], "changes": {"title": "x"}, "if_match": "1"},
        {"op": "delete", "id": one["id"]},
        create(),
    )
    (error,) = problem(response, 412, "precondition-failed")["errors"]
    assert error["pointer"] == "/commands/2"
    assert ada("GET", "").json == before
    assert page_of(ada, since=token)["changes"] == []
    assert page_of(ada, since=token)["next"] == token


def test_in_mode_each_a_failure_leaves_the_others_alone(ada: ApiClient) -> None:
    """It has the problem of its operation, whose pointers lead into the body."""
    one = ada.create()
    results = results_of(
        send(
            ada,
            {"op": "complete", "id": UNUSED},
            create(title=""),
            {"op": "update", "id": one["id"], "changes": {"title": "x"}, "if_match": "7"},
            {"op": "update", "id": one["id"], "changes": {"labels": ["a", "A"]}},
            create(ref="a"),
            {"op": "delete", "id": one["id"]},
            mode="each",
        )
    )
    assert [result["status"] for result in results] == [404, 422, 412, 422, 201, 204]
    assert [
        [error["pointer"] for error in result["problem"]["errors"]] for result in results[:4]
    ] == [
        ["/commands/0"],
        ["/commands/1/task/title"],
        ["/commands/2"],
        ["/commands/3/changes/labels/1"],
    ]
    assert results[0]["problem"]["type"] == "/problems/task-not-found"
    assert [found["id"] for found in ada("GET", "").json] == [results[4]["task"]["id"]]


def test_what_a_failed_command_did_is_undone(ada: ApiClient) -> None:
    """A move of a tree that cannot be stored as a whole changes none of its tasks."""
    token = synced(ada)
    results = results_of(
        send(
            ada,
            create(title="", ref="a"),
            create(parent_id="$a"),
            {"op": "complete", "id": "$a"},
            create(),
            mode="each",
        )
    )
    assert [result["status"] for result in results] == [422, 422, 422, 201]
    assert results[1]["problem"]["errors"][0]["pointer"] == "/commands/1/task/parent_id"
    assert results[2]["problem"]["errors"][0]["pointer"] == "/commands/2/id"
    assert len(page_of(ada, since=token)["changes"]) == 1


@pytest.mark.parametrize("mode", ["atomic", "each"])
def test_a_dry_run_tells_what_would_happen(ada: ApiClient, mode: str) -> None:
    """Case 37: the same results but for ids and times; no number is used, no key is taken."""
    one = ada.create()
    commands = (create(), {"op": "complete", "id": one["id"]}, {"op": "delete", "id": one["id"]})
    token, before = synced(ada), ada("GET", "").json
    trial = send(ada, *commands, mode=mode, dry_run=True, headers=KEY)
    assert "Idempotency-Replayed" not in trial.headers
    assert (ada("GET", "").json, page_of(ada, since=token)["next"]) == (before, token)
    real = results_of(send(ada, *commands, mode=mode, headers=KEY))
    tried = results_of(trial, applied=False)
    differing = {"id", "created_at", "updated_at", "position"}
    for result in (*real, *tried):
        for name in differing & result.get("task", {}).keys():
            del result["task"][name]
    assert tried == real


def test_a_retry_gets_the_same_response(ada: ApiClient) -> None:
    """Case 38: with the same key and body nothing is done again; another body is refused."""
    first = send(ada, create(), create(), headers=KEY)
    again = send(ada, create(), create(), headers=KEY)
    assert again.data == first.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(ada("GET", "").json) == 2
    problem(send(ada, create(), headers=KEY), 422, "key-reused")


def test_a_failed_batch_takes_no_key(ada: ApiClient) -> None:
    """It can be sent again with the same key, with another body too."""
    problem(send(ada, {"op": "delete", "id": UNUSED}, headers=KEY), 404, "task-not-found")
    results_of(send(ada, create(), headers=KEY))


def test_the_envelope_is_checked_as_a_whole(ada: ApiClient) -> None:
    """Case 38: 101 commands, a reference to a task that is not made yet, and others."""
    token = synced(ada)
    assert faults(send(ada, *[create()] * 101)) == {"/commands": "must have 1 to 100 items"}
    assert faults(send(ada)) == {"/commands": "must have 1 to 100 items"}
    assert faults(send(ada, {"op": "delete", "id": "$b"}, create(ref="b"))) == {
        "/commands/0/id": UNKNOWN_REF
    }
    assert faults(send(ada, create(ref="b"), create(ref="b"))) == {
        "/commands/1/ref": "is the ref of an earlier command"
    }
    assert faults(
        send(
            ada,
            {"op": "create", "if_match": "1"},
            {"op": "explode"},
            {"op": "update", "id": 3, "changes": [], "nmae": 1},
            7,  # type: ignore[arg-type]
            mode="all",
        )
    ) == {
        "/mode": "must be one of atomic, each",
        "/commands/0/task": "is required",
        "/commands/0/if_match": "is not a member of the command create",
        "/commands/1/op": "must be one of create, update, complete, delete, restore",
        "/commands/2/id": "must be a string",
        "/commands/2/changes": "must be a JSON object",
        "/commands/2/nmae": "is not a field that can be set",
        "/commands/3": "must be a JSON object",
    }
    assert page_of(ada, since=token)["next"] == token


def test_another_users_task_is_not_found(ada: ApiClient, eve: ApiClient) -> None:
    """By its id, as a parent, or by a name that stands for it in another batch."""
    (made,) = results_of(send(ada, create(ref="a")))
    task_id = made["task"]["id"]
    for op in ("complete", "delete", "restore"):
        problem(send(eve, {"op": op, "id": task_id}), 404, "task-not-found")
    assert faults(send(eve, create(parent_id=task_id))) == {
        "/commands/0/task/parent_id": "is not one of your tasks"
    }
    assert faults(send(eve, create(parent_id="$a"))) == {"/commands/0/task/parent_id": UNKNOWN_REF}
    assert eve("POST", f"/api/tasks/{ada.user}/batch", json={"commands": []}).status_code == 403


def test_a_tree_is_created_in_a_list(ada: ApiClient) -> None:
    """Sub-tasks follow their parent into its list."""
    a_list = new_list(ada)
    results = results_of(
        send(
            ada,
            create(ref="trip", list_id=a_list["id"]),
            create(ref="bags", parent_id="$trip"),
            create(parent_id="$bags"),
        )
    )
    made = [one["task"] for one in results]
    assert [one["list_id"] for one in made] == [a_list["id"]] * 3
    assert [one["parent_id"] for one in made] == [None, made[0]["id"], made[1]["id"]]
