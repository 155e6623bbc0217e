"""List operations: create, list, read, rename, move and delete lists of tasks."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields

from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.entity_schemas import MERGE_PATCH
from taskservice.adapters.http.api.schemas import (
    ListDeletionSchema,
    NoParametersSchema,
    TaskListCreateSchema,
    TaskListMoveSchema,
    TaskListPatchSchema,
    TaskListSchema,
    merge_patch_body,
)
from taskservice.adapters.http.openapi.document import LIST_LINKS
from taskservice.adapters.http.openapi.examples import (
    LIST,
    LIST_EXAMPLES,
    LIST_MOVE_EXAMPLES,
    LIST_PATCH_EXAMPLES,
    request_examples,
    response_examples,
)
from taskservice.adapters.http.openapi.headers import (
    ENTITY_HEADERS,
    NOT_MODIFIED_HEADERS,
    RATE_LIMIT_HEADERS,
    REPLAYED_HEADER,
    WRITE_HEADERS,
    location_header,
)
from taskservice.adapters.http.protocol.authorization import own_workspace
from taskservice.adapters.http.protocol.preconditions import (
    check_collection_preconditions,
    check_if_match,
    precondition,
    with_collection_preconditions,
)
from taskservice.adapters.http.protocol.strict_fields import ResponseSchema
from taskservice.core import lists
from taskservice.core.entity import Edit
from taskservice.core.moves import Move
from taskservice.core.preconditions import with_precondition
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.workspace import all_pages


class ListDeletionStepSchema(ResponseSchema):
    """How many tasks of a list that is being deleted were moved."""

    done = fields.Integer(
        required=True, metadata={"description": "The number of tasks.", "minimum": 0}
    )
    more = fields.Boolean(
        required=True,
        metadata={"description": "Whether the list is still there, with more tasks."},
    )


blueprint = EntityBlueprint(
    "lists",
    __name__,
    url_prefix="/api/tasks/<user_id>/lists",
    description="The lists of one user, accessible to that user only.",
)


@blueprint.get("", links=["get_first_list"])
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, TaskListSchema(many=True), headers=RATE_LIMIT_HEADERS, example=[LIST])
def list_lists() -> Sequence[TaskList]:
    """List the user's lists.

    All of them, in their order. The inbox is none of them: it has the tasks without a list.
    """
    with own_workspace() as workspace:
        all_lists = list(all_pages(workspace.lists, lists.ALL_LISTS))
    check_collection_preconditions()
    return all_lists


@blueprint.post("", headers=["Idempotency-Key"], links=LIST_LINKS)
@blueprint.arguments(TaskListCreateSchema(), examples=request_examples(LIST_EXAMPLES))
@with_collection_preconditions
@blueprint.response(
    201,
    TaskListSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER | location_header("lists"),
    examples=response_examples(LIST_EXAMPLES),
)
def create_list(new: NewTaskList) -> TaskList:
    """Create a list.

    It stands behind all others. A user has up to 500 lists.
    """
    return lists.create_list(own_workspace, new)


@blueprint.get("/<uuid:list_id>", headers=["If-None-Match"], links=LIST_LINKS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, TaskListSchema(), headers=ENTITY_HEADERS, example=LIST)
@blueprint.alt_response(304, headers=NOT_MODIFIED_HEADERS, success=True)
def get_list(list_id: UUID) -> TaskList:
    """Read a list.

    Its tasks in their order are `GET /api/tasks/{user_id}/tasks?list_id={list_id}&sort=position`.
    """
    with own_workspace() as workspace:
        return check_if_match(workspace.lists.get(list_id))


@blueprint.patch("/<uuid:list_id>", headers=WRITE_HEADERS, links=LIST_LINKS)
@blueprint.doc(requestBody=merge_patch_body("TaskListPatch", LIST_PATCH_EXAMPLES))
@blueprint.arguments(
    TaskListPatchSchema(),
    content_type=MERGE_PATCH,
    examples=request_examples(LIST_PATCH_EXAMPLES),
)
@blueprint.response(
    200,
    TaskListSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER,
    examples=response_examples(LIST_PATCH_EXAMPLES),
)
def patch_list(edit: Edit, list_id: UUID) -> TaskList:
    """Rename a list.

    A JSON merge patch (RFC 7396). With `If-Match`, it is done only if the list has not
    changed meanwhile.
    """
    with own_workspace() as workspace:
        return workspace.lists.change(list_id, with_precondition(precondition(), edit))


@blueprint.patch("/<uuid:list_id>/position", headers=WRITE_HEADERS, links=LIST_LINKS)
@blueprint.arguments(TaskListMoveSchema(), examples=request_examples(LIST_MOVE_EXAMPLES))
@blueprint.response(
    200,
    TaskListSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER,
    examples=response_examples(LIST_MOVE_EXAMPLES),
)
def move_list(move: Move, list_id: UUID) -> TaskList:
    """Move a list among the lists.

    The body has exactly one of `after`, `before` and `place`. A list that stands there
    already does not change, so a retry is harmless. `If-Match` is never required.
    """
    return lists.move_list(own_workspace, list_id, move, precondition(optional=True))


@blueprint.delete("/<uuid:list_id>", headers=WRITE_HEADERS, problems=["list-not-empty"])
@blueprint.arguments(ListDeletionSchema(), location="query", as_kwargs=True)
@blueprint.response(204, headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER)
@blueprint.alt_response(
    200,
    schema=ListDeletionStepSchema,
    headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER,
    example={"done": 1000, "more": True},
    success=True,
)
def delete_list(
    list_id: UUID, tasks: str | None = None, limit: int | None = None
) -> tuple[dict[str, Any], int] | None:
    """Delete a list.

    A list with tasks is deleted only if `tasks` says what becomes of them. All of it
    happens, or nothing: 204. With a `limit`, up to as many tasks are moved, tasks and their
    sub-tasks together, and the response is 200. If `more` is true, the list is still there: ask
    again, with another `Idempotency-Key` if any.
    """
    removed = lists.remove_list(own_workspace, list_id, precondition(), tasks, limit)
    return None if limit is None else (removed._asdict(), 200)
