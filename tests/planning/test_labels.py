"""Labels on tasks, the filters by them, and their counts: the case 55."""

from typing import Any

import pytest
from tests.http_callers import ApiClient
from tests.planning.questions import all_pages, changed, found, read
from tests.problem_details import faults, problem

SPACE = "must not begin or end with white space"
BREAK = "must not contain control characters or line separators"
THERE = "is there already, whatever the case"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["Home", "home"], {"/labels/1": THERE}),
        (["Straße", "x", "STRASSE"], {"/labels/2": THERE}),
        (["a,b"], {"/labels/0": "must not contain a comma"}),
        (["x", ""], {"/labels/1": "must not be blank"}),
        ([" x"], {"/labels/0": SPACE}),
        (["x\u3000"], {"/labels/0": SPACE}),
        (["x" * 101], {"/labels/0": "must be at most 100 characters"}),
        (["a\nb"], {"/labels/0": "must not contain control characters"}),
        (["a\x7fb"], {"/labels/0": BREAK}),
        (["a\u2028b"], {"/labels/0": BREAK}),
        ([" x", 1], {"/labels/0": SPACE, "/labels/1": "must be a string"}),
        ([f"{n}" for n in range(51)], {"/labels": "must have at most 50 labels"}),
        ("home", {"/labels": "must be an array of strings"}),
    ],
)
def test_case_55_a_label_is_refused_at_its_place(
    ada: ApiClient, labels: Any, expected: dict[str, str]
) -> None:
    """In the order in which they were sent."""
    assert faults(ada("POST", json={"title": "x", "labels": labels})) == expected


def test_case_55_another_order_is_no_change(ada: ApiClient) -> None:
    """Labels are kept as written, and shown by code point."""
    task = ada.create(labels=["home", "Zoo", "\U0001f600", "é"])
    assert task["labels"] == ["Zoo", "home", "é", "\U0001f600"]
    assert changed(ada, task, labels=["é", "\U0001f600", "home", "Zoo"]).json == task


def test_labels_replace_labels(ada: ApiClient) -> None:
    """An array of a merge patch is not merged (RFC 7396)."""
    task = ada.create(labels=["garden", "home"])
    assert changed(ada, task, labels=["work"]).json["labels"] == ["work"]
    assert changed(ada, task, labels=["Work"]).json["labels"] == ["Work"]
    assert changed(ada, task, labels=[]).json["labels"] == []


def test_case_55_filters_by_labels_ignore_case(ada: ApiClient) -> None:
    """Whole labels are compared, and no part of one."""
    for title, labels in {
        "both": ["Home", "Straße"],
        "home": ["home"],
        "homes": ["homes", "my home"],
        "none": [],
    }.items():
        ada.create(title=title, labels=labels)
    assert found(ada, labels_any="HOME") == {"both", "home"}
    assert found(ada, labels_any="STRASSE,homes") == {"both", "homes"}
    assert found(ada, labels_all="strasse,home") == {"both"}
    assert found(ada, labels_all="home,homes") == set()
    assert found(ada, labels_all="%") == found(ada, labels_any="_,o") == set()


@pytest.mark.parametrize("name", ["labels_all", "labels_any"])
def test_a_filter_has_one_to_ten_labels(ada: ApiClient, name: str) -> None:
    """The message says which of them is not valid."""
    assert found(ada, **{name: ",".join("abcdefghij")}) == set()
    for value, message in {
        ",".join("abcdefghijk"): "must have at most 10 labels",
        "": "item 1 must not be blank",
        "a,,b": "item 2 must not be blank",
        "a,A": f"item 2 {THERE}",
    }.items():
        assert faults(ada("GET", query_string={name: value})) == {f"?{name}": message}


def labels_of(ada: ApiClient) -> Any:
    return ada("GET", f"/api/tasks/{ada.user}/labels").json


def test_the_labels_of_all_tasks_are_counted(ada: ApiClient) -> None:
    """By code point, in the most frequent spelling, with open tasks and all tasks."""
    assert labels_of(ada) == []
    new: list[tuple[list[str], dict[str, Any]]] = [
        (["home", "Work"], {}),
        (["Home"], {"completed": True}),
        (["home"], {"status": "cancelled"}),
        (["work", "Zoo"], {}),
        ([], {}),
    ]
    for labels, fields in new:
        ada.create(labels=labels, **fields)
    assert labels_of(ada) == [
        {"label": "Work", "open": 2, "all": 2},
        {"label": "Zoo", "open": 1, "all": 1},
        {"label": "home", "open": 1, "all": 3},
    ]


def rename(ada: ApiClient, label: Any, new: Any, headers: Any = None, **members: Any) -> Any:
    """Send the new name of a label, and return the response."""
    body = {"label": label, "new": new, **members}
    return ada("PATCH", f"/api/tasks/{ada.user}/labels", json=body, headers=headers or {})


def test_a_label_is_renamed_on_all_tasks(ada: ApiClient, eve: ApiClient) -> None:
    """In any case; a task that has both keeps one, and one has its new spelling."""
    news: list[tuple[list[str], dict[str, Any]]] = [
        (["Home", "work"], {}),
        (["HOME"], {"completed": True}),
        (["home", "House"], {}),
        (["HOUSE"], {}),
        (["house"], {}),
        (["homes"], {}),
    ]
    tasks = [ada.create(labels=labels, **fields) for labels, fields in news]
    foreign = eve.create(labels=["home"])
    renamed = rename(ada, "home", "house")
    assert (renamed.status_code, renamed.json) == (
        200,
        {"label": "house", "open": 4, "all": 5, "more": False},
    )
    after = [read(ada, task) for task in tasks]
    assert [(task["labels"], task["version"]) for task in after] == [
        *((["house", "work"], 2), (["house"], 2), (["house"], 2)),
        *((["house"], 2), (["house"], 1), (["homes"], 1)),
    ]
    assert rename(ada, "home", "house").json == renamed.json
    assert [read(ada, task) for task in tasks] == after
    assert read(eve, foreign) == foreign


def test_a_label_gets_another_spelling(ada: ApiClient) -> None:
    """The same one in another case, or one that only folds to it."""
    task = ada.create(labels=["home", "STRASSE"])
    assert rename(ada, "home", "Home").json["all"] == 1
    assert rename(ada, "straße", "Straße").json["all"] == 1
    assert read(ada, task)["labels"] == ["Home", "Straße"]
    assert read(ada, task)["version"] == 3


def test_a_label_that_no_task_has_is_renamed_without_effect(ada: ApiClient) -> None:
    """The entry has no tasks then, so a retry is harmless."""
    nothing = {"label": "house", "open": 0, "all": 0, "more": False}
    assert rename(ada, "home", "house").json == nothing


def test_a_label_is_renamed_in_steps(ada: ApiClient) -> None:
    """Up to `limit` tasks each. A retry with the key of a step renames no others."""
    for _ in range(3):
        ada.create(labels=["home"])
    key = {"Idempotency-Key": "key"}
    for replayed in (None, "true"):
        step = rename(ada, "home", "house", key, limit=2)
        assert step.json == {"label": "house", "open": 2, "all": 2, "more": True}
        assert step.headers.get("Idempotency-Replayed") == replayed
    last = rename(ada, "home", "house", limit=2)
    assert last.json == {"label": "house", "open": 3, "all": 3, "more": False}
    assert {label for task in all_pages(ada) for label in task["labels"]} == {"house"}


def test_a_renaming_is_refused_at_its_members(ada: ApiClient) -> None:
    """As a label of a task is. Nothing is changed."""
    task = ada.create(labels=["home"])
    assert faults(rename(ada, " home", "a,b", limit=0)) == {
        "/label": SPACE,
        "/new": "must not contain a comma",
        "/limit": "must be from 1 to 1000",
    }
    assert faults(rename(ada, 1, "x" * 101, limit="2")) == {
        "/label": "must be a string",
        "/new": "must be at most 100 characters",
        "/limit": "must be a whole number",
    }
    assert faults(ada("PATCH", f"/api/tasks/{ada.user}/labels", json={"nmae": "x"})) == {
        "/label": "is required",
        "/new": "is required",
        "/nmae": "is not a field that can be set",
    }
    assert read(ada, task) == task


def test_a_label_goes_with_its_last_task(ada: ApiClient) -> None:
    """Labels are no entities."""
    task = ada.create(labels=["home"])
    ada("DELETE", f"/{task['id']}")
    assert labels_of(ada) == []


def test_at_most_a_thousand_labels_are_listed(ada: ApiClient) -> None:
    """The first by code point."""
    names = [f"{n:04}" for n in range(1001)]
    for first in range(0, 1001, 50):
        ada.create(labels=names[first : first + 50])
    assert [one["label"] for one in labels_of(ada)] == names[:1000]


def test_the_labels_have_the_preconditions_of_a_list(ada: ApiClient) -> None:
    """A list has no ETag."""
    path = f"/api/tasks/{ada.user}/labels"
    assert ada("GET", path, headers={"If-None-Match": "*"}).status_code == 304
    response = ada("GET", path, headers={"If-Match": '"1"'})
    assert problem(response, 412, "precondition-failed")
