"""JSON schemas of the operations on tasks and lists."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, post_load, validates_schema

from taskservice.adapters.http.api.entity_schemas import (
    create_schema,
    move_schema,
    patch_schema,
    query_schema,
    response_schema,
    update_schema,
)
from taskservice.adapters.http.openapi.examples import Examples, request_examples
from taskservice.adapters.http.protocol.bodies import JSON, BodySchema
from taskservice.adapters.http.protocol.request_parser import ParametersSchema
from taskservice.adapters.http.protocol.strict_fields import (
    EnumParameter,
    IntegerParameter,
    KindField,
)
from taskservice.core.kinds import Boolean
from taskservice.core.subtasks import TREE_LIMIT
from taskservice.core.task import Task
from taskservice.core.task_list import TaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion
from taskservice.core.zones import TimeZone

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

TaskMoveSchema = move_schema(Task)
TaskListSchema = response_schema(TaskList)
TaskListCreateSchema = create_schema(TaskList)
TaskListPatchSchema = patch_schema(TaskList)
TaskListMoveSchema = move_schema(TaskList)


def merge_patch_body(name: str, examples: Examples) -> dict[str, Any]:
    """Return the request body of a merge patch with the other media type, JSON."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"content": {JSON: {"schema": schema, "examples": request_examples(examples)}}}


class CompletionSchema(BodySchema):
    """The completion of a task. A request without a body completes it."""

    empty_body_value: ClassVar[Mapping[str, Any]] = {"completed": True}

    completed = KindField(Boolean(), "True completes the task, false reopens it.", required=True)
    time_zone = KindField(
        TimeZone(),
        "The IANA time zone of the caller, for a task that recurs and has none itself: it says "
        "which day it is when the task is closed. The default is UTC.",
    )

    @post_load
    def _completion(self, completion: dict[str, Any], **_: Any) -> Completion:
        return Completion(**completion)


class TaskDeletionSchema(ParametersSchema):
    """The options of the deletion of a task. Loads to keyword arguments of `remove_task`."""

    behind_headers = ("with_subtasks",)

    with_subtasks = EnumParameter(
        {"delete": True},
        data_key="subtasks",
        metadata={
            "description": "`delete` moves the sub-tasks to the trash too, up to 1,000. Without "
            "it they take the place of the task.",
            "example": "delete",
        },
    )


class ListDeletionSchema(ParametersSchema):
    """The options of the deletion of a list. Loads to keyword arguments of `remove_list`."""

    behind_headers = ("tasks", "limit")

    tasks = EnumParameter(
        {"inbox": "inbox", "delete": "delete"},
        metadata={
            "description": "What becomes of the tasks in the list, up to 1,000: `inbox` moves them "
            "behind those in the inbox, `delete` moves them to the trash. Without it only an empty "
            "list is deleted.",
            "example": "inbox",
        },
    )
    limit = IntegerParameter(
        1,
        TREE_LIMIT,
        metadata={
            "description": "The most tasks to move at once, for a list with many. The response is "
            "200 then. The list is deleted with the last ones.",
            "example": TREE_LIMIT,
        },
    )

    @validates_schema
    def _check_limit(self, options: dict[str, Any], **_: Any) -> None:
        if "limit" in options and "tasks" not in options:
            raise ValidationError("needs tasks", "limit")


class NoParametersSchema(ParametersSchema):
    """No query parameters."""

    def defaults(self) -> dict[str, Any]:
        """Return no arguments."""
        return {}
