"""The cost of a request, in counts and not in times: function calls, and what is made only once.

`test_round_trips.py` counts its statements. `CONTRIBUTING.md` says when to change a bound.
"""

import json
import re
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any
from uuid import uuid4

import pytest
from marshmallow import Schema
from sqlalchemy import Engine, select
from sqlalchemy.engine.interfaces import Compiled
from tests.databases import Database
from tests.isolation.matrix import SETTINGS, Cell, World, options, token
from tests.processes import ROOT, run
from tests.secret_values import SECRET

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.app import create_app
from taskservice.testing import ADA

BOUNDS = {
    "get": 807,
    "list 20": 1206,
    "list 100": 1542,
    "create": 1174,
    "update": 1292,
    "complete": 1164,
    "delete": 960,
    "80 more in a list": 336,
}
"""The most function calls of each operation on PostgreSQL, with the pinned packages."""

PYTHON = (3, 11)
MARGIN, SLACK = 0.05, 0.1
"""A new bound is 5 % above its count. If a count is 10 % below its bound, lower the bound."""

DEPLOYED = {
    "TASKSERVICE_JWT_SECRET": SECRET,
    "TASKSERVICE_LOG_LEVEL": "warning",
    "TASKSERVICE_PREPARED_STATEMENTS": "true",
    "TASKSERVICE_RATE_LIMIT": "off",
}

MADE_ONCE: dict[str, tuple[Any, str]] = {
    "schema": (Schema, "__init__"),
    "compiled statement": (Compiled, "__init__"),
    "regular expression": (import_module("re._compiler"), "compile"),
}
"""Objects that take longer to make than the rest of a request, and the function that makes them."""

COMMANDS: list[dict[str, Any]] = [
    {"op": "create", "ref": "a", "task": {"title": "Straße"}},
    {"op": "update", "id": "$a", "changes": {"priority": 1}},
    {"op": "complete", "id": "$a"},
    {"op": "delete", "id": "$a"},
    {"op": "restore", "id": "$a"},
    {"op": "create", "task": {"titel": "Straße"}},
]
MORE_REQUESTS: list[tuple[str, str, Any, int]] = [
    ("GET", "tasks?limit=20&completed=false&q=milk", None, 200),
    ("GET", "tasks?limit=0", None, 422),
    ("POST", "tasks", {"titel": "Buy milk"}, 422),
    ("POST", "tasks", {"title": "Buy milk"}, 201),
    ("POST", "batch", {"mode": "each", "commands": COMMANDS}, 200),
]
"""Requests beyond the examples of the document, with a key: method, path, body, status."""


@pytest.mark.skipif(sys.version_info[:2] != PYTHON, reason=f"the bounds are of Python {PYTHON}")
def test_function_calls_of_an_operation_are_within_its_bound(database: Database) -> None:
    """And not far below it: a later change could use up the difference unnoticed."""
    command = [sys.executable, "-m", "tests.contract.function_calls"]
    result = run(command, ROOT, DATABASE_URL=database.service, **DEPLOYED)
    assert result.returncode == 0, result.stderr
    counts: dict[str, int] = json.loads(result.stdout)
    assert counts.keys() == BOUNDS.keys()
    wrong = [name for name, bound in BOUNDS.items() if not is_near(counts[name], bound)]
    assert not wrong, explain(wrong, counts)


def is_near(count: int, bound: int) -> bool:
    """Return whether a count is within its bound, and not far below it."""
    return bound * (1 - SLACK) <= count <= bound


def explain(wrong: list[str], counts: dict[str, int]) -> str:
    """Return what is wrong, and the bounds for these counts."""
    lines = [f"{name}: {counts[name]} calls, the bound is {BOUNDS[name]}" for name in wrong]
    bounds = [f'    "{name}": {round(one * (1 + MARGIN))},' for name, one in counts.items()]
    rule = "Make fewer calls where a count is too high, or give the reason in the commit."
    return "\n".join([*lines, rule, "The bounds for these counts:", "BOUNDS = {", *bounds, "}"])


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of objects that are made from now on, of those in `MADE_ONCE`."""
    kinds: list[str] = []

    def noting(kind: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **options: Any) -> Any:
            kinds.append(kind)
            return make(*args, **options)

        return noted

    for kind, (owner, name) in MADE_ONCE.items():
        monkeypatch.setattr(owner, name, noting(kind, getattr(owner, name)))
    return kinds


def test_schemas_statements_and_regular_expressions_are_made_once(
    role_engine: Engine, made: list[str]
) -> None:
    """Not for each request: each operation with each option, and some requests that fail."""
    world = World(create_app(SqlStorage(role_engine).open_workspace, SETTINGS))
    re.purge()
    use_every_operation(world, made)
    assert use_every_operation(world, made) == {}


def use_every_operation(world: World, made: list[str]) -> dict[str, list[str]]:
    """Send each request of the service; return what is made, by request."""
    found: dict[str, list[str]] = {}
    for operation in world.documented.values():
        for query in options(operation):
            world.renew()
            made.clear()
            cell = Cell(operation.path, operation.method, "the owner", "own", query)
            assert world.answer(cell).status_code == cell.expected(world.documented), cell
            found[f"{cell.method} {cell.rule}{query}"] = [*made]
    for method, path, body, status in MORE_REQUESTS:
        made.clear()
        headers = {"Authorization": f"Bearer {token(ADA)}", "Idempotency-Key": f"{uuid4()}"}
        url = f"/api/tasks/{ADA}/{path}"
        answer = world.client.open(url, method=method, json=body, headers=headers)
        assert answer.status_code == status, answer.text
        found[f"{method} {path}"] = [*made]
    return {name: kinds for name, kinds in found.items() if kinds}


def test_an_object_that_is_made_is_noticed(made: list[str]) -> None:
    """The test above would fail."""
    Schema()
    select(1).compile()
    re.purge()
    re.compile("a")
    assert made == [*MADE_ONCE]
