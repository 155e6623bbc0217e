"""Task operations: create, list, read, update, patch, complete, move and delete."""

from uuid import UUID

from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.entity_schemas import MERGE_PATCH
from taskservice.adapters.http.api.schemas import (
    CompletionSchema,
    NoParametersSchema,
    TaskCreateSchema,
    TaskDeletionSchema,
    TaskMoveSchema,
    TaskPatchSchema,
    TaskQuerySchema,
    TaskSchema,
    TaskUpdateSchema,
    merge_patch_body,
)
from taskservice.adapters.http.openapi.document import TASK_LINKS
from taskservice.adapters.http.openapi.examples import (
    COMPLETE_EXAMPLES,
    CREATE_EXAMPLES,
    MOVE_EXAMPLES,
    PATCH_EXAMPLES,
    TASK,
    UPDATE_EXAMPLES,
    request_examples,
    response_examples,
)
from taskservice.adapters.http.openapi.headers import (
    ENTITY_HEADERS,
    LIST_HEADERS,
    NOT_MODIFIED_HEADERS,
    RATE_LIMIT_HEADERS,
    REPLAYED_HEADER,
    WRITE_HEADERS,
    location_header,
)
from taskservice.adapters.http.protocol.authorization import own_tasks, own_workspace
from taskservice.adapters.http.protocol.preconditions import (
    check_collection_preconditions,
    check_if_match,
    precondition,
    with_collection_preconditions,
)
from taskservice.core import tasks as task_operations
from taskservice.core.entity import Edit
from taskservice.core.moves import Move
from taskservice.core.query import Page
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion

blueprint = EntityBlueprint(
    "tasks",
    __name__,
    url_prefix="/api/tasks/<user_id>/tasks",
    description="The tasks of one user, accessible to that user only.",
)


@blueprint.get("", headers=["Prefer"], links=["get_first_task"])
@blueprint.arguments(TaskQuerySchema(), location="query")
@blueprint.response(200, TaskSchema(many=True), headers=LIST_HEADERS, example=[TASK])
def list_tasks(query: TaskQuery) -> Page[Task]:
    """List the user's tasks.

    The default order is newest first. Dates and local times in a query have the form of `due`;
    a date is its 00:00:00. Overdue tasks are those with `completed=false` and `due_before` at
    the reader's local time, in the reader's `time_zone`. A sort by `position` needs `list_id`.
    While there are more tasks, the `Link` header has the next page. Follow it, or take the
    `cursor` from it and keep all other parameters except `limit`. A task that does not change
    appears exactly once, whatever is written meanwhile.
    """
    with own_tasks() as tasks:
        page = tasks.list(query)
    check_collection_preconditions()
    return page


@blueprint.post("", headers=["Idempotency-Key"], links=TASK_LINKS)
@blueprint.arguments(TaskCreateSchema(), examples=request_examples(CREATE_EXAMPLES))
@with_collection_preconditions
@blueprint.response(
    201,
    TaskSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER | location_header("tasks"),
    examples=response_examples(CREATE_EXAMPLES),
)
def create_task(new: NewTask) -> Task:
    """Create a task.

    The service generates the id and the times. A task may be created as
    completed. With an `Idempotency-Key`, a retry with the same method, path, query and
    body, byte for byte, creates nothing, and gets the first response again,
    with `Idempotency-Replayed`.
    """
    return task_operations.create_task(own_workspace, new)


@blueprint.get("/<uuid:task_id>", headers=["If-None-Match"], links=TASK_LINKS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, TaskSchema(), headers=ENTITY_HEADERS, example=TASK)
@blueprint.alt_response(304, headers=NOT_MODIFIED_HEADERS, success=True)
def get_task(task_id: UUID) -> Task:
    """Read a task.

    Another user's task is 404, like one that does not exist. Use the `ETag` in
    `If-Match` of a later update. With `If-None-Match`, the response is 304
    without a body if the task has not changed.
    """
    with own_tasks() as tasks:
        return check_if_match(tasks.get(task_id))


@blueprint.put("/<uuid:task_id>", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.arguments(TaskUpdateSchema(), examples=request_examples(UPDATE_EXAMPLES))
@blueprint.response(
    200,
    TaskSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER,
    examples=response_examples(UPDATE_EXAMPLES),
)
def update_task(edit: Edit, task_id: UUID) -> Task:
    """Update a task.

    The title is required. Absent fields keep their values; null clears a field
    that may be null. An update that changes nothing keeps the version. With
    `If-Match`, it is done only if the task has not changed meanwhile.
    """
    return task_operations.change_task(own_workspace, task_id, edit, precondition())


@blueprint.patch("/<uuid:task_id>", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.doc(requestBody=merge_patch_body("TaskPatch", PATCH_EXAMPLES))
@blueprint.arguments(
    TaskPatchSchema(), content_type=MERGE_PATCH, examples=request_examples(PATCH_EXAMPLES)
)
@blueprint.response(
    200,
    TaskSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER,
    examples=response_examples(PATCH_EXAMPLES),
)
def patch_task(edit: Edit, task_id: UUID) -> Task:
    """Update some fields of a task.

    A JSON merge patch (RFC 7396): absent fields keep their values; null clears
    a field that may be null, and labels replace all labels. Both media types have
    the same effect. A task that recurs and is closed gets a successor, so `cancelled`
    skips one occurrence. With `If-Match`, it is done only if the task has not changed
    meanwhile.
    """
    return task_operations.change_task(own_workspace, task_id, edit, precondition())


@blueprint.patch("/<uuid:task_id>/complete", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.arguments(
    CompletionSchema(), required=False, examples=request_examples(COMPLETE_EXAMPLES)
)
@blueprint.response(
    200,
    TaskSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER,
    examples=response_examples(COMPLETE_EXAMPLES),
)
def complete_task(completion: Completion, task_id: UUID) -> Task:
    """Set the completion of a task.

    A request without a body completes the task. It sets and does not toggle,
    so a retry is harmless. A closed task keeps its status and its `completed_at`,
    and a reopened one loses both. A task that recurs gets a successor, `next_id`. If it
    is reopened, its successor is removed unless that was changed. In that case the recurrence
    lives on there, and the reopened task has none. `If-Match` is never required.
    """
    condition = precondition(optional=True)
    return task_operations.complete_task(own_workspace, task_id, completion, condition)


@blueprint.patch("/<uuid:task_id>/position", headers=WRITE_HEADERS, links=TASK_LINKS)
@blueprint.arguments(TaskMoveSchema(), examples=request_examples(MOVE_EXAMPLES))
@blueprint.response(
    200,
    TaskSchema(),
    headers=ENTITY_HEADERS | REPLAYED_HEADER,
    examples=response_examples(MOVE_EXAMPLES),
)
def move_task(move: Move, task_id: UUID) -> Task:
    """Move a task among its siblings.

    Siblings have the same list and the same parent. The body has exactly one of `after`,
    `before` and `place`. A task that stands there already does not change, so a retry
    is harmless. `If-Match` is never required.
    """
    return task_operations.move_task(own_workspace, task_id, move, precondition(optional=True))


@blueprint.delete("/<uuid:task_id>", headers=WRITE_HEADERS)
@blueprint.arguments(TaskDeletionSchema(), location="query", as_kwargs=True)
@blueprint.response(204, headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER)
def delete_task(task_id: UUID, **options: bool) -> None:
    """Delete a task.

    It is in the trash then, from where it can be restored. Its sub-tasks take its place. A
    second deletion is 404, but a retry with the same `Idempotency-Key` is 204 again. A body is
    ignored, but with a key it must be the same as before.
    """
    task_operations.remove_task(own_workspace, task_id, precondition(), **options)
