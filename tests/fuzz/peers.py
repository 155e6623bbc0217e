"""Two users of one service: whatever Ada's run makes, Bob tries, and nothing of his reaches her."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask
from tests.http_callers import ApiClient

from taskservice.testing import ADA, BOB

CANARY = "kanarienvogel"
NEVER_USED = str(UUID(int=7 << 76 | 0b10 << 62))
Try = tuple[str, str, Any]
"""A method, a path below that of the user's data, and a body; `{id}` is that of Ada's entity."""

_COMMANDS: list[dict[str, Any]] = [
    {"op": "update", "id": "{id}", "changes": {"title": "Mine now"}},
    {"op": "complete", "id": "{id}", "if_match": "1"},
    {"op": "delete", "id": "{id}", "subtasks": "delete"},
    {"op": "restore", "id": "{id}"},
]
_BATCHES: list[Try] = [
    ("POST", "batch", {"commands": [{"op": "create", "task": {"title": "x"}}, one]})
    for one in _COMMANDS
]
_IN_THE_TRASH: list[Try] = [
    *_BATCHES,
    ("GET", "trash/{id}", None),
    ("POST", "trash/{id}/restore", None),
    ("DELETE", "trash/{id}", None),
    ("GET", "tasks/{id}/history", None),
    ("POST", "tasks/{id}/undo", {"sequence": 1}),
    ("PATCH", "tasks/{id}", {"title": "Mine now"}),
    ("POST", "tasks", {"title": "Mine now", "parent_id": "{id}"}),
    ("GET", "tasks?series_id={id}", None),
]
TRIES: dict[str, list[Try]] = {
    "trash": _IN_THE_TRASH,
    "tasks": [
        ("GET", "tasks/{id}", None),
        ("PUT", "tasks/{id}", {"title": "Mine now"}),
        ("PATCH", "tasks/{id}", {"title": "Mine now"}),
        ("PATCH", "tasks/{id}", {"status": "cancelled"}),
        ("PATCH", "tasks/{id}/complete", {"completed": True}),
        ("PATCH", "tasks/{id}/complete", {"completed": False}),
        ("PATCH", "tasks/{id}/position", {"place": "first"}),
        ("DELETE", "tasks/{id}", None),
        ("DELETE", "tasks/{id}?subtasks=delete", None),
        *_IN_THE_TRASH[:-3],
        ("POST", "tasks", {"title": "Mine now", "parent_id": "{id}"}),
        ("GET", "tasks?series_id={id}", None),
    ],
    "lists": [
        ("GET", "lists/{id}", None),
        ("PATCH", "lists/{id}", {"name": "Mine now"}),
        ("PATCH", "lists/{id}/position", {"place": "first"}),
        ("DELETE", "lists/{id}", None),
        ("DELETE", "lists/{id}?tasks=delete", None),
        ("DELETE", "lists/{id}?tasks=delete&limit=1", None),
        ("POST", "tasks", {"title": "Mine now", "list_id": "{id}"}),
        ("GET", "tasks?list_id={id}", None),
    ],
}
"""What Bob tries, by what Ada has created. The last two refer to it."""


class Response(NamedTuple):
    """All that Bob hears of a try, with the id that he tried masked."""

    status: int
    headers: list[tuple[str, str]]
    body: str


class Peers:
    """Ada, whose answers are looked at one by one, and Bob, who has a list with a task."""

    def __init__(self, app: Flask) -> None:
        self.ada, self.bob = (ApiClient(app.test_client(), user) for user in (ADA, BOB))
        self.at_missing = {name: list(self._tries(name, NEVER_USED)) for name in TRIES}
        self.faults: list[str] = []
        self.tried: dict[str, set[str]] = {name: set() for name in TRIES}
        self._of_bob = {CANARY.encode(), BOB.encode()}

    def settle_in(self) -> None:
        """Let Bob create his list and his task."""
        made = self.bob.create_list(CANARY)
        task = self.bob.create(title=CANARY, description=CANARY, list_id=made["id"])
        self._of_bob |= {one["id"].encode() for one in (task, made)}

    def look(self, body: bytes) -> None:
        """Look for what is Bob's in an answer to Ada."""
        self.faults += [f"{mine!r} in {body!r}" for mine in self._of_bob if mine in body]

    def sequences(self, task_id: str) -> list[int]:
        """Return the numbers of the changes of a task of Ada's, none if she has no such task."""
        response = self.ada("GET", f"/{task_id}/history")
        found = response.json if response.status_code == 200 else []
        return [one["sequence"] for one in found]

    def let_bob_try(self, address: str) -> None:
        """Let Bob try what Ada created there, under his path and under hers, in every way."""
        name, created_id = address.split("/")[-2:]
        if created_id in self.tried[name]:
            return
        self.tried[name].add(created_id)
        before = self.ada("GET", address).data
        heard = self._tries(name, created_id)
        for response, missing in zip(heard, self.at_missing[name], strict=True):
            if response != missing:
                self.faults.append(f"Bob at {address} heard {response}, and not {missing}")
        if self.ada("GET", address).data != before:
            self.faults.append(f"Bob changed {address}")

    def _tries(self, name: str, tried_id: str) -> Iterator[Response]:
        for user in (BOB, ADA):
            for method, path, body in TRIES[name]:
                response = self.bob(
                    method,
                    f"/api/tasks/{user}/{path.replace('{id}', tried_id)}",
                    data=json.dumps(body).replace("{id}", tried_id) if body else None,
                    content_type="application/json" if body else None,
                    headers={"X-Request-Id": "same"},
                )
                text = response.text.replace(tried_id, "{id}")
                yield Response(response.status_code, sorted(response.headers), text)
