"""The tables of the API page have the operations, options, limits and problems of the source."""

import json
import re
from collections.abc import Iterator

from marshmallow import Schema
from tests.docs.api_tables import names, rows

from taskservice.adapters.http.api.schemas import ListDeletionSchema, TaskDeletionSchema
from taskservice.adapters.http.protocol.problems import PROBLEM_TYPES
from taskservice.app import openapi_document
from taskservice.core.batch import CHANGES_LIMIT
from taskservice.core.entity import references_of
from taskservice.core.lists import LISTS_LIMIT
from taskservice.core.moves import PLACES, Move
from taskservice.core.ordering import MAX_KEY_LENGTH
from taskservice.core.subtasks import TOO_MANY, TREE_LIMIT
from taskservice.core.task import Task
from taskservice.core.task_rules import DEPTH_LIMIT


def operations() -> Iterator[str]:
    """Yield the method and the path of each operation on a user's data, as the page writes it."""
    for path, methods in json.loads(openapi_document())["paths"].items():
        shown = re.sub(r"\{(task|list)_id\}", "{id}", path)
        yield from (f"{m.upper()} {shown}" for m in methods.keys() - {"parameters", "options"})


def choices(path: str, schema: type[Schema]) -> Iterator[str]:
    """Yield a deletion without an option, then with each word of one."""
    yield f"DELETE …/{path}/{{id}}"
    for name, field in schema().fields.items():
        words = field.metadata.get("enum", [])
        yield from (f"DELETE …/{path}/{{id}}?{field.data_key or name}={word}" for word in words)


def test_the_table_of_paths_has_every_operation_of_a_user() -> None:
    """And no other."""
    shown = [
        one for row in rows("| method and path | operation | success |") for one in names(row[0])
    ]
    assert {one for one in shown if " /api/" in one} == {o for o in operations() if " /api/" in o}


def test_the_table_of_moves_has_every_body() -> None:
    """Each member, and each word of `place`."""
    bodies = [json.loads(body) for row in rows("| body | new place |") for body in names(row[0])]
    beside = [{name: "<id>"} for name in Move._fields if name != "place"]
    assert bodies == [*beside, *({"place": place} for place in PLACES)]


def test_the_table_of_deletions_has_every_option() -> None:
    """Those of a task, then those of a list; the greatest limit is that of a tree."""
    table = rows("| request | sub-tasks, or tasks of the list |")
    requests = [one for row in table for one in names(row[0])]
    assert requests == [
        *choices("tasks", TaskDeletionSchema),
        *choices("lists", ListDeletionSchema),
        f"DELETE …/lists/{{id}}?tasks=delete&limit={TREE_LIMIT}",
    ]


def test_the_table_of_limits_has_their_values() -> None:
    """The number of lists, the depth, the size of a tree and of a batch, the length of a key."""
    limits = (LISTS_LIMIT, DEPTH_LIMIT, TREE_LIMIT, CHANGES_LIMIT, MAX_KEY_LENGTH)
    assert [row[1] for row in rows("| limit | value |")] == [f"{limit:,}" for limit in limits]


def test_the_table_of_placement_errors_has_messages_of_the_source() -> None:
    """Of a missing list or parent, and of too many tasks, each at its field."""
    table = {(*names(row[0]), row[1]) for row in rows("| 422 at | `detail` | cause |")}
    missing = {(f"/{name}", kind.missing_error) for name, kind in references_of(Task).items()}
    assert {*missing, ("/list_id", TOO_MANY)} <= table


def test_the_table_of_errors_has_every_problem_type() -> None:
    """Each with its status."""
    table = [(row[0], *names(row[1])) for row in rows("| status | `type` | cause |")]
    expected = {(f"{one.status}", f"/problems/{name}") for name, one in PROBLEM_TYPES.items()}
    assert sorted(table) == sorted(expected)
