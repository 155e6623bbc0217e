"""Trash operations: list, read, restore and purge the tasks that one user deleted."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import current_app
from marshmallow import fields

from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.entity_schemas import page_schema, response_schema
from taskservice.adapters.http.api.responses import EntitySchema
from taskservice.adapters.http.api.schemas import NoParametersSchema, TaskSchema
from taskservice.adapters.http.openapi.document import TASK_LINKS, TRASH_LINKS
from taskservice.adapters.http.openapi.examples import RESTORED_TASK, TRASHED_TASK
from taskservice.adapters.http.openapi.headers import (
    ENTITY_HEADERS,
    LIST_HEADERS,
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
from taskservice.adapters.http.protocol.request import current_request
from taskservice.core import trash
from taskservice.core.query import Page
from taskservice.core.task import Task
from taskservice.core.trashed_task import TrashedTask, TrashQuery

TRASH_DAYS = "TASKSERVICE_TRASH_DAYS"
"""The key of the setting in the application's configuration."""


class TrashSchema(EntitySchema):
    """Documents a task that may be in the trash."""

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """Return the task, or the tasks of a page, with the time at which it is purged."""
        dumped = super().dump(obj, many=many)
        return [*map(_with_purge, dumped)] if isinstance(dumped, list) else _with_purge(dumped)


def _with_purge(task: Task) -> Task | Mapping[str, Any]:
    if not isinstance(task, TrashedTask):
        return task
    days = timedelta(days=current_app.config[TRASH_DAYS])
    kept = min(days, datetime.max.replace(tzinfo=UTC) - task.trashed_at)
    return {**vars(task), "purged_after": task.trashed_at + kept}


class TrashedTaskSchema(response_schema(TrashedTask, TrashSchema)):  # type: ignore[misc]
    """A task in the trash."""

    purged_after = fields.DateTime(
        required=True, metadata={"description": "The time after which it is deleted for good."}
    )


class PurgedSchema(EntitySchema):
    """How many tasks were deleted for good."""

    purged = fields.Integer(
        required=True, metadata={"description": "The number of tasks.", "minimum": 0}
    )
    more = fields.Boolean(
        required=True, metadata={"description": "Whether the trash has more. If so, ask again."}
    )


blueprint = EntityBlueprint(
    "trash",
    __name__,
    url_prefix="/api/tasks/<user_id>/trash",
    description="The tasks that one user deleted, accessible to that user only.",
)


@blueprint.get("", headers=["Prefer"], links=["get_first_trashed_task"])
@blueprint.arguments(page_schema(TrashQuery)(), location="query")
@blueprint.response(200, TrashedTaskSchema(many=True), headers=LIST_HEADERS, example=[TRASHED_TASK])
def list_trash(query: TrashQuery) -> Page[TrashedTask]:
    """List the tasks in the trash.

    The task that was deleted last is first. While there are more, the `Link` header has the next
    page.
    """
    with own_workspace() as workspace:
        page = workspace.trash.list(query)
    check_collection_preconditions()
    return page


@blueprint.get("/<uuid:task_id>", headers=["If-None-Match"], links=TRASH_LINKS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, TrashedTaskSchema(), headers=ENTITY_HEADERS, example=TRASHED_TASK)
@blueprint.alt_response(304, headers=NOT_MODIFIED_HEADERS, success=True)
def get_trashed_task(task_id: UUID) -> TrashedTask:
    """Read a task in the trash.

    It is as it was when it was deleted. All other operations on tasks answer as if it had never
    been, but for its changes and their undo.
    """
    with own_workspace() as workspace:
        return check_if_match(workspace.trash.get(task_id))


@blueprint.post("/<uuid:task_id>/restore", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(
    200,
    TaskSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER | location_header("tasks"),
    example=RESTORED_TASK,
)
def restore_task(task_id: UUID) -> Task:
    """Restore a task from the trash.

    It has its id and the next version, and stands where it did. If its list is gone, it is in the
    inbox; if its parent is gone, it has none. Sub-tasks that were deleted with it come back too.
    If another open task of its series recurs, it recurs no longer. `If-Match` is never required.
    """
    request = current_request()
    owner_path, *_ = request.encoded_path.rsplit("/", 3)
    request.location = f"{owner_path}/tasks/{task_id}"
    return trash.restore_task(own_workspace, task_id, precondition(optional=True))


@blueprint.delete("/<uuid:task_id>", headers=WRITE_HEADERS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(204, headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER)
def purge_task(task_id: UUID) -> None:
    """Delete a task in the trash for good.

    Its changes lose what it was. Sub-tasks that were deleted with it stay in the trash.
    `If-Match` is never required.
    """
    trash.purge_task(own_workspace, task_id, precondition(optional=True))


@blueprint.delete("", headers=["Idempotency-Key"])
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@with_collection_preconditions
@blueprint.response(
    200,
    PurgedSchema(),
    headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER,
    example={"purged": 17, "more": False},
)
def purge_trash() -> dict[str, Any]:
    """Delete all tasks in the trash for good.

    Up to 1,000 at once, the oldest first. If `more` is true, ask again.
    """
    return trash.purge_all(own_workspace)._asdict()
