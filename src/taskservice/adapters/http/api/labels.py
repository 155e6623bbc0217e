"""Label operations: list the labels of one user's tasks."""

from collections.abc import Sequence

from marshmallow import fields

from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.responses import EntitySchema
from taskservice.adapters.http.api.schemas import NoParametersSchema
from taskservice.adapters.http.openapi.headers import RATE_LIMIT_HEADERS
from taskservice.adapters.http.protocol.authorization import own_tasks
from taskservice.adapters.http.protocol.preconditions import check_collection_preconditions
from taskservice.core.labels import LABEL_LIMIT, LabelCount

EXAMPLE = [{"label": "garden", "open": 1, "all": 1}, {"label": "home", "open": 1, "all": 1}]


class LabelSchema(EntitySchema):
    """A label, with the numbers of tasks that have it."""

    label = fields.String(
        required=True,
        metadata={
            "description": "The label, in the spelling that most tasks have.",
            "maxLength": LABEL_LIMIT,
        },
    )
    open = fields.Integer(required=True, metadata={"description": "Open tasks.", "minimum": 0})
    all = fields.Integer(required=True, metadata={"description": "All tasks.", "minimum": 1})


blueprint = EntityBlueprint(
    "labels",
    __name__,
    url_prefix="/api/tasks/<user_id>/labels",
    description="The labels of one user's tasks, accessible to that user only.",
)


@blueprint.get("")
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(
    200,
    LabelSchema(many=True),
    headers=RATE_LIMIT_HEADERS,
    example=EXAMPLE,
)
def list_labels() -> Sequence[LabelCount]:
    """List the labels of the user's tasks.

    Each label that a task has, by code point, with the numbers of open tasks and of all
    tasks that have it. Labels that differ in case are one. At most 1,000 are listed.
    """
    with own_tasks() as tasks:
        labels = tasks.count_labels()
    check_collection_preconditions()
    return labels
