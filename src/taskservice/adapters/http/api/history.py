"""History operations: list the changes of one task, and undo one."""

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import fields, post_load

from taskservice.adapters.http.api import cursors
from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.entity_schemas import page_size_and_start, response_schema
from taskservice.adapters.http.api.responses import EntitySchema
from taskservice.adapters.http.api.trash import TrashedTaskSchema, TrashSchema
from taskservice.adapters.http.openapi.document import TASK_LINKS
from taskservice.adapters.http.openapi.examples import (
    TASK_CHANGE,
    UNDO_EXAMPLES,
    request_examples,
    response_examples,
)
from taskservice.adapters.http.openapi.headers import (
    ENTITY_HEADERS,
    PAGE_HEADERS,
    REPLAYED_HEADER,
    WRITE_HEADERS,
)
from taskservice.adapters.http.protocol.authorization import own_workspace
from taskservice.adapters.http.protocol.bodies import BodySchema
from taskservice.adapters.http.protocol.preconditions import (
    check_collection_preconditions,
    precondition,
)
from taskservice.adapters.http.protocol.request import current_request
from taskservice.adapters.http.protocol.request_parser import ParametersSchema
from taskservice.adapters.http.protocol.strict_fields import KindField
from taskservice.core.changes import NumberedChange
from taskservice.core.history import history
from taskservice.core.kinds import Integer
from taskservice.core.query import PAGE_DEFAULT
from taskservice.core.task import Task
from taskservice.core.undo import undo
from taskservice.core.zones import TimeZone

SEQUENCE_LIMIT = 2**53 - 1
"""The greatest number of a change that every client reads exactly (RFC 8259, section 6)."""


def _sequence(description: str) -> KindField:
    kind = Integer(1, SEQUENCE_LIMIT)
    schema = {**kind.json_schema(), "format": "int64"}
    return KindField(kind, description, schema=schema, required=True)


class TaskChangeSchema(EntitySchema):
    """One change of a task."""

    sequence = _sequence("The number of the change among all of the user's, in their order.")
    id = fields.UUID(required=True, metadata={"description": "The id of the change."})
    type = fields.String(
        required=True,
        metadata={
            "description": "What happened, such as `task.completed`. Later versions may have "
            "other types."
        },
    )
    at = fields.DateTime(required=True, metadata={"description": "The time of the change."})
    version = fields.Integer(
        required=True,
        metadata={"description": "The version of the task after the change.", "minimum": 1},
    )
    client = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The client that acted for the user, or null if unknown."},
    )
    request_id = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The `X-Request-Id` of the request, or null if there was none."},
    )
    previous = fields.Dict(
        keys=fields.String(),
        required=True,
        allow_none=True,
        metadata={
            "description": "The fields that changed, as they were before. Null for what has no "
            "earlier state: a creation, a removal, and changes before a purge."
        },
    )


class HistoryQuerySchema(ParametersSchema):
    """The parameters of a history. Loads to keyword arguments of `list_task_changes`."""

    limit, cursor = page_size_and_start().values()


class Undo(NamedTuple):
    """The number of the change to undo, and the time zone of the caller."""

    sequence: int
    time_zone: str | None = None


class UndoSchema(BodySchema):
    """The change to undo."""

    sequence = _sequence("The `sequence` of the change, from the history of the task.")
    time_zone = KindField(
        TimeZone(),
        "The IANA time zone of the caller, if the undo closes a task that recurs and has none "
        "itself. The default is UTC.",
    )

    @post_load
    def _undo(self, values: dict[str, Any], **_: Any) -> Undo:
        return Undo(**values)


def _optional(name: str) -> fields.Field[Any]:
    """Return a member of a task in the trash for a task that may be there."""
    field: fields.Field[Any] = copy(TrashedTaskSchema().fields[name])
    field.required = False
    return field


class UndoneTaskSchema(response_schema(Task, TrashSchema)):  # type: ignore[misc]
    """A task after an undo. If it is in the trash now, it has what a task there has."""

    trashed_at = _optional("trashed_at")
    trashed_with = _optional("trashed_with")
    purged_after = _optional("purged_after")


blueprint = EntityBlueprint(
    "history",
    __name__,
    url_prefix="/api/tasks/<user_id>/tasks",
    description="What has changed in one user's tasks, accessible to that user only.",
)


@blueprint.get("/<uuid:task_id>/history")
@blueprint.arguments(HistoryQuerySchema(), location="query", as_kwargs=True)
@blueprint.response(200, TaskChangeSchema(many=True), headers=PAGE_HEADERS, example=[TASK_CHANGE])
def list_task_changes(
    task_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Sequence[dict[str, Any]]:
    """List the changes of a task.

    The newest first, also of a task in the trash. With `previous` of each change, from the newest
    one on, every earlier state follows from the present one. Changes are kept for some time, so
    the oldest may be missing.
    """
    owner, name = current_request().owner, f"{task_id}"
    before = None if cursor is None else cursors.decode_number(cursor, owner, name)
    with own_workspace() as workspace:
        page = history(workspace, task_id, before, limit)
    check_collection_preconditions()
    if page.next is not None:
        current_request().next_cursor = cursors.encode_number(owner, name, page.next)
    return [*map(_members, page.changes)]


@blueprint.post(
    "/<uuid:task_id>/undo", headers=WRITE_HEADERS, links=TASK_LINKS, problems=["undo-conflict"]
)
@blueprint.arguments(UndoSchema(), examples=request_examples(UNDO_EXAMPLES))
@blueprint.response(
    200,
    UndoneTaskSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER,
    examples=response_examples(UNDO_EXAMPLES),
)
def undo_task_change(change: Undo, task_id: UUID) -> Task:
    """Undo a change of a task.

    Each field that it changed gets the value that it had before, as a change of its own. If one
    has neither that value nor the one that the change gave it, or another field would change too,
    nothing changes, and the response is 409. A removal is undone by restoring the task, a creation
    or a restoration by moving it to the trash. A field that has its value from before already is
    passed over, so a retry is harmless. `If-Match` is never required.
    """
    condition = precondition(optional=True)
    return undo(own_workspace, task_id, change.sequence, condition, change.time_zone)


def _members(numbered: NumberedChange) -> dict[str, Any]:
    sequence, change = numbered
    return {
        "sequence": sequence,
        "id": change.id,
        "type": change.type,
        "at": change.at,
        "version": change.version,
        **change.origin._asdict(),
        "previous": change.previous,
    }
