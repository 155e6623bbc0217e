"""Ids in bodies and in queries: another user's entity is none, with the same bytes.

The members and parameters that hold ids are found in the served document.
"""

from typing import Any, NamedTuple

import pytest
from tests.isolation.matrix import IDENTITIES, SETTINGS, World
from tests.openapi_operations import Operation, resolved

from taskservice.app import create_app
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA

TOKEN = IDENTITIES["the owner"][1]
REFERS_TO = {"list_id": "list_id", "parent_id": "task_id", "series_id": "task_id"}
"""For a member that refers to an entity of another type than the path names: which id it is.

The id of a series is that of its first task.
"""


class Reference(NamedTuple):
    """A member of the body of an operation that holds an id."""

    operation: Operation
    name: str
    required: list[str]

    @property
    def refers_to(self) -> str:
        """The name in `World.ids` of the id that the member holds."""
        of_path = "list_id" if "{list_id}" in self.operation.path else "task_id"
        return REFERS_TO.get(self.name, of_path)


def references(world: World) -> list[Reference]:
    """Return all members of bodies that hold an id."""
    found = []
    for operation in world.documented.values():
        if content := operation.bodies.get("application/json"):
            schema = resolved(world.document, content["schema"])
            found += [
                Reference(operation, name, schema.get("required", []))
                for name, said in schema["properties"].items()
                if said.get("format") == "uuid"
            ]
    return found


@pytest.fixture
def world(open_workspace: OpenWorkspace) -> World:
    return World(create_app(open_workspace, SETTINGS))


def send(world: World, one: Reference, target: str) -> Any:
    """Send a write of the own entity, or a creation, that refers to a target."""
    path = one.operation.path.format(user_id=ADA, **world.ids["own"])
    body = dict.fromkeys(one.required, "Buy milk")
    body[one.name] = world.ids[target][one.refers_to]
    return world.ask(one.operation.method, path, TOKEN, body)


def whole(response: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return all that the caller gets."""
    return response.status_code, list(response.headers), response.data


def test_a_foreign_id_in_a_body_looks_like_a_missing_one(world: World) -> None:
    """422 at the member, byte for byte; an own id is accepted, and nothing of Bob's changes."""
    before, found = world.all_of_bob(), references(world)
    assert len(found) == 10
    for one in found:
        world.ids["own"] = world.create(ADA)
        foreign, missing = (send(world, one, target) for target in ("foreign", "missing"))
        assert whole(foreign) == whole(missing)
        assert [error["pointer"] for error in foreign.json["errors"]] == [f"/{one.name}"]
        own = send(world, one, "beside")
        assert own.status_code == one.operation.success[0], (one, own.text)
    assert world.all_of_bob() == before


def test_a_foreign_id_in_a_query_finds_nothing(world: World) -> None:
    """Byte for byte as a missing one, with the count."""
    documented = world.documented["GET /api/tasks/{user_id}/tasks"].said["parameters"]
    queries = [one["name"] for one in documented if one["in"] == "query"]
    assert {name for name in queries if name.endswith("_id")} == REFERS_TO.keys()
    for name in REFERS_TO:
        foreign, missing = (
            world.ask("GET", f"/api/tasks/{ADA}/tasks?{name}={ids[REFERS_TO[name]]}", TOKEN)
            for ids in (world.ids["foreign"], world.ids["missing"])
        )
        assert foreign.json == []
        assert whole(foreign) == whole(missing)
