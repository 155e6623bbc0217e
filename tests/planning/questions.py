"""What a planner asks: tasks by their titles, the query of an example."""

from typing import Any
from urllib.parse import urlencode

from tests.http_callers import ApiClient


def found(ada: ApiClient, **query: str) -> set[str]:
    """Return the titles of the tasks that a list finds."""
    return set(listed(ada, **query))


def listed(ada: ApiClient, **query: str) -> list[str]:
    """Return the titles of all pages of a list, in its order."""
    titles: list[str] = []
    link = f"?{urlencode(query)}"
    while link:
        response = ada("GET", link)
        assert response.status_code == 200, response.text
        titles += [task["title"] for task in response.json]
        link = response.headers.get("Link", "").partition(">")[0].removeprefix("<")
    return titles


def changed(ada: ApiClient, task: dict[str, Any], **fields: Any) -> Any:
    """Send a patch of a task, and return the response."""
    return ada("PATCH", f"/{task['id']}", json=fields)
