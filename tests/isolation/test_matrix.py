"""Who may do what: the access matrix, and that another user's entity looks like a missing one."""

import re

import pytest
from flask import Flask
from tests.isolation.matrix import (
    IDENTITIES,
    ROOT,
    SETTINGS,
    TARGETS,
    Cell,
    World,
    by_route,
    has_id,
    key,
    options,
    routes,
)
from tests.statement_audit import StatementAudit

from taskservice.app import create_app
from taskservice.core.workspace import OpenWorkspace

is_page = re.compile(r"/|/docs.*|/problems.*|/openapi\.json").fullmatch


@pytest.fixture
def app(open_workspace: OpenWorkspace) -> Flask:
    return create_app(open_workspace, SETTINGS)


def test_every_cell_follows_the_three_rules(app: Flask, audit: StatementAudit) -> None:
    """518 cells; a 401 or a 403 sends no statement. A write that is accepted ends its world."""
    cells = [
        Cell(rule, method, identity, target)
        for rule, method in routes(app)
        if rule.startswith(ROOT)
        for identity in IDENTITIES
        for target in (TARGETS if has_id(rule) else TARGETS[:1])
    ]
    assert len(cells) == 518
    world = World(app)
    for cell in cells:
        sent = audit.count
        answer = world.answer(cell)
        assert (cell, answer.status_code) == (cell, cell.expected(world.documented))
        if answer.status_code in {401, 403}:
            assert audit.count == sent
        if answer.status_code < 300 and cell.method not in {"GET", "HEAD"}:
            world = World(app)


def test_a_foreign_entity_looks_like_a_missing_one(app: Flask) -> None:
    """Byte for byte, headers included, except for the id; with every option of a deletion.

    Nothing of its owner changes.
    """
    world = World(app)
    before = world.all_of_bob()
    for rule, method in routes(app):
        if has_id(rule):
            assert_looks_missing(world, rule, method, "foreign")
        if "task_id" in rule:
            assert_looks_missing(world, rule, method, "foreign, swapped")
    assert world.all_of_bob() == before


def test_a_task_in_the_trash_looks_like_a_missing_one(app: Flask) -> None:
    """Its history and their undo excepted. To the trash, any other task is a missing one."""
    world = World(app)
    for rule, method in routes(app):
        if "task_id" in rule and not rule.endswith(("/history", "/undo")):
            assert_looks_missing(world, rule, method, "own, swapped")


def assert_looks_missing(world: World, rule: str, method: str, target: str) -> None:
    """Assert that a target gets the bytes of a missing one, but for the ids, with each option."""
    for query in options(world.documented[key(rule, method)]):
        found, missing = (
            world.answer(Cell(rule, method, "the owner", one, query)) for one in (target, "missing")
        )
        unnamed = found.text
        for name, known in world.ids[target].items():
            unnamed = unnamed.replace(known, world.ids["missing"][name])
        assert (found.status, list(found.headers), unnamed) == (
            (missing.status, list(missing.headers), missing.text)
        )


def test_the_walk_finds_the_options(app: Flask) -> None:
    """Of a deletion of a list in steps, among others."""
    documented = World(app).documented
    assert options(documented["DELETE /api/tasks/{user_id}/lists/{list_id}"]) == [
        "",
        "?tasks=inbox",
        "?tasks=delete",
        "?tasks=inbox&limit=1",
        "?tasks=delete&limit=1",
    ]
    assert options(documented["GET /api/tasks/{user_id}/tasks"]) == [""]


def test_every_invalid_token_gets_the_same_response(app: Flask) -> None:
    """Only the log has the reason."""
    world = World(app)
    bodies = {
        world.answer(Cell(f"{ROOT}tasks", "GET", identity, "own")).data
        for identity, (subject, _) in IDENTITIES.items()
        if subject is None
    }
    assert len(bodies) == 1


def test_the_routes_are_those_of_the_document(app: Flask) -> None:
    """Every operation is documented, and every documented operation exists."""
    served = {
        key(rule, method) for rule, method in routes(app) if method != "HEAD" and not is_page(rule)
    }
    assert served == by_route(app.test_client().get("/openapi.json").json or {}).keys()
