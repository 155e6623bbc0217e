"""Label operations: list the labels of one user's tasks, and rename one."""

from collections.abc import Sequence
from typing import Any

from marshmallow import fields, post_load

from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.responses import EntitySchema
from taskservice.adapters.http.api.schemas import NoParametersSchema
from taskservice.adapters.http.openapi.examples import (
    LABEL_EXAMPLES,
    request_examples,
    response_examples,
)
from taskservice.adapters.http.openapi.headers import RATE_LIMIT_HEADERS, REPLAYED_HEADER
from taskservice.adapters.http.protocol.authorization import own_tasks, own_workspace
from taskservice.adapters.http.protocol.bodies import BodySchema
from taskservice.adapters.http.protocol.preconditions import (
    check_collection_preconditions,
    with_collection_preconditions,
)
from taskservice.adapters.http.protocol.strict_fields import KindField
from taskservice.core import label_rename
from taskservice.core.kinds import Integer
from taskservice.core.label_rename import LabelRename
from taskservice.core.labels import LABEL_LIMIT, Label, LabelCount
from taskservice.core.subtasks import TREE_LIMIT

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


class RenamedLabelSchema(LabelSchema):
    """A label after a renaming."""

    all = fields.Integer(required=True, metadata={"description": "All tasks.", "minimum": 0})
    more = fields.Boolean(
        required=True,
        metadata={"description": "Whether there are more tasks to change. If so, ask again."},
    )


class LabelRenameSchema(BodySchema):
    """A label and its new name."""

    label = KindField(Label(), "The label, in any case.", required=True)
    new = KindField(Label(), "The new name. It may be a label already.", required=True)
    limit = KindField(
        Integer(1, TREE_LIMIT),
        "The most tasks to change at once, for a label with more than 1,000.",
    )

    @post_load
    def _rename(self, values: dict[str, Any], **_: Any) -> LabelRename:
        return LabelRename(**values)


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


@blueprint.patch("", headers=["Idempotency-Key"])
@blueprint.arguments(LabelRenameSchema(), examples=request_examples(LABEL_EXAMPLES))
@with_collection_preconditions
@blueprint.response(
    200,
    RenamedLabelSchema(),
    headers=RATE_LIMIT_HEADERS | REPLAYED_HEADER,
    examples=response_examples(LABEL_EXAMPLES),
)
def rename_label(rename: LabelRename) -> dict[str, Any]:
    """Rename a label.

    All tasks that have the label, whatever its case, get the new one. A task that has both keeps
    the new one, and other spellings of the new one become this one too. A label that no task has
    is no error, so a retry is harmless. Up to 1,000 tasks are changed at once: for more, set
    `limit`, and ask again while `more` is true, with another `Idempotency-Key` if any.
    """
    return label_rename.rename_label(own_workspace, rename)._asdict()
