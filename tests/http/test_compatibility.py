"""Who wrote a client of the last release need not change it, unless the major version says so."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from tests.openapi_compatibility import breaks
from tests.openapi_operations import Document
from tests.processes import ROOT

from taskservice.app import openapi_document

RELEASED = ROOT / "docs" / "openapi-released.json"
DOCUMENT: Document = json.loads(openapi_document())
TASKS = DOCUMENT["paths"]["/api/tasks/{user_id}/tasks"]


def major(document: Document) -> int:
    return int(document["info"]["version"].partition(".")[0])


def test_nothing_is_taken_from_clients() -> None:
    """The document breaks no client of the last released one, or its major version has moved.

    CONTRIBUTING.md says what to do where this fails.
    """
    released = json.loads(RELEASED.read_bytes())
    if major(DOCUMENT) == major(released):
        assert breaks(released, DOCUMENT) == []
    else:
        assert major(DOCUMENT) == major(released) + 1


def test_a_document_breaks_nothing_of_itself() -> None:
    """What stays as it is, is no break."""
    assert breaks(DOCUMENT, DOCUMENT) == []


Change = Callable[[Document], Any]


def path(document: Document, rest: str = "") -> Any:
    return document["paths"][f"/api/tasks/{{user_id}}/tasks{rest}"]


def schema(document: Document, name: str, field: str = "") -> Any:
    found = document["components"]["schemas"][name]
    return found["properties"][field] if field else found


def parameter(document: Document, name: str) -> Any:
    (found,) = (one for one in path(document)["get"]["parameters"] if one["name"] == name)
    return found


def add_parameter(document: Document, *, required: bool) -> None:
    new = {"in": "query", "name": "new", "required": required, "schema": {"type": "string"}}
    path(document)["get"]["parameters"].append(new)


BREAKS: dict[str, tuple[Change, str]] = {
    "a path is gone": (lambda d: d["paths"].pop("/livez"), "GET /livez: is gone"),
    "an operation is gone": (lambda d: path(d).pop("post"), "POST"),
    "an operation has another id": (
        lambda d: path(d)["get"].update(operationId="list"),
        "operationId was list_tasks",
    ),
    "an operation has another tag": (lambda d: path(d)["get"].update(tags=["x"]), "tags was"),
    "a public operation is guarded": (
        lambda d: d["paths"]["/livez"]["get"].pop("security"),
        "guarded",
    ),
    "a parameter is gone": (
        lambda d: path(d)["get"]["parameters"].remove(parameter(d, "q")),
        "the parameter q is gone",
    ),
    "a parameter is new and required": (
        lambda d: add_parameter(d, required=True),
        "new and required",
    ),
    "a parameter is required": (lambda d: parameter(d, "q").update(required=True), "q is required"),
    "parameters change places": (lambda d: path(d)["get"]["parameters"].reverse(), "another order"),
    "a choice has another name in code": (
        lambda d: parameter(d, "sort")["schema"]["x-enum-varnames"].reverse(),
        "the value title was called TITLE",
    ),
    "a schema has another name": (
        lambda d: d.update(json.loads(json.dumps(d).replace("Completion", "Other"))),
        "the schema Completion is gone",
    ),
    "a parameter takes less": (
        lambda d: parameter(d, "limit")["schema"].update(maximum=100),
        "the parameter limit: maximum 200 was taken",
    ),
    "a parameter takes a choice less": (
        lambda d: parameter(d, "sort")["schema"]["enum"].remove("title"),
        "the parameter sort: title was taken",
    ),
    "a parameter has another default": (
        lambda d: parameter(d, "limit")["schema"].update(default=50),
        "limit has another default",
    ),
    "a parameter has another pattern": (
        lambda d: parameter(d, "cursor")["schema"].update(pattern="^[a-z]+$"),
        "pattern",
    ),
    "a body is required": (
        lambda d: path(d, "/{task_id}/complete")["patch"]["requestBody"].update(required=True),
        "the body is required",
    ),
    "a media type is not taken": (
        lambda d: path(d, "/{task_id}")["patch"]["requestBody"]["content"].pop("application/json"),
        "a body as application/json is not taken",
    ),
    "a field is required": (
        lambda d: schema(d, "TaskCreate")["required"].append("completed"),
        "the body/completed: none was taken",
    ),
    "a field cannot be set": (
        lambda d: schema(d, "TaskCreate")["properties"].pop("completed"),
        "the body/completed was taken",
    ),
    "a field is not null": (
        lambda d: schema(d, "TaskPatch", "description").update(type="string"),
        "the body/description: null was taken",
    ),
    "a field takes less": (
        lambda d: schema(d, "TaskUpdate", "title").update(maxLength=100),
        "the body/title: maxLength 255 was taken",
    ),
    "a field is of another type": (
        lambda d: schema(d, "Completion", "completed").update(type="integer"),
        "the body/completed: boolean was taken",
    ),
    "a status is gone": (
        lambda d: path(d, "/{task_id}")["get"]["responses"].pop("304"),
        "the status 304 is gone",
    ),
    "a header is gone": (
        lambda d: path(d)["get"]["responses"]["200"]["headers"].pop("Link"),
        "200: the header Link is gone",
    ),
    "an answer is of another media type": (
        lambda d: path(d)["get"]["responses"]["200"].update(content={"text/csv": {"schema": {}}}),
        "200: is not application/json any more",
    ),
    "a member is gone": (
        lambda d: (
            schema(d, "Task")["properties"].pop("version"),
            schema(d, "Task")["required"].remove("version"),
        ),
        "/version",
    ),
    "a member that may be missing is gone": (
        lambda d: schema(d, "Problem")["properties"].pop("outcome"),
        "/outcome",
    ),
    "the members of a map are of another type": (
        lambda d: schema(d, "Readiness", "checks").update(additionalProperties={"type": "integer"}),
        "/checks/any other member: integer is new in an answer",
    ),
    "a member may be missing": (
        lambda d: schema(d, "Task")["required"].remove("completed_at"),
        "/completed_at: none is new in an answer",
    ),
    "a member may be null": (
        lambda d: schema(d, "Task", "title").update(type=["string", "null"]),
        "/title: null is new in an answer",
    ),
    "a member is of another form": (lambda d: schema(d, "Task", "id").pop("format"), "format none"),
    "a member is longer": (
        lambda d: schema(d, "Task", "title").update(maxLength=500),
        "/title: maxLength 500 is new in an answer",
    ),
    "a closed choice is wider": (
        lambda d: schema(d, "Problem", "outcome")["enum"].append("applied"),
        "/outcome: applied is new in an answer",
    ),
    "a list is of something else": (
        lambda d: path(d)["get"]["responses"]["200"]["content"]["application/json"].update(
            schema={"type": "array", "items": {"$ref": "#/components/schemas/Completion"}}
        ),
        "/*/id",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_break_is_found(name: str) -> None:
    """Each of these would break a client, and is told by its place."""
    change, logged = BREAKS[name]
    new = deepcopy(DOCUMENT)
    change(new)
    found = breaks(DOCUMENT, new)
    assert found
    assert any(logged in one for one in found), found


GROWTH: dict[str, Change] = {
    "a path": lambda d: d["paths"].update({"/new": deepcopy(d["paths"]["/livez"])}),
    "an operation": lambda d: path(d).update(delete=deepcopy(path(d)["get"])),
    "a parameter": lambda d: add_parameter(d, required=False),
    "a choice to ask for": lambda d: parameter(d, "sort")["schema"]["enum"].append("version"),
    "a wider limit": lambda d: parameter(d, "limit")["schema"].update(maximum=500),
    "a field": lambda d: schema(d, "TaskCreate")["properties"].update(color={"type": "string"}),
    "a member": lambda d: schema(d, "Task")["properties"].update(color={"type": "string"}),
    "a media type to send": lambda d: path(d)["post"]["requestBody"]["content"].update(
        {"text/plain": {"schema": {"type": "string"}}}
    ),
    "a header": lambda d: path(d)["get"]["responses"]["200"]["headers"].update(X={"schema": {}}),
    "an error": lambda d: path(d)["get"]["responses"].update({"418": {"description": "tea"}}),
    "a kind of problem": lambda d: schema(d, "Problem", "type")["x-extensible-enum"].append("/x"),
    "other words": lambda d: path(d)["get"].update(description="Otherwise."),
}


@pytest.mark.parametrize("name", GROWTH)
def test_growth_is_no_break(name: str) -> None:
    """The API may grow by these, and no client notices."""
    new = deepcopy(DOCUMENT)
    GROWTH[name](new)
    assert new != DOCUMENT
    assert breaks(DOCUMENT, new) == []


def test_an_unknown_keyword_is_an_error() -> None:
    """A keyword that the comparison does not know is no silent pass."""
    new = deepcopy(DOCUMENT)
    schema(new, "Task", "title").update(anyOf=[{}])
    with pytest.raises(AssertionError, match="cannot compare"):
        breaks(DOCUMENT, new)
