"""The tasks of one owner: seven operations, each one sentence and one call."""

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
from taskservice.adapters.http.openapi.document import ON_A_TASK
from taskservice.adapters.http.openapi.examples import (
    COMPLETE,
    CREATE,
    PATCH,
    TASK,
    UPDATE,
    answered,
    sent,
)
from taskservice.adapters.http.openapi.headers import (
    COUNTED,
    LINKED,
    LOCATED,
    NOT_MODIFIED,
    REPLAYED,
    TAGGED,
)
from taskservice.adapters.http.protocol.authorization import (
    enforce_ownership,
    own_tasks,
    pop_path_user,
)
from taskservice.adapters.http.protocol.idempotency import read_idempotency_key
from taskservice.adapters.http.protocol.preconditions import (
    precondition,
    read_preconditions,
    require_collection,
    require_match,
)
from taskservice.adapters.http.protocol.rate_limit import add_rate_limit_headers, count_request
from taskservice.core.preconditions import with_precondition
from taskservice.core.query import Page, TaskQuery
from taskservice.core.task import Step, Task

GUARDED = ["If-Match", "Idempotency-Key"]

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
@blueprint.response(200, TaskSchema(many=True), headers=LINKED, example=[TASK])
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
    require_collection()
    return page


@blueprint.post("", headers=["Idempotency-Key"], links=ON_A_TASK)
@blueprint.arguments(TaskCreateSchema(), examples=sent(CREATE))
@blueprint.response(201, TaskSchema(), headers=LOCATED | REPLAYED, examples=answered(CREATE))
def create_task(new: dict[str, Any]) -> Task:
    """Create a task.

    The service makes the id and the times. A task may be created completed.
    With an `Idempotency-Key`, sending the same bytes again creates nothing
    more: the answer is that of the first time, with `Idempotency-Replayed`.
    """
    require_collection()
    with own_tasks() as tasks:
        return tasks.add(**new)


@blueprint.get("/<uuid:task_id>", headers=["If-None-Match"], links=ON_A_TASK)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, TaskSchema(), headers=TAGGED, example=TASK)
@blueprint.alt_response(304, headers=NOT_MODIFIED, success=True)
def get_task(task_id: UUID) -> Task:
    """Read a task.

    Another user's task is answered as one that does not exist. `ETag` is what
    `If-Match` of a later update takes. With `If-None-Match`, a task that has
    not changed since is 304, without a body.
    """
    with own_tasks() as tasks:
        return require_match(tasks.get(task_id))


@blueprint.put("/<uuid:task_id>", headers=GUARDED, links=ON_A_TASK)
@blueprint.arguments(TaskUpdateSchema(), examples=sent(UPDATE))
@blueprint.response(200, TaskSchema(), headers=TAGGED | REPLAYED, examples=answered(UPDATE))
def update_task(step: Step, task_id: UUID) -> Task:
    """Update a task.

    Needs a title. A field that the body leaves out keeps its value; null
    clears the description. An update that changes nothing leaves the version.
    With `If-Match` it is done only where nobody else has changed the task.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, with_precondition(precondition(), step))


@blueprint.patch("/<uuid:task_id>", headers=GUARDED, links=ON_A_TASK)
@blueprint.doc(requestBody=MERGE_PATCH_BODY)
@blueprint.arguments(TaskPatchSchema(), content_type=MERGE_PATCH, examples=sent(PATCH))
@blueprint.response(200, TaskSchema(), headers=TAGGED | REPLAYED, examples=answered(PATCH))
def patch_task(step: Step, task_id: UUID) -> Task:
    """Update some fields of a task.

    A JSON merge patch (RFC 7396): an absent field keeps its value, null
    clears the description. Both media types mean the same. With `If-Match` it
    is done only where nobody else has changed the task.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, with_precondition(precondition(), step))


@blueprint.patch("/<uuid:task_id>/complete", headers=GUARDED, links=ON_A_TASK)
@blueprint.arguments(CompletionSchema(), required=False, examples=sent(COMPLETE))
@blueprint.response(200, TaskSchema(), headers=TAGGED | REPLAYED, examples=answered(COMPLETE))
def complete_task(step: Step, task_id: UUID) -> Task:
    """Set a task's completion.

    No body at all completes the task. It sets and does not toggle, so a
    retry is harmless; a completed task keeps the moment of its completion,
    and a reopened one loses it. `If-Match` is heeded, and never demanded.
    """
    with own_tasks() as tasks:
        return tasks.change(task_id, with_precondition(precondition(may_be_demanded=False), step))


@blueprint.delete("/<uuid:task_id>", headers=GUARDED)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(204, headers=COUNTED | REPLAYED)
def delete_task(task_id: UUID) -> None:
    """Delete a task.

    For good. A second try answers that there is no such task, but with the
    `Idempotency-Key` of the first it is answered 204 once more. A body is not
    heeded, but with a key it must be the same as before.
    """
    with own_tasks() as tasks:
        tasks.remove(task_id, precondition())
