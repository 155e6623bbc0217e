"""Lists: their operations, tasks in them, the inbox, and deletion: the case 54."""

from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.planning.conftest import StoppableClock
from tests.planning.questions import (
    by_position,
    changed,
    lists_of,
    moved,
    new_list,
    read,
    titles,
)
from tests.problem_details import faults, problem

from taskservice.core.workspace import OpenWorkspace

MISSING = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"
NOT_YOURS = {"/list_id": "is not one of your lists"}


def names(ada: ApiClient) -> list[str]:
    """Return the names of a user's lists in their order."""
    return [one["name"] for one in ada("GET", lists_of(ada)).json]


def test_a_list_is_created_read_and_listed(ada: ApiClient, eve: ApiClient) -> None:
    """With its path and its tag. Its owner alone has it."""
    answer = ada("POST", lists_of(ada), json={"name": "Groceries"})
    made = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{lists_of(ada)}/{made['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert list(made) == [
        *("id", "user_id", "name", "position", "created_at", "updated_at", "version")
    ]
    moment = f"{made['id'][:8]}{made['id'][9:13]}{made['id'][15:18]}"
    assert made["position"] == f"{moment}1"
    assert ada("GET", answer.headers["Location"]).json == made
    assert ada("GET", lists_of(ada)).json == [made]
    assert eve("GET", lists_of(eve)).json == []
    problem(eve("GET", f"{lists_of(eve)}/{made['id']}"), 404, "list-not-found")


def test_a_list_is_renamed_at_its_version(ada: ApiClient) -> None:
    """412 for another version, 304 for the one that is known."""
    path = f"{lists_of(ada)}/{new_list(ada)['id']}"
    renamed = ada("PATCH", path, json={"name": "Food"}, headers={"If-Match": '"1"'})
    assert (renamed.status_code, renamed.json["name"], renamed.json["version"]) == (200, "Food", 2)
    stale = ada("PATCH", path, json={"name": "x"}, headers={"If-Match": '"1"'})
    problem(stale, 412, "precondition-failed")
    assert ada("GET", path, headers={"If-None-Match": '"2"'}).status_code == 304
    assert faults(ada("PATCH", path, json={"name": " ", "position": "a"})) == {
        "/name": "must not be blank",
        "/position": "is not a field that can be set",
    }


def test_a_creation_with_a_key_is_done_once(ada: ApiClient) -> None:
    """A retry gets the first response, also of a move and of a deletion."""
    key = {"Idempotency-Key": "key"}
    first, again = (
        ada("POST", lists_of(ada), json={"name": "Groceries"}, headers=key) for _ in range(2)
    )
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert names(ada) == ["Groceries"]


def test_lists_are_moved(ada: ApiClient, clock: StoppableClock) -> None:
    """As tasks are."""
    a, b, c = (new_list(ada, name) for name in "ABC" if clock.step())
    path = lists_of(ada)
    assert ada("PATCH", f"{path}/{c['id']}/position", json={"after": a["id"]}).json["version"] == 2
    assert names(ada) == ["A", "C", "B"]
    ada("PATCH", f"{path}/{a['id']}/position", json={"place": "last"})
    assert names(ada) == ["C", "B", "A"]
    same = ada("PATCH", f"{path}/{b['id']}/position", json={"before": a["id"]})
    assert (same.status_code, same.json) == (200, b)
    alone = ada("PATCH", f"{path}/{b['id']}/position", json={"before": b["id"]})
    assert faults(alone) == {"/before": "is not beside this list"}


def test_there_are_500_lists_at_most(ada: ApiClient, open_workspace: OpenWorkspace) -> None:
    """All of them are on one page."""
    for n in range(500):
        new_list(ada, f"{n}")
    assert names(ada) == [f"{n}" for n in range(500)]
    answer = ada("POST", lists_of(ada), json={"name": "one more"})
    assert faults(answer) == {"/name": "a user has up to 500 lists"}
    assert len(names(ada)) == 500


def test_a_task_is_in_one_list_or_in_the_inbox(ada: ApiClient) -> None:
    """It is created there, or moves there, to the end."""
    groceries = new_list(ada)["id"]
    _, b = (ada.create(title=title, list_id=groceries) for title in "AB")
    c = ada.create(title="C")
    assert (titles(by_position(ada, groceries)), titles(by_position(ada))) == ("AB", "C")
    moved(ada, b, place="first")
    assert changed(ada, c, list_id=groceries).json["list_id"] == groceries
    assert (titles(by_position(ada, groceries)), by_position(ada)) == ("BAC", [])
    changed(ada, b, list_id=None)
    assert (titles(by_position(ada, groceries)), titles(by_position(ada))) == ("AC", "B")
    assert [one["title"] for one in ada("GET", f"?list_id={groceries}").json] == ["C", "A"]
    assert ada("GET", f"?list_id={MISSING}").json == []
    assert faults(ada("GET", "?list_id=Inbox")) == {"?list_id": "must be a UUID or inbox"}


def test_a_list_of_another_user_is_no_list(ada: ApiClient, eve: ApiClient) -> None:
    """The answers have the same bytes."""
    foreign, task = new_list(eve)["id"], ada.create()
    same = {"X-Request-Id": "same"}
    for method, path, body in (
        ("POST", "", {"title": "x"}),
        ("PATCH", f"/{task['id']}", {}),
        ("PUT", f"/{task['id']}", {"title": "x"}),
    ):
        answers = [
            ada(method, path, json={**body, "list_id": list_id}, headers=same)
            for list_id in (foreign, MISSING)
        ]
        assert [faults(answer) for answer in answers] == [NOT_YOURS, NOT_YOURS]
        assert answers[0].data == answers[1].data
    assert ada("GET").json == [task]


def test_a_sort_by_position_needs_a_list(ada: ApiClient) -> None:
    """It is an order within one."""
    for sort in ("position", "-position"):
        assert faults(ada("GET", f"?sort={sort}")) == {"?sort": "position needs list_id"}


def test_an_empty_list_is_deleted(ada: ApiClient) -> None:
    """A second deletion is 404, and a task cannot be put there."""
    made = new_list(ada)
    path = f"{lists_of(ada)}/{made['id']}"
    problem(ada("DELETE", path, headers={"If-Match": '"2"'}), 412, "precondition-failed")
    assert ada("DELETE", path, headers={"If-Match": '"1"'}).status_code == 204
    problem(ada("DELETE", path), 404, "list-not-found")
    problem(ada("DELETE", f"{path}?tasks=inbox"), 404, "list-not-found")
    assert faults(ada("POST", json={"title": "x", "list_id": made["id"]})) == NOT_YOURS


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "key"}])
def test_case_54_a_list_with_tasks_is_not_deleted(ada: ApiClient, key: dict[str, str]) -> None:
    """409, and nothing is gone. Without the key the answer is not remembered."""
    made = new_list(ada)
    path = f"{lists_of(ada)}/{made['id']}"
    task = ada.create(list_id=made["id"])
    answer = problem(ada("DELETE", path, headers=key), 409, "list-not-empty")
    assert answer["detail"] == "the list has tasks: set tasks=inbox or tasks=delete"
    assert (read(ada, task), ada("GET", path).json) == (task, made)
    ada("DELETE", f"/{task['id']}")
    assert ada("DELETE", path, headers=key).status_code == 204


def test_case_54_the_tasks_of_a_deleted_list_move_to_the_inbox(ada: ApiClient) -> None:
    """Behind what is there, in their order, with their sub-tasks."""
    made = new_list(ada)
    a, b = (ada.create(title=title, list_id=made["id"]) for title in "AB")
    moved(ada, b, place="first")
    below = ada.create(title="low", parent_id=a["id"])
    ada.create(title="I")
    answer = ada("DELETE", f"{lists_of(ada)}/{made['id']}?tasks=inbox")
    assert answer.status_code == 204
    assert titles(by_position(ada)) == "IBA"
    assert read(ada, a)["version"] == 2
    assert (read(ada, below)["list_id"], read(ada, below)["parent_id"]) == (None, a["id"])
    problem(ada("GET", f"{lists_of(ada)}/{made['id']}"), 404, "list-not-found")


def test_the_tasks_of_a_deleted_list_are_deleted_on_an_explicit_word(ada: ApiClient) -> None:
    """With their sub-tasks; those of other lists stay."""
    made, other = new_list(ada), ada.create()
    a = ada.create(title="A", list_id=made["id"])
    ada.create(title="low", parent_id=a["id"])
    answer = ada("DELETE", f"{lists_of(ada)}/{made['id']}?tasks=delete")
    assert answer.status_code == 204
    assert (ada("GET").json, names(ada)) == ([other], [])


def test_a_list_is_deleted_in_steps(ada: ApiClient) -> None:
    """Up to `limit` tasks each, at its version, which stays; a retry moves no others."""
    made = new_list(ada)
    path = f"{lists_of(ada)}/{made['id']}?tasks=inbox&limit=2"
    for title in "ABC":
        ada.create(title=title, list_id=made["id"])
    problem(ada("DELETE", path, headers={"If-Match": '"2"'}), 412, "precondition-failed")
    headers = {"If-Match": '"1"', "Idempotency-Key": "key"}
    for replayed in (None, "true"):
        step = ada("DELETE", path, headers=headers)
        assert (step.status_code, step.json) == (200, {"done": 2, "more": True})
        assert step.headers.get("Idempotency-Replayed") == replayed
        assert (titles(by_position(ada)), names(ada)) == ("AB", ["Groceries"])
    assert titles(by_position(ada, made["id"])) == "C"
    last = ada("DELETE", path, headers={"If-Match": '"1"'})
    assert (last.status_code, last.json) == (200, {"done": 1, "more": False})
    assert (titles(by_position(ada)), names(ada)) == ("ABC", [])
    problem(ada("DELETE", path), 404, "list-not-found")


def test_a_list_is_trashed_in_steps_of_whole_trees(ada: ApiClient) -> None:
    """What does not fit waits for the next step. Each tree comes back together."""
    made = new_list(ada)
    path = f"{lists_of(ada)}/{made['id']}?tasks=delete&limit=2"
    root = [ada.create(title=title, list_id=made["id"]) for title in "AB"][1]
    below = ada.create(title="low", parent_id=root["id"])
    assert ada("DELETE", path).json == {"done": 1, "more": True}
    assert [one["title"] for one in ada("GET").json] == ["low", "B"]
    assert ada("DELETE", path).json == {"done": 2, "more": False}
    assert (names(ada), ada("GET").json) == ([], [])
    ada("POST", f"/api/tasks/{ada.user}/trash/{root['id']}/restore")
    assert titles(by_position(ada)) == "B"
    assert read(ada, below)["parent_id"] == root["id"]


def test_an_empty_list_is_deleted_in_one_step(ada: ApiClient) -> None:
    """The response is that of the last step."""
    for tasks in ("inbox", "delete"):
        path = f"{lists_of(ada)}/{new_list(ada)['id']}?tasks={tasks}&limit=1"
        assert ada("DELETE", path).json == {"done": 0, "more": False}
        problem(ada("DELETE", path), 404, "list-not-found")


def test_only_the_words_of_the_contract_delete_a_list(ada: ApiClient) -> None:
    """Another word is refused, and nothing is gone."""
    made = new_list(ada)
    for query, expected in (
        ("tasks=keep", {"?tasks": "must be one of inbox, delete"}),
        ("subtasks=delete", {"?subtasks": "is not a parameter of this operation"}),
        ("limit=1", {"?limit": "needs tasks"}),
        ("tasks=inbox&limit=0", {"?limit": "must be from 1 to 1000"}),
        ("tasks=inbox&limit=1001", {"?limit": "must be from 1 to 1000"}),
    ):
        assert faults(ada("DELETE", f"{lists_of(ada)}/{made['id']}?{query}")) == expected
    assert names(ada) == ["Groceries"]


def test_more_than_a_thousand_tasks_are_refused(ada: ApiClient, thousand: dict[str, Any]) -> None:
    """Nothing is written by a deletion of the list, or of a tree, or by a move of a tree."""
    root, list_id = thousand["root"], thousand["list"]["id"]
    too_many = "would change more than 1,000 tasks at once"
    in_steps = f"{too_many}: set `limit`, and ask again while there are more"
    too_large = "is less than each task here has with its sub-tasks, which move together"
    assert faults(changed(ada, root, list_id=None)) == {"/list_id": too_many}
    for path, expected in (
        (f"{lists_of(ada)}/{list_id}?tasks=inbox", {"?tasks": in_steps}),
        (f"{lists_of(ada)}/{list_id}?tasks=delete", {"?tasks": in_steps}),
        (f"{lists_of(ada)}/{list_id}?tasks=inbox&limit=1000", {"?limit": too_large}),
        (f"/{root['id']}?subtasks=delete", {"?subtasks": too_many}),
    ):
        assert faults(ada("DELETE", path)) == expected
    assert len(by_position(ada, list_id, parent_id=root["id"])) == 1000
    assert read(ada, root) == root
    below = by_position(ada, list_id, parent_id=root["id"])[0]
    ada("DELETE", f"/{below['id']}")
    assert changed(ada, root, list_id=None).status_code == 200
    assert len(by_position(ada, "inbox", parent_id=root["id"])) == 999
    assert ada("DELETE", f"/{root['id']}?subtasks=delete").status_code == 204
    assert ada("GET").json == []


@pytest.fixture
def thousand(ada: ApiClient) -> dict[str, Any]:
    """A list with one task, which has a thousand sub-tasks."""
    made = new_list(ada)
    root = ada.create(list_id=made["id"])
    for _ in range(1000):
        ada.create(parent_id=root["id"])
    return {"list": made, "root": root}
