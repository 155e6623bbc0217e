"""The schemas of the document: answers are open to members that come later, bodies are closed."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.openapi_operations import Operation, operations, resolved

from taskservice.app import openapi_document

DOCUMENT = json.loads(openapi_document())
OPERATIONS = list(operations(DOCUMENT))
WITH_BODY = [one for one in OPERATIONS if one.bodies]


def named(operation: Operation) -> str:
    return operation.name


def openness(node: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what each object within a schema says of other members, and where it is."""
    if isinstance(node, dict):
        node = resolved(DOCUMENT, node)
        if "properties" in node:
            yield where, node.get("additionalProperties")
        for name, part in node.items():
            yield from openness(part, f"{where}/{name}")
    elif isinstance(node, list):
        for part in node:
            yield from openness(part, where)


def answered(operation: Operation) -> dict[str, Any]:
    answers = {
        status: resolved(DOCUMENT, answer).get("content", {})
        for status, answer in operation.said["responses"].items()
    }
    return dict(openness(answers))


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_an_answer_says_that_it_may_grow(operation: Operation) -> None:
    """OpenAPI Generator's Go and its default Java refuse a new member where this is not said."""
    found = answered(operation)
    assert found
    assert set(found.values()) == {True}, found


def test_an_object_within_another_is_looked_at() -> None:
    """A fault of a problem may grow as well."""
    problem = "/400/application/problem+json/schema"
    assert all(
        {problem, f"{problem}/properties/errors/items"} <= answered(one).keys() for one in WITH_BODY
    )


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
def test_a_body_says_that_it_is_whole(operation: Operation) -> None:
    """A field that the service does not know is refused, and a client can know before."""
    found = dict(openness(operation.bodies))
    assert set(found.values()) == {False}, found
