"""Sub-tasks: parents, depth, trees that move along, and deletion: the cases 51 to 53."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from tests.http_callers import ApiClient
from tests.planning.questions import by_position, changed, moved, new_list, read, titles
from tests.problem_details import faults, problem

from taskservice.core.ordering import MAX_KEY_LENGTH
from taskservice.core.task import Task
from taskservice.core.workspace import OpenWorkspace

NOT_YOURS = {"/parent_id": "is not one of your tasks"}
UNDER_ITSELF = {"/parent_id": "would be under itself"}
TOO_DEEP = {"/parent_id": "would be deeper than 10"}
OTHER_LIST = {"/parent_id": "is in another list"}
MISSING = "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11"


def chain(ada: ApiClient, length: int, **fields: Any) -> list[dict[str, Any]]:
    """Create tasks of which each is the parent of the next."""
    tasks = [ada.create(title="1", **fields)]
    for n in range(2, length + 1):
        tasks.append(ada.create(title=f"{n}", parent_id=tasks[-1]["id"]))
    return tasks


def test_case_51_opposite_changes_of_parent_at_once(ada: ApiClient) -> None:
    """A under B and B under A: one succeeds, the other is refused, and there is never a cycle."""
    barrier = Barrier(2)

    def put(pair: tuple[dict[str, Any], dict[str, Any]]) -> Any:
        barrier.wait(30)
        return changed(ada, pair[0], parent_id=pair[1]["id"])

    with ThreadPoolExecutor(2) as pool:
        for _ in range(20):
            a, b = ada.create(title="A"), ada.create(title="B")
            one, other = sorted(pool.map(put, [(a, b), (b, a)]), key=lambda it: it.status_code)
            assert one.status_code == 200
            assert faults(other) == UNDER_ITSELF


def test_case_52_no_task_is_under_itself(ada: ApiClient) -> None:
    """Directly, and through others."""
    tasks = chain(ada, 3)
    for below in tasks:
        assert faults(changed(ada, tasks[0], parent_id=below["id"])) == UNDER_ITSELF
    assert read(ada, tasks[0]) == tasks[0]


def test_case_52_the_depth_is_limited(ada: ApiClient) -> None:
    """Ten levels, counted to the lowest task of what is moved."""
    tasks = chain(ada, 10)
    answer = ada("POST", json={"title": "11", "parent_id": tasks[-1]["id"]})
    assert faults(answer) == TOO_DEEP
    tree = chain(ada, 3)
    assert faults(changed(ada, tree[0], parent_id=tasks[7]["id"])) == TOO_DEEP
    assert changed(ada, tree[0], parent_id=tasks[6]["id"]).status_code == 200


def test_case_52_a_parent_of_another_user_is_no_task(ada: ApiClient, eve: ApiClient) -> None:
    """The answers have the same bytes, at creation and at a change."""
    foreign, task = eve.create(), ada.create()
    same = {"X-Request-Id": "same"}
    path = f"/{task['id']}"
    for method, at, fields in (
        ("POST", "", {"title": "x"}),
        ("PATCH", path, {}),
        ("PUT", path, {"title": "x"}),
    ):
        answers = [
            ada(method, at, json={**fields, "parent_id": parent}, headers=same)
            for parent in (foreign["id"], MISSING)
        ]
        assert [faults(answer) for answer in answers] == [NOT_YOURS, NOT_YOURS]
        assert answers[0].data == answers[1].data
    assert read(ada, task) == task


def test_404_and_412_come_before_what_needs_a_look_at_the_database(ada: ApiClient) -> None:
    """A task that is not there, and one at another version, are told first."""
    task = ada.create()
    body = {"parent_id": MISSING, "list_id": MISSING}
    problem(ada("PATCH", f"/{MISSING}", json=body), 404, "task-not-found")
    stale = ada("PATCH", f"/{task['id']}", json=body, headers={"If-Match": '"7"'})
    problem(stale, 412, "precondition-failed")
    to = {"after": MISSING}
    problem(ada("PATCH", f"/{MISSING}/position", json=to), 404, "task-not-found")
    stale = ada("PATCH", f"/{task['id']}/position", json=to, headers={"If-Match": '"7"'})
    problem(stale, 412, "precondition-failed")
    both = faults(ada("PATCH", f"/{task['id']}", json=body))
    assert both == {"/list_id": "is not one of your lists", **NOT_YOURS}


def test_a_subtask_follows_its_parent(ada: ApiClient) -> None:
    """Without a list in the body it is in the list of its parent; another one is refused."""
    groceries, work = new_list(ada)["id"], new_list(ada, "Work")["id"]
    parent = ada.create(list_id=groceries)
    below = ada.create(parent_id=parent["id"])
    assert below["list_id"] == groceries
    same = ada.create(parent_id=parent["id"], list_id=groceries)
    assert same["list_id"] == groceries
    wrong = {"title": "x", "parent_id": parent["id"], "list_id": work}
    assert faults(ada("POST", json=wrong)) == OTHER_LIST
    loose = ada.create(list_id=work)
    assert changed(ada, loose, parent_id=parent["id"]).json["list_id"] == groceries
    other = ada.create(list_id=work)
    assert faults(changed(ada, other, parent_id=parent["id"], list_id=work)) == OTHER_LIST
    assert faults(changed(ada, other, parent_id=parent["id"], list_id=None)) == OTHER_LIST
    assert faults(changed(ada, below, list_id=work)) == OTHER_LIST
    apart = changed(ada, below, list_id=work, parent_id=None).json
    assert (apart["list_id"], apart["parent_id"]) == (work, None)


def test_a_tree_moves_to_another_list_as_a_whole(ada: ApiClient) -> None:
    """Each version grows by one, and the order below stays. The task is last in its new list."""
    groceries = new_list(ada)["id"]
    there = ada.create(title="there", list_id=groceries)
    root, *_, lowest = tree = chain(ada, 4)
    beside = ada.create(title="beside", parent_id=root["id"])
    moved(ada, beside, place="first")
    answer = changed(ada, root, list_id=groceries).json
    assert (answer["version"], answer["list_id"]) == (2, groceries)
    assert [read(ada, task)["version"] for task in tree] == [2, 2, 2, 2]
    assert read(ada, lowest) == lowest | {
        "list_id": groceries,
        "version": 2,
        "updated_at": read(ada, lowest)["updated_at"],
    }
    assert [one["id"] for one in by_position(ada, groceries)] == [there["id"], root["id"]]
    assert titles(by_position(ada, groceries, parent_id=root["id"])) == "beside2"


def test_a_change_that_names_where_the_task_is_changes_nothing(ada: ApiClient) -> None:
    """A client that sends all members back moves nothing."""
    root, below = chain(ada, 2)
    ada.create(title="last")
    sent = {"title": "2", "parent_id": root["id"], "list_id": None}
    assert ada("PUT", f"/{below['id']}", json=sent).json == below
    assert changed(ada, root, list_id=None, parent_id=None).json == root


def test_a_task_under_another_parent_is_last_there(ada: ApiClient) -> None:
    """Also behind one that was moved there, and behind nothing but itself."""
    older, root = (ada.create(title=title) for title in ("older", "root"))
    first, second = (ada.create(title=title, parent_id=root["id"]) for title in "AB")
    moved(ada, first, place="last")
    third = ada.create(title="C")
    assert changed(ada, third, parent_id=root["id"]).json["version"] == 2
    assert titles(by_position(ada, parent_id=root["id"])) == "BAC"
    changed(ada, older, parent_id=root["id"])
    assert titles(by_position(ada, parent_id=root["id"])) == "BAColder"
    out = changed(ada, second, parent_id=None).json
    assert out["parent_id"] is None
    assert titles(by_position(ada)) == "rootB"


def test_closing_and_reopening_leave_subtasks_as_they_are(ada: ApiClient) -> None:
    """A closed task may have open sub-tasks, and an open one closed ones."""
    root, below = chain(ada, 2)
    ada("PATCH", f"/{root['id']}/complete")
    assert read(ada, below) == below
    ada("PATCH", f"/{below['id']}/complete")
    ada("PATCH", f"/{root['id']}/complete", json={"completed": False})
    assert read(ada, below)["completed"] is True


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "key"}])
def test_case_53_subtasks_take_the_place_of_a_deleted_task(
    ada: ApiClient, key: dict[str, str]
) -> None:
    """They stand where it stood, in their order, under its parent. A retry is harmless."""
    top = ada.create(title="top")
    parent_id = top["id"]
    _, deleted, _ = (ada.create(title=title, parent_id=parent_id) for title in "AXD")
    b, _, c = (ada.create(title=title, parent_id=deleted["id"]) for title in "B2C")
    lower = ada.create(title="low", parent_id=b["id"])
    for _ in range(2 if key else 1):
        answer = ada("DELETE", f"/{deleted['id']}", headers=key)
        assert answer.status_code == 204
    problem(ada("GET", f"/{deleted['id']}"), 404, "task-not-found")
    assert titles(by_position(ada, parent_id=parent_id)) == "AB2CD"
    assert read(ada, lower) == lower
    assert read(ada, c)["version"] == 2


def test_case_53_without_room_the_neighbors_are_spread(
    ada: ApiClient, same_moment: list[dict[str, Any]]
) -> None:
    """Sub-tasks take the place of a task that has the key of its neighbors, at its version."""
    _, deleted, _ = same_moment
    for title in "123":
        ada.create(title=title, parent_id=deleted["id"])
    answer = ada("DELETE", f"/{deleted['id']}", headers={"If-Match": '"1"'})
    assert answer.status_code == 204
    assert titles(by_position(ada)) == "A123C"


def test_case_53_behind_a_long_key_there_is_room(
    ada: ApiClient, open_workspace: OpenWorkspace
) -> None:
    """A sub-task takes the place of the last task, whose key is as long as can be."""
    root, _ = chain(ada, 2)
    with open_workspace(ada.user) as workspace:
        step = partial(Task.placed, position="z" * MAX_KEY_LENGTH)
        workspace.tasks.change(UUID(root["id"]), step)
    assert ada("DELETE", f"/{root['id']}").status_code == 204
    assert titles(by_position(ada)) == "2"


def test_case_53_a_tree_is_deleted_on_an_explicit_word(ada: ApiClient) -> None:
    """All of it, at any depth, and nothing else."""
    root, *below = chain(ada, 4)
    ada.create(title="beside", parent_id=root["id"])
    other = ada.create(title="other")
    assert ada("DELETE", f"/{root['id']}?subtasks=delete").status_code == 204
    assert [one["id"] for one in ada("GET").json] == [other["id"]]
    problem(ada("DELETE", f"/{below[0]['id']}?subtasks=delete"), 404, "task-not-found")
    wrong = ada("DELETE", f"/{other['id']}?subtasks=keep")
    assert faults(wrong) == {"?subtasks": "must be one of delete"}


def test_a_deletion_at_another_version_changes_no_subtask(ada: ApiClient) -> None:
    """412, with and without the word."""
    root, below = chain(ada, 2)
    for query in ("", "?subtasks=delete"):
        stale = ada("DELETE", f"/{root['id']}{query}", headers={"If-Match": '"2"'})
        problem(stale, 412, "precondition-failed")
    assert [read(ada, task) for task in (root, below)] == [root, below]


def test_filters_find_tasks_by_parent(ada: ApiClient) -> None:
    """The sub-tasks of one, or all that are none. An id that nobody has finds nothing."""
    root, below = chain(ada, 2)
    assert ada("GET", f"?parent_id={root['id']}").json == [below]
    assert ada("GET", "?parent_id=none").json == [root]
    assert ada("GET", f"?parent_id={MISSING}").json == []
    assert faults(ada("GET", "?parent_id=null")) == {"?parent_id": "must be a UUID or none"}
