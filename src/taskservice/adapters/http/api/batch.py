"""Batch operation: several operations on one user's tasks in one request."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from taskservice.adapters.http.api.batch_schemas import BatchRequest, BatchResultSchema, BatchSchema
from taskservice.adapters.http.api.commands import result_of
from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.openapi.examples import (
    BATCH_EXAMPLES,
    request_examples,
    response_examples,
)
from taskservice.adapters.http.openapi.headers import RATE_LIMIT_HEADERS, REPLAYED_HEADER
from taskservice.adapters.http.protocol.authorization import own_workspace
from taskservice.adapters.http.protocol.preconditions import with_collection_preconditions
from taskservice.adapters.http.protocol.rate_limit import count_more
from taskservice.adapters.http.protocol.request import BATCH_BODY_LIMIT, current_request
from taskservice.core import batch

COMMANDS_PER_REQUEST = 10
"""How many commands count as one more request in the rate limit."""

View = Callable[[BatchRequest], Any]

blueprint = EntityBlueprint(
    "batch",
    __name__,
    url_prefix="/api/tasks/<user_id>/batch",
    description="Several operations on one user's tasks in one request.",
    body_limit=BATCH_BODY_LIMIT,
)


def _without_key_if_dry(view: View) -> View:
    """Return `view`. A dry run takes no idempotency key."""

    @wraps(view)
    def view_without_key(request: BatchRequest) -> Any:
        if request.batch.dry_run:
            current_request().idempotency_key = None
        return view(request)

    return view_without_key


def _counted(view: View) -> View:
    """Return `view`, which first counts the commands. A retry that is answered is not counted."""

    @wraps(view)
    def counted_view(request: BatchRequest) -> Any:
        count_more(len(request.operations) // COMMANDS_PER_REQUEST)
        return view(request)

    return counted_view


@blueprint.post(
    "", headers=["Idempotency-Key"], problems=["task-not-found", "precondition-required"]
)
@blueprint.arguments(BatchSchema(), examples=request_examples(BATCH_EXAMPLES))
@with_collection_preconditions
@_without_key_if_dry
@blueprint.response(
    200,
    BatchResultSchema(),
    headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER,
    examples=response_examples(BATCH_EXAMPLES),
)
@_counted
def run_batch(request: BatchRequest) -> dict[str, Any]:
    """Run several commands on tasks.

    They run in their order, in one transaction, and each does what its single operation does. If
    one fails in mode `atomic`, nothing is changed, and the response is its error, which names the
    command. In mode `each`, a command that fails has its error as its result, and what succeeds
    is kept together. A batch of the wrong form is refused as a whole in both modes. All commands
    together make up to 1,000 changes. An `Idempotency-Key` stands for the whole. A batch counts as
    one request, and as one more for each ten commands.
    """
    results = batch.run_batch(own_workspace, request.batch)
    pairs = enumerate(zip(request.operations, results, strict=True))
    found = [result_of(operation, index, result) for index, (operation, result) in pairs]
    return {"applied": not request.batch.dry_run, "results": found}
