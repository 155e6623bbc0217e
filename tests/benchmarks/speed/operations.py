"""What is asked of a contender: the operations of the API, as endless requests."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

import orjson

Task = dict[str, Any]
DESCRIPTION = "A description of ordinary length that says what has to be done and by whom."


class Request(NamedTuple):
    """A request below a user's tasks."""

    method: str
    path: str = ""
    body: Task | None = None
    headers: tuple[str, ...] = ()

    def octets(self, collection: str, token: str) -> bytes:
        """Return what goes over the wire."""
        data = b"" if self.body is None else orjson.dumps(self.body)
        typed = () if self.body is None else ("Content-Type: application/json",)
        lines = [
            f"{self.method} {collection}{self.path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {token}",
            *typed,
            *self.headers,
            *(() if self.method == "GET" else (f"Content-Length: {len(data)}",)),
        ]
        return "\r\n".join([*lines, "", ""]).encode() + data


Requests = Callable[[list[Task]], Iterator[Request]]


def get(tasks: list[Task]) -> Iterator[Request]:
    while True:
        yield from (Request("GET", f"/{task['id']}") for task in tasks)


def listing(query: str = "") -> Requests:
    def requests(_: list[Task]) -> Iterator[Request]:
        while True:
            yield Request("GET", query)

    return requests


def create(_: list[Task]) -> Iterator[Request]:
    for number in count():
        yield Request("POST", "", new_task(number))


def create_with_key(tasks: list[Task]) -> Iterator[Request]:
    for request in create(tasks):
        yield request._replace(headers=(f"Idempotency-Key: {uuid4()}",))


def update(tasks: list[Task]) -> Iterator[Request]:
    """Change every task at every turn: an update that changes nothing may cost less."""
    for turn in count():
        title = f"Task renamed, {uuid4()}: buy oat milk and rye bread"
        body = {"title": title, "description": DESCRIPTION, "completed": turn % 2 == 0}
        yield from (Request("PUT", f"/{task['id']}", body) for task in tasks)


def update_with_tag(tasks: list[Task]) -> Iterator[Request]:
    """As `update`; every change makes the version one more."""
    for number, request in enumerate(update(tasks)):
        turn, which = divmod(number, len(tasks))
        yield request._replace(headers=(f'If-Match: "{tasks[which]["version"] + turn}"',))


def complete(tasks: list[Task]) -> Iterator[Request]:
    for turn in count():
        for task in tasks:
            body = {"completed": task["completed"] == (turn % 2 == 1)}
            yield Request("PATCH", f"/{task['id']}/complete", body)


def delete(tasks: list[Task]) -> Iterator[Request]:
    """Delete each, and end."""
    return (Request("DELETE", f"/{task['id']}") for task in tasks)


def new_task(number: int) -> Task:
    return {
        "title": f"Task {number}: buy milk and bread",
        "description": None if number % 4 == 0 else DESCRIPTION,
        "completed": number % 3 == 0,
    }


@dataclass(frozen=True)
class Operation:
    """Requests of a user, over so many tasks that are there; `uses_up` has new ones each time."""

    requests: Requests
    tasks: int = 100
    uses_up: bool = False
    grows: bool = False

    def user(self, number: int = 0) -> str:
        """Who asks; whoever adds or deletes is somebody else than whoever reads."""
        name = "creator" if self.grows or self.uses_up else f"bench{self.tasks}"
        return f"{name}-{number}" if number else name


OPERATIONS = {
    "get": Operation(get),
    "list20": Operation(listing(), tasks=20),
    "list100": Operation(listing()),
    "create": Operation(create, tasks=0, grows=True),
    "update": Operation(update),
    "complete": Operation(complete),
    "delete": Operation(delete, tasks=500, uses_up=True),
    "create+key": Operation(create_with_key, tasks=0, grows=True),
    "update+tag": Operation(update_with_tag),
    "search": Operation(listing("?q=bread")),
}
PLAIN = ("get", "list20", "list100", "create", "update", "complete", "delete")
