"""JSON schemas of requests and responses. The validation rules are those of the core."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from marshmallow import fields, post_load

from taskservice.adapters.http.api import cursors
from taskservice.adapters.http.api.responses import EntitySchema, prefers_exact_count
from taskservice.adapters.http.openapi.examples import PATCH_EXAMPLES, request_examples
from taskservice.adapters.http.protocol.bodies import JSON, BodySchema
from taskservice.adapters.http.protocol.fields import (
    BooleanField,
    BooleanParameter,
    DateTimeParameter,
    EnumParameter,
    IntegerParameter,
    StringField,
    StringParameter,
)
from taskservice.adapters.http.protocol.parser import ParametersSchema
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import current_request
from taskservice.core.query import PAGE_DEFAULT, PAGE_LIMIT, SORT_FIELDS, Sort, TaskQuery
from taskservice.core.task import Step, Task
from taskservice.core.validation import (
    DESCRIPTION_LIMIT,
    LINE_PATTERN,
    OWNER_LIMIT,
    OWNER_PATTERN,
    SEARCH_LIMIT,
    TEXT_PATTERN,
    TITLE_LIMIT,
    check_description,
    check_search,
    check_title,
)

MERGE_PATCH = "application/merge-patch+json"
_MIDNIGHT = "2026-02-09T00:00:00Z"

SORTS = {
    "-" * descending + field: Sort(field=field, descending=descending)
    for field in SORT_FIELDS
    for descending in (False, True)
}

_TITLE = {
    "description": "What is to be done: one line of text, not only white space.",
    "minLength": 1,
    "maxLength": TITLE_LIMIT,
    "pattern": LINE_PATTERN,
}
_DESCRIPTION = {
    "description": "Anything more to say, or null.",
    "maxLength": DESCRIPTION_LIMIT,
    "pattern": TEXT_PATTERN,
}


SORT_NAMES = [
    f"{field.upper()}{'_DESCENDING' * descending}"
    for field in SORT_FIELDS
    for descending in (False, True)
]
"""Names of the values of `sort` in generated clients."""


def accept_any(_: str) -> None:
    """Accept any string. The cursor is checked when it is decoded."""


def _metadata(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


class TaskSchema(EntitySchema):
    """A task in a response."""

    id = fields.UUID(
        required=True,
        metadata=_metadata("Made by the service, in order of creation (UUID version 7)."),
    )
    user_id = fields.String(
        required=True,
        metadata=_metadata("The owner.", pattern=f"^{OWNER_PATTERN}$", maxLength=OWNER_LIMIT),
    )
    title = fields.String(required=True, metadata=_TITLE)
    description = fields.String(required=True, allow_none=True, metadata=_DESCRIPTION)
    completed = fields.Boolean(required=True, metadata=_metadata("Whether it is done."))
    completed_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata=_metadata("The moment of the present completion, null while open."),
    )
    created_at = fields.AwareDateTime(
        required=True, metadata=_metadata("The moment of creation. It never changes.")
    )
    updated_at = fields.AwareDateTime(
        required=True, metadata=_metadata("The moment of the last change. It only moves forward.")
    )
    version = fields.Integer(
        required=True,
        metadata=_metadata(
            "Counts the changes from 1. In quotes it is the task's ETag.", minimum=1
        ),
    )


class _TaskBody(BodySchema):
    title = StringField(check_title, required=True, metadata=_TITLE)
    description = StringField(check_description, allow_none=True, metadata=_DESCRIPTION)
    completed = BooleanField(metadata=_metadata("Whether it is done."))


class TaskCreateSchema(_TaskBody):
    """A new task. Loads to the arguments of `TaskService.add`."""


class _EditBody(_TaskBody):
    @post_load
    def _step(self, edits: dict[str, Any], **_: Any) -> Step:
        return partial(Task.edit, **edits)


class TaskUpdateSchema(_EditBody):
    """An update. Absent fields keep their values. Loads to a `Step`."""


class TaskPatchSchema(_EditBody):
    """A JSON merge patch (RFC 7396): absent keeps, null clears. Loads to a `Step`."""

    media_types = (MERGE_PATCH, JSON)

    title = StringField(check_title, metadata=_TITLE)


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

    completed = BooleanField(
        required=True, metadata=_metadata("True completes the task, false reopens it.")
    )

    @post_load
    def _step(self, completion: dict[str, bool], **_: Any) -> Step:
        return Task.complete if completion["completed"] else Task.reopen


class NoParametersSchema(ParametersSchema):
    """No query parameters."""

    def defaults(self) -> dict[str, Any]:
        """Return no arguments."""
        return {}


class TaskQuerySchema(ParametersSchema):
    """The query of a list. Loads to a `TaskQuery`."""

    completed = BooleanParameter(
        metadata=_metadata(
            "Only the completed tasks (true) or only the open ones (false). Empty counts as "
            "absent.",
            example=False,
        )
    )
    limit = IntegerParameter(
        1,
        PAGE_LIMIT,
        metadata=_metadata("How many tasks a page holds.", default=PAGE_DEFAULT, example=20),
    )
    q = StringParameter(
        check_search,
        metadata=_metadata(
            "Only tasks with this text in title or description, whatever the case of either. "
            "Empty counts as absent.",
            maxLength=SEARCH_LIMIT,
            pattern=TEXT_PATTERN,
            example="milk",
        ),
    )
    created_after = DateTimeParameter(
        metadata=_metadata("Created at this moment or later.", example=_MIDNIGHT)
    )
    created_before = DateTimeParameter(
        metadata=_metadata("Created before this moment.", example=_MIDNIGHT)
    )
    updated_after = DateTimeParameter(
        metadata=_metadata("Last changed at this moment or later.", example=_MIDNIGHT)
    )
    updated_before = DateTimeParameter(
        metadata=_metadata("Last changed before this moment.", example=_MIDNIGHT)
    )
    sort = EnumParameter(
        SORTS,
        metadata=_metadata(
            "The order, with - for descending. Ties are ordered by id in the same direction; "
            "titles by code point.",
            default="-created_at",
            example="title",
            **{"x-enum-varnames": SORT_NAMES},
        ),
    )
    cursor = StringParameter(
        accept_any,
        metadata=_metadata(
            "Where the page begins: taken from the `Link` of the page before. Empty counts as "
            "absent: the first page.",
            pattern=cursors.PATTERN,
        ),
    )

    def defaults(self) -> TaskQuery:
        """Return the query of a list without parameters."""
        return TaskQuery(with_total=prefers_exact_count())

    @post_load
    def _query(self, parameters: dict[str, Any], **_: Any) -> TaskQuery:
        cursor, text = parameters.pop("cursor", None), parameters.pop("q", None)
        query = TaskQuery(**parameters, text=text, with_total=prefers_exact_count())
        return query if cursor is None else _continue_at(query, cursor)


def _continue_at(query: TaskQuery, cursor: str) -> TaskQuery:
    try:
        return cursors.decode(cursor, current_request().owner, query)
    except cursors.BadCursor:
        raise ProblemError("malformed-request", "the cursor is not one of this list") from None
