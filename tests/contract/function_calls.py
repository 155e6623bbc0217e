"""Counts the Python function calls of each operation, and prints them as JSON.

`test_request_cost.py` runs it in a process of its own, where no test patches the service or listens
to it. The application of `taskservice.wsgi` is called with the environment that gunicorn makes.
"""

import gc
import json
import sys
from collections.abc import Callable
from inspect import CO_GENERATOR
from types import CodeType, FrameType
from typing import Any, cast

from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from gunicorn.http.wsgi import create
from tests.benchmarks.speed.operations import Request, new_task
from tests.http_callers import token_of

from taskservice.testing import ADA
from taskservice.wsgi import app

WARM_UP, MEASURED = 10, 5
"""Requests of each operation; the driver prepares a statement at its sixth execution."""
TASKS = 100
CALLS = {"call", "c_call"}
APPLICATION: Any = app
CONFIG, SOCKET = Config(), cast(Any, None)
CLIENT, SERVER = ("127.0.0.1", 40000), ("127.0.0.1", 8000)
COLLECTION, TOKEN = f"/api/tasks/{ADA}/tasks", token_of(ADA)

CREATE = Request("POST", "", new_task(1))
OPERATIONS: dict[str, Callable[[str], Request]] = {
    "get": lambda task: Request("GET", task),
    "list 20": lambda _: Request("GET", "?limit=20"),
    "list 100": lambda _: Request("GET", "?limit=100"),
    "create": lambda _: CREATE,
    "update": lambda task: Request("PUT", task, new_task(2)),
    "complete": lambda task: Request("PATCH", f"{task}/complete"),
    "delete": lambda task: Request("DELETE", task),
}
"""A request of each operation, by the path of a new task."""


def send(request: Request) -> tuple[bytes, int]:
    """Send a request; return the body of its response, and the number of calls."""
    message = next(RequestParser(CONFIG, iter([request.octets(COLLECTION, TOKEN)]), CLIENT))
    _, environ = create(message, SOCKET, CLIENT, SERVER, CONFIG)
    statuses: list[str] = []
    count = 0

    def count_call(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event in CALLS and not is_resumed_by_poll(frame.f_code)

    sys.setprofile(count_call)
    response = APPLICATION(environ, lambda status, *_: statuses.append(status))
    body = b"".join(response)
    response.close()
    sys.setprofile(None)
    assert statuses[0].startswith("2"), (statuses, body)
    return body, count


def is_resumed_by_poll(code: CodeType) -> bool:
    """Return whether it is a generator of the driver, resumed as often as bytes arrive."""
    return bool(code.co_flags & CO_GENERATOR) and "/psycopg/" in code.co_filename


def new_path() -> str:
    """Create a task and return its path."""
    return f"/{json.loads(send(CREATE)[0])['id']}"


def least_calls(operation: Callable[[str], Request]) -> int:
    """Return the fewest calls of an operation: without those made once a second, for example."""
    counts = [send(operation(new_path()))[1] for _ in range(WARM_UP + MEASURED)]
    return min(counts[WARM_UP:])


def main() -> None:
    gc.disable()
    for _ in range(TASKS):
        new_path()
    counts = {name: least_calls(operation) for name, operation in OPERATIONS.items()}
    counts["80 more in a list"] = counts["list 100"] - counts["list 20"]
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main()
