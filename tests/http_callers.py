"""Callers who talk to the API in process."""

from contextlib import AbstractContextManager
from functools import cache
from typing import Any, cast

from flask import Flask
from flask.testing import FlaskClient
from tests.secret_values import SECRET

from taskservice import testing
from taskservice.app import create_app
from taskservice.config import Settings
from taskservice.core.changes import UNKNOWN_ORIGIN, Origin
from taskservice.core.workspace import OpenWorkspace, Workspace

SETTINGS = Settings(database_url="sqlite:///unused.db", jwt_secret=SECRET, rate_limit="off")


def token_of(user: str) -> str:
    """Return a token of `user` that is good for an hour."""
    return testing.token_of(user, secret=SECRET)


class ApiClient(testing.ApiClient):
    """A caller whose token is signed with the secret that the canaries watch."""

    def __init__(self, client: FlaskClient, user: str, token: str | None = None) -> None:
        super().__init__(client, user, token or token_of(user))
        self.lists = f"/api/tasks/{user}/lists"

    def create_list(self, name: str = "Groceries") -> dict[str, Any]:
        """Create a list and return it."""
        response = self("POST", self.lists, json={"name": name})
        assert response.status_code == 201, response.text
        created: dict[str, Any] = response.json
        return created


class _Over:
    """The port of an application that is used again: whichever was given last."""

    open_workspace: OpenWorkspace

    def __call__(
        self, owner: str, *, atomic: bool = False, origin: Origin = UNKNOWN_ORIGIN
    ) -> AbstractContextManager[Workspace]:
        return self.open_workspace(owner, atomic=atomic, origin=origin)


@cache
def _made(settings: Settings) -> Flask:
    port = _Over()
    app = create_app(port, settings)
    app.extensions["port of the tests"] = port
    return app


def application(open_workspace: OpenWorkspace, settings: Settings = SETTINGS) -> Flask:
    """Return the application over a port. Each is made once: for other ports it is used again."""
    app = _made(settings)
    cast(_Over, app.extensions["port of the tests"]).open_workspace = open_workspace
    return app
