"""The tables about batches have the commands, members and limits of the source."""

import json

from marshmallow import Schema
from tests.docs.api_tables import names, rows
from tests.processes import ROOT

from taskservice.adapters.http.api.batch import COMMANDS_PER_REQUEST
from taskservice.adapters.http.api.batch_schemas import (
    BatchCommandResultSchema,
    BatchCommandSchema,
    BatchResultSchema,
    BatchSchema,
)
from taskservice.adapters.http.api.commands import OPERATIONS
from taskservice.adapters.http.api.labels import LabelRenameSchema
from taskservice.adapters.http.protocol.idempotency import RESULT_LIMIT
from taskservice.adapters.http.protocol.request import BATCH_BODY_LIMIT
from taskservice.core.batch import CHANGES_LIMIT, COMMANDS_LIMIT

BATCH = (ROOT / "docs" / "batch.md").read_text()


def first_cells(head: str, *page: str) -> list[str]:
    """Return what stands in code in the first column of a table, each name once."""
    return [name for row in rows(head, *page) for name in names(row[0])]


def members(*schemas: type[Schema]) -> list[str]:
    """Return the members of objects in their order."""
    return [name for schema in schemas for name in schema().fields]


def test_the_table_of_commands_has_those_of_the_source() -> None:
    """Each with the members that it needs, those that it may have, its status and its result."""
    table = rows("| `op` | required | optional | status | result | as |", BATCH)
    assert {
        names(op)[0]: ({*names(required)}, {*names(optional)}, status, "`task`" in result)
        for op, required, optional, status, result, _ in table
    } == {
        name: ({*one.required}, {*one.optional}, f"{one.status}", one.has_task)
        for name, one in OPERATIONS.items()
    }


def test_the_table_of_members_has_those_of_a_command() -> None:
    """Each, in its order."""
    assert first_cells("| member of a command | value |", BATCH) == members(BatchCommandSchema)


def test_the_tables_of_bodies_have_their_members() -> None:
    """Of a batch, and of its response with its results, each in its order."""
    assert first_cells("| member of a batch | value |") == members(BatchSchema)
    shown = first_cells("| member of the response | value |")
    assert shown == members(BatchResultSchema, BatchCommandResultSchema)


def test_the_table_of_limits_has_their_values() -> None:
    """The commands, the sizes of the body and of the response, and the cost."""
    values = [row[1] for row in rows("| limit of a batch | value | beyond it |", BATCH)]
    assert values == [
        f"1 to {COMMANDS_LIMIT}",
        f"{CHANGES_LIMIT:,}",
        f"{BATCH_BODY_LIMIT // 1024} KiB",
        f"{RESULT_LIMIT // 1024**2} MiB",
        f"1 request, and 1 more for every {COMMANDS_PER_REQUEST} commands",
    ]
    assert f"counts as {1 + COMMANDS_LIMIT // COMMANDS_PER_REQUEST} requests" in BATCH


def test_the_table_of_renamings_has_every_body() -> None:
    """With each member that the operation takes, and without the one that is not needed."""
    first, second = [json.loads(body) for body in first_cells("| body | then |")]
    assert [*second] == members(LabelRenameSchema)
    assert [*first] == [name for name, one in LabelRenameSchema().fields.items() if one.required]
