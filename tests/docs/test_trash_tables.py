"""The tables about the trash, histories, undo, the summary and writes have those of the source."""

import json
import re
from typing import Any

import pytest
from marshmallow import Schema
from tests.docs.api_tables import PAGE, names, rows
from tests.processes import ROOT

from taskservice.adapters.http.api.history import TaskChangeSchema
from taskservice.adapters.http.api.summary import SummarySchema
from taskservice.adapters.http.api.trash import TrashedTaskSchema
from taskservice.app import openapi_document
from taskservice.core.fields import fields_of
from taskservice.core.task import Task
from taskservice.testing import ADA, ApiClient, ready_application

TRASH = (ROOT / "docs" / "trash.md").read_text()
KEY, REQUIRED = "Idempotency-Key", "TASKSERVICE_REQUIRE_IF_MATCH"
WRITES = rows(f"| operation | `{KEY}` | `If-Match` | required under `{REQUIRED}` |")
BODIES: dict[str, Any] = {
    "tasks": {"title": "Buy bread"},
    "lists": {"name": "Food"},
    "labels": {"label": "home", "new": "house"},
    "batch": {"commands": [{"op": "create", "task": {"title": "Buy bread"}}]},
    "position": {"place": "last"},
}
"""What to send to an operation of a collection, or to one of an entity by its last segment."""


def first_cells(head: str, page: str = PAGE) -> list[str]:
    """Return what stands in code in the first column of a table."""
    return [name for row in rows(head, page) for name in names(row[0])]


def members(schema: type[Schema]) -> list[str]:
    """Return the members of a response in their order."""
    return [*schema().fields]


@pytest.mark.parametrize(
    ("head", "page"),
    [("| member of a task in the trash | type | value |", PAGE), ("| member | value |", TRASH)],
)
def test_the_members_of_a_task_in_the_trash(head: str, page: str) -> None:
    """Those that a task has not, on both pages."""
    beside = [name for name in members(TrashedTaskSchema) if name not in fields_of(Task)]
    assert first_cells(head, page) == beside


def test_the_members_of_a_change() -> None:
    """Each, in its order."""
    _, history = TRASH.split("\n## History\n")
    assert first_cells("| member | value |", history) == members(TaskChangeSchema)


def test_the_members_of_the_summary() -> None:
    """Each, in its order."""
    _, summary = TRASH.split("\n## Summary\n")
    assert first_cells("| member | value |", summary) == members(SummarySchema)
    shown = first_cells("| member of the summary | counts |")
    assert sorted(shown) == sorted({*members(SummarySchema)} - {"now", "time_zone"})


def writes() -> dict[str, list[str]]:
    """Return each operation that takes a key, and whether it takes `If-Match`."""
    paths = json.loads(openapi_document())["paths"]
    return {
        f"{method.upper()} {shown(path)}": taken(operation)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if method != "parameters" and KEY in headers(operation)
    }


def shown(path: str) -> str:
    """Return a path as the page writes it."""
    return re.sub(r"\{(task|list)_id\}", "{id}", path.replace("/api/tasks/{user_id}", "…"))


def headers(operation: dict[str, Any]) -> set[str]:
    """Return the names of the parameters of an operation."""
    return {one["name"] for one in operation.get("parameters", []) if "name" in one}


def taken(operation: dict[str, Any]) -> list[str]:
    """Return what the table has in the columns of both headers."""
    return ["yes", "yes" if "If-Match" in headers(operation) else "only `*`"]


def test_the_table_of_writes_has_every_one() -> None:
    """Each operation that takes a key, and no other."""
    assert {name: row[1:3] for row in WRITES for name in names(row[0])} == writes()


@pytest.fixture(scope="module")
def ada() -> ApiClient:
    """A user of a service that requires `If-Match`."""
    return ApiClient(ready_application(require_if_match=True).test_client(), ADA)


@pytest.mark.parametrize(
    ("operation", "required"), [(one, row[3]) for row in WRITES for one in names(row[0])]
)
def test_the_table_of_writes_says_where_if_match_is_required(
    ada: ApiClient, operation: str, required: str
) -> None:
    """Without the header, the response is 428 there, and a success elsewhere."""
    method, path = operation.split(" …")
    _, collection, *rest = path.split("/")
    home = f"/api/tasks/{ADA}"
    body = BODIES.get(rest[-1] if len(rest) > 1 else collection)
    a_list = ada("POST", f"{home}/lists", json=BODIES["lists"]).json
    made = a_list if collection == "lists" else ada.create()
    if collection == "trash":
        ada("DELETE", f"/{made['id']}", headers={"If-Match": "*"})
    if rest[-1:] == ["undo"]:
        body = {"sequence": ada("GET", f"/{made['id']}/history").json[0]["sequence"]}
    response = ada(method, f"{home}{path.replace('{id}', made['id'])}", json=body)
    assert required == ("yes" if response.status_code == 428 else "no")
    assert required == "yes" or response.status_code // 100 == 2
