"""The tasks of one owner: seven operations, each one sentence and one call."""

from typing import Any
from uuid import UUID

from taskservice.adapters.http.documented import DocumentedBlueprint
from taskservice.adapters.http.identity import enforce_ownership, own_tasks, take_path_owner
from taskservice.adapters.http.openapi import LINKED, LOCATED, REQUEST_ID, TAGGED
from taskservice.adapters.http.rendering import describe
from taskservice.adapters.http.schemas import (
    EXAMPLE_COMPLETED,
    EXAMPLE_TASK,
    MERGE_PATCH,
    MERGE_PATCH_BODY,
    CompletionSchema,
    NewTaskSchema,
    NoParametersSchema,
    TaskPatchSchema,
    TaskQuerySchema,
    TaskSchema,
    TaskUpdateSchema,
)
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Step, Task

blueprint = DocumentedBlueprint(
    "tasks",
    __name__,
    url_prefix="/api/tasks/<user_id>/tasks",
    description="The tasks of one user, for that user alone.",
)
blueprint.url_value_preprocessor(take_path_owner)
blueprint.before_request(enforce_ownership)
blueprint.after_request(describe)


@blueprint.get("")
@blueprint.arguments(TaskQuerySchema(), location="query")
@blueprint.response(200, TaskSchema(many=True), headers=LINKED, example=[EXAMPLE_TASK])
def list_tasks(query: TaskQuery) -> Page:
    """List the user's tasks.

    Newest first, a page at a time. While there is more, the answer's `Link`
    header leads to the next page; follow it as it stands.
    """
    with own_tasks() as tasks:
        return tasks.list(query)


@blueprint.post("")
@blueprint.arguments(NewTaskSchema(), example={"title": "Buy milk"})
@blueprint.response(201, TaskSchema(), headers=LOCATED, example=EXAMPLE_TASK)
def create_task(new: dict[str, Any]) -> Task:
    """Create a task.

    The service makes the id and the times. A task may be created completed.
    """
    with own_tasks() as tasks:
        return tasks.add(**new)


@blueprint.get("/<uuid:task_id>")
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, TaskSchema(), headers=TAGGED, example=EXAMPLE_TASK)
def get_task(task_id: UUID) -> Task:
    """Read a task.

    Another user's task is answered as one that does not exist.
    """
    with own_tasks() as tasks:
        return tasks.get(task_id)


@blueprint.put("/<uuid:task_id>")
@blueprint.arguments(TaskUpdateSchema(), example={"title": "Buy oat milk"})
@blueprint.response(200, TaskSchema(), headers=TAGGED, example=EXAMPLE_TASK)
def update_task(step: Step, task_id: UUID) -> Task:
    """Update a task.

    Needs a title. A field that the body leaves out keeps its value; null
    clears the description. An update that changes nothing leaves the version.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, step)


@blueprint.patch("/<uuid:task_id>")
@blueprint.doc(requestBody=MERGE_PATCH_BODY)
@blueprint.arguments(
    TaskPatchSchema(), content_type=MERGE_PATCH, example={"description": "Two litres"}
)
@blueprint.response(200, TaskSchema(), headers=TAGGED, example=EXAMPLE_TASK)
def patch_task(step: Step, task_id: UUID) -> Task:
    """Update some fields of a task.

    A JSON merge patch (RFC 7396): an absent field keeps its value, null
    clears the description.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, step)


@blueprint.patch("/<uuid:task_id>/complete")
@blueprint.arguments(CompletionSchema(), required=False, example={"completed": True})
@blueprint.response(200, TaskSchema(), headers=TAGGED, example=EXAMPLE_COMPLETED)
def complete_task(step: Step, task_id: UUID) -> Task:
    """Set a task's completion.

    No body at all completes the task. It sets and does not toggle, so a
    retry is harmless; a completed task keeps the moment of its completion.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, step)


@blueprint.delete("/<uuid:task_id>")
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(204, headers=REQUEST_ID)
def delete_task(task_id: UUID) -> None:
    """Delete a task.

    For good. A second try answers that there is no such task.
    """
    with own_tasks() as tasks:
        tasks.remove(task_id)
