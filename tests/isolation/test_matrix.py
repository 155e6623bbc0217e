"""Who may do what: every route and method, seven identities, own, foreign and missing tasks.

What is expected comes from three rules and the served document, not from a
table written by hand.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.secret_values import SECRET
from tests.statement_audit import StatementAudit
from werkzeug.test import TestResponse

from taskservice.adapters.jwt import issue
from taskservice.app import create_app
from taskservice.config import Settings
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA, BOB

AUDIENCE = "tasks"
SETTINGS = Settings(database_url="", jwt_secret=SECRET, jwt_audience=AUDIENCE, rate_limit="off")
TARGETS = ("own", "foreign", "missing")
ROOT = "/api/tasks/<user_id>/"
is_page = re.compile(r"/|/docs.*|/problems.*|/openapi\.json").fullmatch


def token(user: str, audience: str = AUDIENCE, age: timedelta = timedelta()) -> str:
    """Return a token that was made `age` ago, and is good for an hour."""
    made = datetime.now(UTC) - age
    return issue(SECRET, user, lifetime=timedelta(hours=1), now=made, audience=audience)


IDENTITIES: dict[str, tuple[str | None, str | None]] = {
    "none": (None, None),
    "malformed": (None, f"{token(ADA)}x"),
    "expired": (None, token(ADA, age=timedelta(hours=2))),
    "wrong audience": (None, token(ADA, audience="others")),
    "another user": (BOB, token(BOB)),
    "a look-alike": ("Ada", token("Ada")),
    "the owner": (ADA, token(ADA)),
}
"""Each identity's subject, None where it has no valid token, and its token."""


class Cell(NamedTuple):
    """One question to the service."""

    rule: str
    method: str
    identity: str
    target: str

    def expected(self, document: Any) -> int:
        """Return the status by the three rules: 401, then 403, then 404; else the success."""
        subject, _ = IDENTITIES[self.identity]
        if subject is None:
            return 401
        if subject != ADA:
            return 403
        if "task_id" in self.rule and self.target != "own":
            return 404
        method = "get" if self.method == "HEAD" else self.method.lower()
        responses = document["paths"][template(self.rule)][method]["responses"]
        return min(int(status) for status in responses if status.isdigit())


class World:
    """An application with a task of Ada's and one of Bob's, and an id that was never used."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.ids = {"own": self.create(ADA), "foreign": self.create(BOB), "missing": str(uuid4())}

    def create(self, user: str) -> str:
        answer = self.ask("POST", f"/api/tasks/{user}/tasks", token(user))
        return str(answer.json["id"])

    def ask(self, method: str, path: str, bearer: str | None) -> Any:
        headers = {"X-Request-Id": "same"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        fields = {"completed": True} if path.endswith("/complete") else {"title": f"By {method}"}
        body: Any = {"json": fields} if method in {"POST", "PUT", "PATCH"} else {}
        return self.client.open(path, method=method, headers=headers, **body)

    def answer(self, cell: Cell) -> TestResponse:
        task_id = self.ids[cell.target]
        path = cell.rule.replace("<user_id>", ADA).replace("<uuid:task_id>", task_id)
        answer: TestResponse = self.ask(cell.method, path, IDENTITIES[cell.identity][1])
        return answer


def template(rule: str) -> str:
    return rule.replace("<uuid:", "{").replace("<", "{").replace(">", "}")


def operations(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        yield from ((rule.rule, method) for method in sorted((rule.methods or set()) - {"OPTIONS"}))


@pytest.fixture
def app(open_workspace: OpenWorkspace) -> Flask:
    return create_app(open_workspace, SETTINGS)


@pytest.fixture
def document(app: Flask) -> Any:
    return app.test_client().get("/openapi.json").json


def test_every_cell_follows_the_three_rules(
    app: Flask, document: Any, audit: StatementAudit
) -> None:
    """161 cells; a 401 or a 403 sends no statement."""
    owned = [(rule, method) for rule, method in operations(app) if rule.startswith(ROOT)]
    cells = [
        Cell(rule, method, identity, target)
        for rule, method in owned
        for identity in IDENTITIES
        for target in (TARGETS if "task_id" in rule else TARGETS[:1])
    ]
    assert len(cells) == 161
    for cell in cells:
        world = World(app)
        sent = audit.count
        answer = world.answer(cell)
        assert (cell, answer.status_code) == (cell, cell.expected(document))
        if answer.status_code in {401, 403}:
            assert audit.count == sent


def test_a_foreign_task_looks_like_a_missing_one(app: Flask) -> None:
    """Byte for byte, headers included, except for the id; and it is not changed."""
    for rule, method in operations(app):
        if "task_id" in rule:
            world = World(app)
            path = f"/api/tasks/{BOB}/tasks/{world.ids['foreign']}"
            before = world.ask("GET", path, token(BOB)).data
            foreign, missing = (
                world.answer(Cell(rule, method, "the owner", target)) for target in TARGETS[1:]
            )
            unnamed = foreign.text.replace(world.ids["foreign"], world.ids["missing"])
            assert (foreign.status, list(foreign.headers), unnamed) == (
                (missing.status, list(missing.headers), missing.text)
            )
            assert world.ask("GET", path, token(BOB)).data == before


def test_every_invalid_token_gets_the_same_response(app: Flask) -> None:
    """Only the log has the reason."""
    world = World(app)
    bodies = {
        world.answer(Cell(f"{ROOT}tasks", "GET", identity, "own")).data
        for identity, (subject, _) in IDENTITIES.items()
        if subject is None
    }
    assert len(bodies) == 1


def test_the_routes_are_those_of_the_document(app: Flask, document: Any) -> None:
    """Every operation is documented, and every documented operation exists."""
    served = {
        (template(rule), method.lower())
        for rule, method in operations(app)
        if method != "HEAD" and not is_page(rule)
    }
    documented = {
        (path, method)
        for path, item in document["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert served == documented
