"""What a planner asks and sends: lists of tasks, changes, moves, lists and sub-tasks."""

from typing import Any
from urllib.parse import urlencode

from tests.http_callers import ApiClient


def found(ada: ApiClient, **query: str) -> set[str]:
    """Return the titles of the tasks that a list finds."""
    return set(listed(ada, **query))


def listed(ada: ApiClient, **query: str) -> list[str]:
    """Return the titles of all pages of a list, in its order."""
    return [task["title"] for task in all_pages(ada, **query)]


def all_pages(ada: ApiClient, **query: Any) -> list[dict[str, Any]]:
    """Return the tasks on all pages of a list, in its order."""
    tasks: list[dict[str, Any]] = []
    link = f"?{urlencode(query)}"
    while link:
        response = ada("GET", link)
        assert response.status_code == 200, response.text
        tasks += response.json
        link = response.headers.get("Link", "").partition(">")[0].removeprefix("<")
    return tasks


def by_position(
    ada: ApiClient, list_id: str = "inbox", parent_id: str = "none", limit: int = 200
) -> list[dict[str, Any]]:
    """Return the tasks of a list, or the sub-tasks of a task in it, in their manual order."""
    return all_pages(ada, list_id=list_id, parent_id=parent_id, sort="position", limit=limit)


def titles(tasks: list[dict[str, Any]]) -> str:
    """Return the titles of tasks in one word."""
    return "".join(task["title"] for task in tasks)


def moved(ada: ApiClient, task: dict[str, Any], **to: Any) -> Any:
    """Send a move of a task, and return the response."""
    return ada("PATCH", f"/{task['id']}/position", json=to)


def lists_of(ada: ApiClient) -> str:
    """Return the path of a user's lists."""
    return f"/api/tasks/{ada.user}/lists"


def new_list(ada: ApiClient, name: str = "Groceries") -> dict[str, Any]:
    """Create a list and return it."""
    response = ada("POST", lists_of(ada), json={"name": name})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json
    return created


def read(ada: ApiClient, task: dict[str, Any]) -> dict[str, Any]:
    """Return a task as it is now."""
    response = ada("GET", f"/{task['id']}")
    assert response.status_code == 200, response.text
    current: dict[str, Any] = response.json
    return current


def changed(ada: ApiClient, task: dict[str, Any], **fields: Any) -> Any:
    """Send a patch of a task, and return the response."""
    return ada("PATCH", f"/{task['id']}", json=fields)
