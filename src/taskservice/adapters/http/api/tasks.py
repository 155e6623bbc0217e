"""Task operations: create, list, read, update, patch, complete and delete."""

from typing import Any
from uuid import UUID

from taskservice.adapters.http.api.responses import add_entity_headers
from taskservice.adapters.http.api.schemas import (
    MERGE_PATCH,
    MERGE_PATCH_BODY,
    CompletionSchema,
    NoParametersSchema,
    TaskCreateSchema,
    TaskPatchSchema,
    TaskQuerySchema,
    TaskSchema,
    TaskUpdateSchema,
)
from taskservice.adapters.http.openapi.blueprint import DocumentedBlueprint
from taskservice.adapters.http.openapi.document import TASK_LINKS
from taskservice.adapters.http.openapi.examples import (
    COMPLETE_EXAMPLES,
    CREATE_EXAMPLES,
    PATCH_EXAMPLES,
    TASK,
    UPDATE_EXAMPLES,
    request_examples,
    response_examples,
)
from taskservice.adapters.http.openapi.headers import (
    CREATED_HEADERS,
    LIST_HEADERS,
    NOT_MODIFIED_HEADERS,
    RATE_LIMIT_HEADERS,
    REPLAYED_HEADER,
    TASK_HEADERS,
)
from taskservice.adapters.http.protocol.authorization import (
    enforce_ownership,
    own_tasks,
    pop_path_user,
)
from taskservice.adapters.http.protocol.idempotency import read_idempotency_key
from taskservice.adapters.http.protocol.preconditions import (
    check_collection_preconditions,
    check_if_match,
    precondition,
    read_preconditions,
)
from taskservice.adapters.http.protocol.rate_limit import add_rate_limit_headers, count_request
from taskservice.core.preconditions import with_precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Step, Task

WRITE_HEADERS = ["If-Match", "Idempotency-Key"]

blueprint = DocumentedBlueprint(
    "tasks",
    __name__,
    url_prefix="/api/tasks/<user_id>/tasks",
    description="The tasks of one user, for that user alone.",
)
blueprint.url_value_preprocessor(pop_path_user)
blueprint.before_request(enforce_ownership)
blueprint.before_request(count_request)
blueprint.before_request(read_preconditions)
blueprint.before_request(read_idempotency_key)
blueprint.after_request(add_entity_headers)
blueprint.after_request(add_rate_limit_headers)


@blueprint.get("", headers=["Prefer"], links=["get_first_task"])
@blueprint.arguments(TaskQuerySchema(), location="query")
@blueprint.response(200, TaskSchema(many=True), headers=LIST_HEADERS, example=[TASK])
def list_tasks(query: TaskQuery) -> Page:
    """List the user's tasks.

    Newest first unless `sort` says otherwise, a page at a time. While there
    is more, the answer's `Link` header leads to the next page: follow it as
    it stands, or take the `cursor` out of it and ask again with all else
    unchanged (`limit` may change). No task that stays as it was is skipped or
    shown twice, whatever is written meanwhile.
    """
    with own_tasks() as tasks:
        page = tasks.list(query)
    check_collection_preconditions()
    return page


@blueprint.post("", headers=["Idempotency-Key"], links=TASK_LINKS)
@blueprint.arguments(TaskCreateSchema(), examples=request_examples(CREATE_EXAMPLES))
@blueprint.response(
    201,
    TaskSchema(),
    headers=CREATED_HEADERS | REPLAYED_HEADER,
    examples=response_examples(CREATE_EXAMPLES),
)
def create_task(new: dict[str, Any]) -> Task:
    """Create a task.

    The service makes the id and the times. A task may be created completed.
    With an `Idempotency-Key`, sending the same bytes again creates nothing
    more: the answer is that of the first time, with `Idempotency-Replayed`.
    """
    check_collection_preconditions()
    with own_tasks() as tasks:
        return tasks.add(**new)


@blueprint.get("/<uuid:task_id>", headers=["If-None-Match"], links=TASK_LINKS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, TaskSchema(), headers=TASK_HEADERS, example=TASK)
@blueprint.alt_response(304, headers=NOT_MODIFIED_HEADERS, success=True)
def get_task(task_id: UUID) -> Task:
    """Read a task.

    Another user's task is answered as one that does not exist. `ETag` is what
    `If-Match` of a later update takes. With `If-None-Match`, a task that has
    not changed since is 304, without a body.
    """
    with own_tasks() as tasks:
        return check_if_match(tasks.get(task_id))


@blueprint.put("/<uuid:task_id>", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.arguments(TaskUpdateSchema(), examples=request_examples(UPDATE_EXAMPLES))
@blueprint.response(
    200,
    TaskSchema(),
    headers=TASK_HEADERS | REPLAYED_HEADER,
    examples=response_examples(UPDATE_EXAMPLES),
)
def update_task(step: Step, task_id: UUID) -> Task:
    """Update a task.

    Needs a title. A field that the body leaves out keeps its value; null
    clears the description. An update that changes nothing leaves the version.
    With `If-Match` it is done only where nobody else has changed the task.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, with_precondition(precondition(), step))


@blueprint.patch("/<uuid:task_id>", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.doc(requestBody=MERGE_PATCH_BODY)
@blueprint.arguments(
    TaskPatchSchema(), content_type=MERGE_PATCH, examples=request_examples(PATCH_EXAMPLES)
)
@blueprint.response(
    200,
    TaskSchema(),
    headers=TASK_HEADERS | REPLAYED_HEADER,
    examples=response_examples(PATCH_EXAMPLES),
)
def patch_task(step: Step, task_id: UUID) -> Task:
    """Update some fields of a task.

    A JSON merge patch (RFC 7396): an absent field keeps its value, null
    clears the description. Both media types mean the same. With `If-Match` it
    is done only where nobody else has changed the task.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, with_precondition(precondition(), step))


@blueprint.patch("/<uuid:task_id>/complete", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.arguments(
    CompletionSchema(), required=False, examples=request_examples(COMPLETE_EXAMPLES)
)
@blueprint.response(
    200,
    TaskSchema(),
    headers=TASK_HEADERS | REPLAYED_HEADER,
    examples=response_examples(COMPLETE_EXAMPLES),
)
def complete_task(step: Step, task_id: UUID) -> Task:
    """Set a task's completion.

    No body at all completes the task. It sets and does not toggle, so a
    retry is harmless; a completed task keeps the moment of its completion,
    and a reopened one loses it. `If-Match` is heeded, and never demanded.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, with_precondition(precondition(optional=True), step))


@blueprint.delete("/<uuid:task_id>", headers=WRITE_HEADERS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(204, headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER)
def delete_task(task_id: UUID) -> None:
    """Delete a task.

    For good. A second try answers that there is no such task, but with the
    `Idempotency-Key` of the first it is answered 204 once more. A body is not
    heeded, but with a key it must be the same as before.
    """
    with own_tasks() as tasks:
        tasks.remove(task_id, precondition())
