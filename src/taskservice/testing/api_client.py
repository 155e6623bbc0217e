"""A client of the API, in process."""

from typing import Any

from flask.testing import FlaskClient

from taskservice.testing.application import token_of


class ApiClient:
    """A client with a user's token, which calls the API under that user's path."""

    def __init__(self, client: FlaskClient, user: str, token: str | None = None) -> None:
        self.client = client
        self.user = user
        self.path = f"/api/tasks/{user}/tasks"
        self.token = token or token_of(user)

    def __call__(self, method: str, path: str = "", **request: Any) -> Any:
        """Send a request, and return Flask's response.

        A `path` that does not begin with /api is relative to the user's tasks.
        `request` has arguments of `FlaskClient.open`, such as `json=…`.
        """
        headers = {"Authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        full = path if path.startswith("/api") else f"{self.path}{path}"
        return self.client.open(full, method=method, headers=headers, **request)

    def create(self, **fields: Any) -> dict[str, Any]:
        """Create a task with `fields`, by default with the title "Buy milk", and return it."""
        response = self("POST", json={"title": "Buy milk", **fields})
        assert response.status_code == 201, response.text
        task: dict[str, Any] = response.json
        return task
