"""JSON schemas of the task operations."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import post_load

from taskservice.adapters.http.api.entity_schemas import (
    create_schema,
    patch_schema,
    query_schema,
    response_schema,
    update_schema,
)
from taskservice.adapters.http.openapi.examples import PATCH_EXAMPLES, request_examples
from taskservice.adapters.http.protocol.bodies import JSON, BodySchema
from taskservice.adapters.http.protocol.request_parser import ParametersSchema
from taskservice.adapters.http.protocol.strict_fields import KindField
from taskservice.core.entity import Step
from taskservice.core.kinds import Boolean
from taskservice.core.task import Task
from taskservice.core.task_query import TaskQuery

TaskSchema = response_schema(Task)
TaskCreateSchema = create_schema(Task)
TaskUpdateSchema = update_schema(Task)
TaskPatchSchema = patch_schema(Task)
TaskQuerySchema = query_schema(
    TaskQuery,
    first=(
        *("completed", "limit", "q", "created_after", "created_before"),
        *("updated_after", "updated_before"),
    ),
)

MERGE_PATCH_BODY = {
    "content": {
        JSON: {
            "schema": {"$ref": "#/components/schemas/TaskPatch"},
            "examples": request_examples(PATCH_EXAMPLES),
        }
    },
}


class CompletionSchema(BodySchema):
    """The completion of a task. A request without a body completes it. Loads to a `Step`."""

    empty_body_value: ClassVar[Mapping[str, Any]] = {"completed": True}

    completed = KindField(Boolean(), "True completes the task, false reopens it.", required=True)

    @post_load
    def _step(self, completion: dict[str, bool], **_: Any) -> Step[Task]:
        return Task.complete if completion["completed"] else Task.reopen


class NoParametersSchema(ParametersSchema):
    """No query parameters."""

    def defaults(self) -> dict[str, Any]:
        """Return no arguments."""
        return {}
