"""The access matrix: every route and method, seven identities, own, foreign and missing entities.

What is expected comes from three rules and the served document, not from a
table written by hand.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from tests.openapi_operations import Document, Operation, examples
from tests.openapi_operations import operations as documented_operations
from tests.secret_values import SECRET

from taskservice.adapters.jwt import issue
from taskservice.config import Settings
from taskservice.testing import ADA, BOB

AUDIENCE = "tasks"
SETTINGS = Settings(database_url="", jwt_secret=SECRET, jwt_audience=AUDIENCE, rate_limit="off")
TARGETS = ("own", "foreign", "missing")
ROOT = "/api/tasks/<user_id>/"
RECURRING = {"due": "2026-03-29", "recurrence": "FREQ=DAILY"}

Ids = dict[str, str]
"""The ids of a target by the name of the path parameter: `task_id` and `list_id`.

That of its task in the trash is `trashed_id`.
"""


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
    """One question to the service. `query` has its question mark, or is empty."""

    rule: str
    method: str
    identity: str
    target: str
    query: str = ""

    def expected(self, documented: dict[str, Operation]) -> int:
        """Return the status by the three rules: 401, then 403, then 404; else the success."""
        subject, _ = IDENTITIES[self.identity]
        if subject is None:
            return 401
        if subject != ADA:
            return 403
        if has_id(self.rule) and self.target != "own":
            return 404
        return success(documented[key(self.rule, self.method)], self.query)


class World:
    """An application with a task and a list of Ada's and of Bob's, and ids never used.

    Ada also has a task and a list `beside` her own. Bob's task is in his list, and recurs. Each
    has a task in the trash.
    """

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()
        self.document: Document = self.client.get("/openapi.json").json or {}
        self.documented = by_route(self.document)
        self.ids: dict[str, Ids] = {
            "beside": self.create(ADA),
            "foreign": self.create(BOB, **RECURRING),
            "missing": {name: str(uuid4()) for name in ("task_id", "list_id", "trashed_id")},
        }
        self.ids["foreign, swapped"] = swapped(self.ids["foreign"])
        self.renew()

    def renew(self) -> None:
        """Create the task and the list of Ada's own, again if they have been used up."""
        self.ids["own"] = self.create(ADA)
        self.ids["own, swapped"] = swapped(self.ids["own"])
        self.sequence = self.newest_change()

    def create(self, user: str, **fields: str) -> Ids:
        """Create a list, a task, in the list if it has more `fields`, and one in the trash.

        Return their ids.
        """
        made = self.ask("POST", f"/api/tasks/{user}/lists", token(user), {"name": "Groceries"})
        fields = {"title": "Buy milk", **({"list_id": made.json["id"]} if fields else {}), **fields}
        tasks = f"/api/tasks/{user}/tasks"
        task, trashed = (self.ask("POST", tasks, token(user), fields).json["id"] for _ in range(2))
        assert self.ask("DELETE", f"{tasks}/{trashed}", token(user)).status_code == 204
        return {"task_id": task, "list_id": made.json["id"], "trashed_id": trashed}

    def newest_change(self) -> int:
        """Return the number of the newest change of Ada's own task."""
        path = f"/api/tasks/{ADA}/tasks/{self.ids['own']['task_id']}/history"
        return int(self.ask("GET", path, token(ADA)).json[0]["sequence"])

    def ask(self, method: str, path: str, bearer: str | None, body: Any = None) -> Any:
        headers = {"X-Request-Id": "same"}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        content = {} if body is None else {"json": body}
        return self.client.open(path, method=method, headers=headers, **content)

    def answer(self, cell: Cell) -> Any:
        """Ask the question of a cell, with the body that the document shows for it.

        If it is the number of a change, it is that of Ada's own task.
        """
        body = example_body(self.documented[key(cell.rule, cell.method)])
        body = {**body, "sequence": self.sequence} if "sequence" in (body or {}) else body
        ids = self.ids[cell.target]
        if "/trash" in cell.rule:
            ids = {**ids, "task_id": ids["trashed_id"]}
        path = template(cell.rule).format(user_id=ADA, **ids)
        return self.ask(cell.method, f"{path}{cell.query}", IDENTITIES[cell.identity][1], body)

    def all_of_bob(self) -> list[bytes]:
        """Return what Bob's lists and trash show, and the beginning of a sync, with its number."""
        return [
            self.ask("GET", f"/api/tasks/{BOB}/{one}", token(BOB)).data
            for one in ("tasks", "lists", "trash", "changes")
        ]


def swapped(ids: Ids) -> Ids:
    """Return ids, with that of the task in the trash for that of the other one, and vice versa."""
    return {**ids, "task_id": ids["trashed_id"], "trashed_id": ids["task_id"]}


def example_body(operation: Operation) -> Any:
    """Return the first body that the document shows as JSON, None if there is no body."""
    return next(iter(examples(operation.bodies.get("application/json", {})).values()), None)


def template(rule: str) -> str:
    """Return the path of a rule as the document has it."""
    return re.sub("<(?:uuid:)?(.*?)>", r"{\1}", rule)


def has_id(rule: str) -> bool:
    return "<uuid:" in rule


def key(rule: str, method: str) -> str:
    """Return the name of an operation among those of `by_route`; HEAD is that of GET."""
    return f"{'GET' if method == 'HEAD' else method} {template(rule)}"


def by_route(document: Document) -> dict[str, Operation]:
    """Return the operations of the document by method and path."""
    return {f"{one.method} {one.path}": one for one in documented_operations(document)}


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    """Yield each rule with each of its methods."""
    for rule in app.url_map.iter_rules():
        yield from ((rule.rule, method) for method in sorted((rule.methods or set()) - {"OPTIONS"}))


def success(operation: Operation, query: str) -> int:
    """Return the status of success. Of a deletion it is another one for a step of it."""
    statuses = sorted(int(status) for status in operation.said["responses"] if status < "300")
    return statuses[0] if "limit=" in query else statuses[-1]


def options(operation: Operation) -> list[str]:
    """Return the queries that choose an option of a write, each in a step too, and none."""
    if operation.method == "GET":
        return [""]
    schemas = {
        one["name"]: one["schema"] for one in operation.said["parameters"] if one["in"] == "query"
    }
    steps = ["&limit=1"] if schemas.pop("limit", None) else []
    words = [f"?{name}={word}" for name, said in schemas.items() for word in said["enum"]]
    return ["", *words, *(f"{word}{step}" for word in words for step in steps)]
