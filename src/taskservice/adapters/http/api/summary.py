"""Summary operation: the numbers of one user's tasks, as of now."""

from marshmallow import fields

from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.responses import EntitySchema
from taskservice.adapters.http.openapi.examples import SUMMARY
from taskservice.adapters.http.openapi.headers import RATE_LIMIT_HEADERS
from taskservice.adapters.http.protocol.authorization import own_workspace
from taskservice.adapters.http.protocol.preconditions import check_collection_preconditions
from taskservice.adapters.http.protocol.request_parser import ParametersSchema
from taskservice.adapters.http.protocol.strict_fields import (
    KindField,
    KindParameter,
    ResponseSchema,
)
from taskservice.core.kinds import Reference
from taskservice.core.labels import LABEL_LIMIT
from taskservice.core.local_times import DateOrTime
from taskservice.core.summary import LABELS_LIMIT, Summary, summarize
from taskservice.core.zones import TimeZone


def _count(description: str) -> fields.Integer:
    return fields.Integer(required=True, metadata={"description": description, "minimum": 0})


class ListTotalsSchema(ResponseSchema):
    """The open tasks of one list."""

    list_id = KindField(
        Reference("list"), "The list, or null: the inbox.", required=True, allow_none=True
    )
    open = _count("Open tasks.")
    overdue = _count("Open tasks that are due before `now`.")


class LabelTotalsSchema(ResponseSchema):
    """The open tasks that have one label."""

    label = fields.String(
        required=True,
        metadata={
            "description": "The label, in the spelling that most tasks have.",
            "maxLength": LABEL_LIMIT,
        },
    )
    open = _count("Open tasks.")


class SummarySchema(EntitySchema):
    """The numbers of the user's tasks at one moment."""

    now = KindField(DateOrTime(), "The moment, as a local time in the time zone.", required=True)
    time_zone = KindField(TimeZone(), "The time zone that was asked for.", required=True)
    open = _count("Open tasks.")
    done = _count("Completed tasks. Cancelled ones do not count.")
    overdue = _count("Open tasks that are due before `now`.")
    due_today = _count("Open tasks that are due on the date of `now`, overdue or not.")
    done_today = _count("Tasks that were completed on the date of `now`.")
    lists = fields.List(
        fields.Nested(ListTotalsSchema),
        required=True,
        metadata={"description": "Each list with open tasks, the inbox first, then by creation."},
    )
    labels = fields.List(
        fields.Nested(LabelTotalsSchema),
        required=True,
        metadata={
            "description": "The labels of open tasks, those that most tasks have first.",
            "maxItems": LABELS_LIMIT,
        },
    )


class SummaryQuerySchema(ParametersSchema):
    """The parameters of a summary. Loads to keyword arguments of `summarize`."""

    time_zone = KindParameter(
        TimeZone(),
        metadata={
            "description": "The IANA time zone of the reader, which says which day is today. The "
            "default is UTC.",
            "example": "Europe/Berlin",
        },
    )


blueprint = EntityBlueprint(
    "summary",
    __name__,
    url_prefix="/api/tasks/<user_id>/summary",
    description="The numbers of one user's tasks, accessible to that user only.",
)


@blueprint.get("")
@blueprint.arguments(SummaryQuerySchema(), location="query", as_kwargs=True)
@blueprint.response(200, SummarySchema(), headers=RATE_LIMIT_HEADERS, example=SUMMARY)
def get_summary(**options: str) -> Summary:
    """Count the user's tasks.

    How many are open, done, overdue and due today, by the clock of the service in the reader's
    time zone, and how many are open in each list and with each label. Tasks that change meanwhile
    may be counted in one number, and not yet in another.
    """
    with own_workspace() as workspace:
        summary = summarize(workspace, **options)
    check_collection_preconditions()
    return summary
