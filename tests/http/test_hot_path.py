"""What is made once for all requests, counted: to make it for each takes longer than the rest."""

from typing import Any

import pytest
from marshmallow import Schema
from tests.http_callers import ApiClient

COMMANDS: list[dict[str, Any]] = [
    {"op": "create", "ref": "a", "task": {"title": "Straße"}},
    {"op": "update", "id": "$a", "changes": {"priority": 1}},
    {"op": "complete", "id": "$a"},
    {"op": "delete", "id": "$a"},
    {"op": "restore", "id": "$a"},
    {"op": "create", "task": {"titel": "Straße"}},
]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[type[Schema]]:
    """The kinds of schema that are made from now on, one by one."""
    kinds: list[type[Schema]] = []
    make = Schema.__init__

    def noted(schema: Schema, *given: Any, **how: Any) -> None:
        kinds.append(type(schema))
        make(schema, *given, **how)

    monkeypatch.setattr(Schema, "__init__", noted)
    return kinds


def test_no_schema_is_made_for_a_request(ada: ApiClient, made: list[type[Schema]]) -> None:
    """A schema that is made reads all its fields anew; a request meets the one that is there."""
    task = ada.create()
    path, one_list = f"/{task['id']}", f"{ada.lists}/{ada.create_list()['id']}"
    answers = [
        ada("GET", "?limit=20&completed=false&q=milk"),
        ada("GET", path),
        ada("PUT", path, json={"title": "Buy more milk"}),
        ada("PATCH", path, json={"description": None}),
        ada("PATCH", f"{path}/complete"),
        ada("PATCH", f"{path}/position", json={"place": "first"}),
        ada("DELETE", f"{path}?subtasks=delete"),
        ada("GET", ada.lists),
        ada("PATCH", one_list, json={"name": "Food"}),
        ada("PATCH", f"{one_list}/position", json={"place": "first"}),
        ada("DELETE", f"{one_list}?tasks=inbox&limit=1"),
        ada("PATCH", "/api/tasks/ada/labels", json={"label": "home", "new": "house"}),
        ada("POST", "/api/tasks/ada/batch", json={"mode": "each", "commands": COMMANDS}),
        ada("POST", json={"titel": "Buy milk"}),
        ada("GET", "?limit=0"),
    ]
    assert {one.status_code for one in answers[:-2]} == {200, 204}
    assert [one.status_code for one in answers[-2:]] == [422, 422]
    assert made == []


def test_a_schema_that_is_made_is_counted(made: list[type[Schema]]) -> None:
    """The test above would notice one."""
    Schema()
    assert made == [Schema]
