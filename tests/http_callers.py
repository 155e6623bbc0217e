"""Callers who talk to the API in process."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from tests.support import SECRET

from taskservice.adapters.http.tokens import issue
from taskservice.config import Settings

SETTINGS = Settings(database_url="sqlite:///unused.db", jwt_secret=SECRET, rate_limit="off")


def token_of(user: str) -> str:
    """Return a token of `user` that is good for an hour."""
    return issue(SECRET, user, lifetime=timedelta(hours=1), now=datetime.now(UTC))


class Caller:
    """Someone with a token, who calls the API under their own path."""

    def __init__(self, client: FlaskClient, user: str, token: str | None = None) -> None:
        self.client = client
        self.user = user
        self.path = f"/api/tasks/{user}/tasks"
        self.token = token or token_of(user)

    def __call__(self, method: str, path: str = "", **request: Any) -> Any:
        """Send a request; a `path` that does not begin with /api is under the caller's own."""
        headers = {"Authorization": f"Bearer {self.token}", **request.pop("headers", {})}
        full = path if path.startswith("/api") else f"{self.path}{path}"
        return self.client.open(full, method=method, headers=headers, **request)

    def create(self, **fields: Any) -> dict[str, Any]:
        """Create a task and return it."""
        response = self("POST", json={"title": "Buy milk", **fields})
        assert response.status_code == 201, response.text
        task: dict[str, Any] = response.json
        return task
