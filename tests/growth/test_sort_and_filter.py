"""A field to sort and filter by is an argument of its statement, and a filter of the query."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.databases import service_engine, sqlite_database
from tests.growth.scratch import (
    SORTABLE_RATING,
    Client,
    Scratch,
    add_rating,
    next_page,
    scratch_package,
)
from tests.http_callers import ApiClient, application
from tests.openapi_compatibility import breaks

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import openapi_document
from taskservice.testing import ADA

QUERIES = ["?limit=1", "?limit=1&completed=false&sort=title"]
PRIORITIES = [2, None, 1, 2, None, 9]
FILTER = """
    rating: int | None = filter_by(
        "rating", Operator.EQUALS, "Only tasks with this rating.", example=1
    )
"""


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """The package with a field `rating` to sort and filter by."""
    scratch = scratch_package(tmp_path_factory.mktemp("scratch"))
    add_rating(scratch, SORTABLE_RATING)
    scratch.append("core/task_query.py", FILTER.lstrip("\n"))
    return scratch


def test_the_field_and_its_filter_are_two_statements(scratch: Scratch) -> None:
    """The entity with its form, and the query."""
    assert scratch.changed_lines() == {
        "core/task.py": 2,
        "core/entity.py": 1,
        "core/task_query.py": len(FILTER.strip().splitlines()),
    }


def order(task: dict[str, Any]) -> tuple[bool, int, str]:
    """Return the sort key of a task: null is greater than any value, ties are sorted by id."""
    return task["rating"] is None, task["rating"] or 0, task["id"]


@pytest.mark.parametrize("sort", ["rating", "-rating"])
def test_pages_are_sorted_by_the_field(client: Client, sort: str) -> None:
    """Each task is on one page, in order, with null as greater than any value."""
    tasks = [client.create(title="Plan", rating=value) for value in PRIORITIES]
    pages = client.pages(f"limit=2&sort={sort}")
    assert [len(page) for page in pages] == [2, 2, 2]
    expected = sorted(tasks, key=order, reverse=sort.startswith("-"))
    assert [task for page in pages for task in page] == expected


@pytest.mark.parametrize("value", [1, 2, 3])
def test_a_list_is_filtered_by_the_field(client: Client, value: int) -> None:
    """On every page, and in the count."""
    tasks = [client.create(title="Plan", rating=value) for value in PRIORITIES]
    expected = [task for task in tasks if task["rating"] == value]
    query = f"rating={value}&sort=created_at"
    assert [task for page in client.pages(f"{query}&limit=1") for task in page] == expected
    counted = client("GET", f"?{query}", Prefer="count=exact")
    assert counted.headers["X-Total-Count"] == str(len(expected))


@pytest.mark.parametrize("value", ["0", "10", "1.5", "true", "null"])
def test_another_value_of_the_filter_is_refused(client: Client, value: str) -> None:
    """The filter has the bounds of the field."""
    answer = client("GET", f"?rating={value}")
    assert (answer.status, answer.json["type"]) == (422, "/problems/invalid-request")
    assert [error["parameter"] for error in answer.json["errors"]] == ["rating"]


def test_a_cursor_of_another_filter_is_refused(client: Client) -> None:
    """The cursor of a list with the filter belongs to that list only."""
    for _ in range(2):
        client.create(title="Plan", rating=1)
    link = next_page(client("GET", "?limit=1&rating=1"))
    assert client("GET", link).status == 200
    answer = client("GET", link.replace("rating=1", "rating=2"))
    assert (answer.status, answer.json["type"]) == (400, "/problems/malformed-request")


def parameters(document: Any) -> list[str]:
    """Return the names of the parameters of a list, in their order."""
    listed = document["paths"]["/api/tasks/{user_id}/tasks"]["get"]
    return [one["name"] for one in listed["parameters"]]


def test_the_document_has_the_filter_behind_all_parameters(client: Client) -> None:
    """Clients that pass parameters by position need no change."""
    before, after = json.loads(openapi_document()), client.service("GET", "/openapi.json").json
    assert parameters(after) == [*parameters(before), "rating"]
    (sort,) = (
        one["schema"]["enum"][-2:]
        for one in after["paths"]["/api/tasks/{user_id}/tasks"]["get"]["parameters"]
        if one["name"] == "sort"
    )
    assert sort == ["rating", "-rating"]
    assert breaks(before, after) == []


def test_cursors_of_the_current_version_stay_valid(scratch: Scratch, tmp_path: Path) -> None:
    """The new filter is not set, so the lists are the same."""
    address = sqlite_database(tmp_path)
    engine = service_engine(address)
    ada = ApiClient(application(SqlStorage(engine).open_workspace).test_client(), ADA)
    for title in "abc":
        ada.create(title=title)
    expected = {link: ada("GET", link).json for link in map(partial(next_link, ada), QUERIES)}
    with transaction(engine) as connection:
        connection.exec_driver_sql("ALTER TABLE tasks ADD COLUMN rating INTEGER")
    engine.dispose()
    with scratch.served(address) as service:
        found = {link: Client(service)("GET", link).json for link in expected}
    assert found == {
        link: [{**task, "rating": None} for task in tasks] for link, tasks in expected.items()
    }


def next_link(caller: ApiClient, query: str) -> str:
    """Return the query of the page after the one of `query`, with its question mark."""
    link: str = caller("GET", query).headers["Link"]
    return link.partition(">")[0].removeprefix("<")
