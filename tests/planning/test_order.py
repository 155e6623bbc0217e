"""Manual order: position keys, moves of tasks and of lists: the cases 48 to 50."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from tests.http_callers import ApiClient
from tests.planning.conftest import StoppableClock
from tests.planning.questions import by_position, moved, new_list, titles
from tests.problem_details import faults

from taskservice.core.ordering import MAX_KEY_LENGTH
from taskservice.core.task import Task
from taskservice.core.workspace import OpenWorkspace

ONE = "exactly one of after, before, place must be given"
BESIDE = "is not beside this task"


def test_case_48_new_tasks_are_in_the_order_of_their_ids(ada: ApiClient) -> None:
    """However many are created at once; the key is that of the moment in the id."""
    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(lambda n: ada.create(title=f"{n}"), range(200)))
    listed = by_position(ada)
    assert listed == sorted(tasks, key=lambda task: task["id"])
    moments = [f"{one['id'][:8]}{one['id'][9:13]}{one['id'][15:18]}" for one in listed]
    assert [one["position"] for one in listed] == [f"{moment}1" for moment in moments]


def test_case_49_a_task_moves_behind_another(ada: ApiClient) -> None:
    """A, B, C: C behind A is A, C, B. Again there is no new version."""
    a, _, c = (ada.create(title=title) for title in "ABC")
    first = moved(ada, c, after=a["id"])
    assert (first.status_code, first.json["version"]) == (200, 2)
    assert titles(by_position(ada)) == "ACB"
    assert moved(ada, c, after=a["id"]).json == first.json


@pytest.mark.parametrize("open_workspace", ["memory"], indirect=True)
@pytest.mark.parametrize(
    ("title", "to", "expected"),
    [
        ("A", {"after": "C"}, "BCAD"),
        ("A", {"after": "D"}, "BCDA"),
        ("A", {"before": "D"}, "BCAD"),
        ("D", {"before": "A"}, "DABC"),
        ("C", {"before": "B"}, "ACBD"),
        ("D", {"place": "first"}, "DABC"),
        ("A", {"place": "last"}, "BCDA"),
        ("B", {"after": "A"}, "ABCD"),
        ("B", {"before": "C"}, "ABCD"),
        ("A", {"place": "first"}, "ABCD"),
        ("D", {"place": "last"}, "ABCD"),
    ],
)
def test_a_task_moves_to_a_place(
    ada: ApiClient, clock: StoppableClock, title: str, to: dict[str, str], expected: str
) -> None:
    """Beside another one, or to the start or the end. One that stands there does not change."""
    tasks = {each: ada.create(title=each) for each in "ABCD" if clock.step()}
    body = {name: tasks[value]["id"] if value in tasks else value for name, value in to.items()}
    answer = moved(ada, tasks[title], **body)
    assert titles(by_position(ada)) == expected
    assert answer.json["version"] == (1 if expected == "ABCD" else 2)
    others = [task for task in by_position(ada) if task["title"] != title]
    assert {task["version"] for task in others} == {1}


def test_a_task_created_after_a_move_to_the_end_is_last(ada: ApiClient) -> None:
    """The end is the moment of the move."""
    a, _ = (ada.create(title=title) for title in "AB")
    moved(ada, a, place="last")
    ada.create(title="C")
    assert titles(by_position(ada)) == "BAC"


def test_case_49_many_moves_into_one_gap_all_succeed(ada: ApiClient) -> None:
    """50 tasks behind A at once: all are behind A and before what followed, for every reader."""
    a, z = ada.create(title="A"), ada.create(title="Z")
    others = [ada.create(title="x") for _ in range(50)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda task: moved(ada, task, after=a["id"]), others))
    assert {answer.status_code for answer in answers} == {200}
    ids = [task["id"] for task in by_position(ada)]
    assert (ids[0], ids[-1]) == (a["id"], z["id"])
    assert {*ids[1:-1]} == {task["id"] for task in others}
    assert ids == [task["id"] for task in by_position(ada, limit=7)]


def test_case_50_a_thousand_moves_behind_one_task(ada: ApiClient) -> None:
    """No key grows over the limit, no error occurs, and the order is that of a plain list."""
    tasks = [ada.create(title=f"{n}") for n in range(5)]
    model = [task["id"] for task in tasks]
    for n in range(1000):
        task = model[-1 - n % 3]
        answer = moved(ada, {"id": task}, after=model[0])
        assert (answer.status_code, len(answer.json["position"]) <= MAX_KEY_LENGTH) == (200, True)
        model.remove(task)
        model.insert(1, task)
    listed = by_position(ada)
    assert [task["id"] for task in listed] == model
    assert max(len(task["position"]) for task in listed) <= MAX_KEY_LENGTH


def test_crowded_neighbors_are_spread(ada: ApiClient, open_workspace: OpenWorkspace) -> None:
    """Where a key would get too long, neighbors with long keys get new ones, in their order."""
    tasks = {title: ada.create(title=title) for title in "ABCDE"}
    keys = {"A": "5", "B": f"5{'0' * 126}z", "C": f"5{'0' * 125}1", "D": "6", "E": "7"}
    with open_workspace(ada.user) as workspace:
        for title, key in keys.items():
            workspace.tasks.change(UUID(tasks[title]["id"]), partial(Task.placed, position=key))
    assert moved(ada, tasks["E"], after=tasks["B"]["id"]).status_code == 200
    listed = by_position(ada)
    assert titles(listed) == "ABECD"
    assert [task["version"] for task in listed] == [2, 3, 3, 3, 2]
    assert [len(task["position"]) for task in listed] == [1, 2, 2, 2, 1]


def test_the_end_has_room_behind_a_key_of_the_future(
    ada: ApiClient, open_workspace: OpenWorkspace
) -> None:
    """An import may have such a key; a move to the end and a new parent are behind it."""
    parent = ada.create(title="P")
    a, b, last = (ada.create(title=title, parent_id=parent["id"]) for title in "ABC")
    with open_workspace(ada.user) as workspace:
        step = partial(Task.placed, position=f"{'z' * MAX_KEY_LENGTH}1")
        workspace.tasks.change(UUID(last["id"]), step)
    assert moved(ada, a, place="last").status_code == 200
    outside = ada.create(title="D")
    answer = ada("PATCH", f"/{outside['id']}", json={"parent_id": parent["id"]})
    assert answer.status_code == 200
    listed = by_position(ada, parent_id=parent["id"])
    assert (titles(listed), listed[0]) == ("BCAD", b)
    assert max(len(task["position"]) for task in listed) <= MAX_KEY_LENGTH


def test_equal_keys_are_spread_before_a_move_between_them(
    ada: ApiClient, same_moment: list[dict[str, Any]]
) -> None:
    """Between two tasks of one millisecond there is no room; they stand by id."""
    first, second, third = same_moment
    assert first["position"] == second["position"] == third["position"]
    d = ada.create(title="D")
    answer = moved(ada, d, after=first["id"])
    assert answer.status_code == 200
    ids = [task["id"] for task in by_position(ada)]
    assert ids == [first["id"], d["id"], second["id"], third["id"]]
    assert titles([answer.json]) == "D"


@pytest.mark.parametrize("open_workspace", ["memory"], indirect=True)
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"/after": ONE}),
        ({"after": "{b}", "place": "last"}, {"/place": ONE}),
        ({"after": "{b}", "before": "{b}"}, {"/before": ONE}),
        ({"after": None}, {"/after": "must not be null"}),
        ({"after": "x"}, {"/after": "must be a UUID"}),
        ({"place": "middle"}, {"/place": "must be one of first, last"}),
        ({"position": "a"}, {"/position": "is not a field that can be set"}),
        ({"after": "{a}"}, {"/after": BESIDE}),
        ({"before": "{foreign}"}, {"/before": BESIDE}),
        ({"after": "{missing}"}, {"/after": BESIDE}),
        ({"after": "{elsewhere}"}, {"/after": BESIDE}),
        ({"before": "{subtask}"}, {"/before": BESIDE}),
    ],
)
def test_a_move_to_nowhere_is_refused(
    ada: ApiClient, eve: ApiClient, body: dict[str, Any], expected: dict[str, str]
) -> None:
    """At its pointer. Another user's task is as absent as no task."""
    a, b = (ada.create(title=title) for title in "AB")
    a_list = new_list(ada)
    ids = {
        "a": a["id"],
        "b": b["id"],
        "foreign": eve.create()["id"],
        "missing": "01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11",
        "elsewhere": ada.create(list_id=a_list["id"])["id"],
        "subtask": ada.create(parent_id=b["id"])["id"],
    }
    sent = {k: v.format(**ids) if isinstance(v, str) else v for k, v in body.items()}
    answer = moved(ada, a, **sent)
    assert faults(answer) == expected
    assert ada("GET", f"/{a['id']}").json == a
