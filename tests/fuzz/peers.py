"""Two users of one service: whatever Ada's run makes, Bob tries, and nothing of his reaches her."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask
from tests.http_callers import ApiClient

from taskservice.testing import ADA, BOB

CANARY = "kanarienvogel"
NEVER_USED = str(UUID(int=7 << 76 | 0b10 << 62))
TRIES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("PUT", "", {"json": {"title": "Mine now"}}),
    ("PATCH", "", {"json": {"title": "Mine now"}}),
    ("PATCH", "/complete", {}),
    ("DELETE", "", {}),
]


class Response(NamedTuple):
    """All that Bob hears of a try, with the id that he tried masked."""

    status: int
    headers: list[tuple[str, str]]
    body: str


class Peers:
    """Ada, whose answers are looked at one by one, and Bob, who has a task of his own."""

    def __init__(self, app: Flask) -> None:
        self.ada, self.bob = (ApiClient(app.test_client(), user) for user in (ADA, BOB))
        self.at_missing = list(self._tries(NEVER_USED))
        self.faults: list[str] = []
        self._tried: set[str] = set()
        self._of_bob = {CANARY.encode(), BOB.encode()}

    @property
    def tried(self) -> int:
        """How many of Ada's tasks Bob has tried."""
        return len(self._tried)

    def settle_in(self) -> None:
        """Let Bob create his task."""
        task = self.bob.create(title=CANARY, description=CANARY)
        self._of_bob.add(task["id"].encode())

    def look(self, body: bytes) -> None:
        """Look for what is Bob's in an answer to Ada."""
        self.faults += [f"{mine!r} in {body!r}" for mine in self._of_bob if mine in body]

    def let_bob_try(self, task: dict[str, Any]) -> None:
        """Let Bob try a task that Ada created, under his path and under hers, in every way."""
        if task["id"] in self._tried:
            return
        self._tried.add(task["id"])
        address = f"/{task['id']}"
        before = self.ada("GET", address).data
        for response, missing in zip(self._tries(task["id"]), self.at_missing, strict=True):
            if response != missing:
                self.faults.append(f"Bob at {address} heard {response}, and not {missing}")
        if self.ada("GET", address).data != before:
            self.faults.append(f"Bob changed {address}")

    def _tries(self, task_id: str) -> Iterator[Response]:
        for user in (BOB, ADA):
            for method, path, request in TRIES:
                address = f"/api/tasks/{user}/tasks/{task_id}{path}"
                response = self.bob(method, address, headers={"X-Request-Id": "same"}, **request)
                body = response.text.replace(task_id, "{id}")
                yield Response(response.status_code, sorted(response.headers), body)
