"""The JSON shapes: the documented contract. The rules for values are the core's."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from marshmallow import fields, post_load

from taskservice.adapters.http.api import cursors
from taskservice.adapters.http.api.responses import EntitySchema, prefers_count
from taskservice.adapters.http.openapi.examples import PATCH, sent
from taskservice.adapters.http.protocol.authorization import caller
from taskservice.adapters.http.protocol.bodies import JSON, BodySchema
from taskservice.adapters.http.protocol.fields import (
    BooleanParameter,
    ChoiceParameter,
    DateTimeParameter,
    Flag,
    NumberParameter,
    Text,
    TextParameter,
)
from taskservice.adapters.http.protocol.parser import ParametersSchema
from taskservice.adapters.http.protocol.problems import ProblemError
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
"""What generated clients call the values of `sort`."""


def check_nothing(_: str) -> None:
    """Take any text: what reads it will tell."""


def _about(text: str, **more: Any) -> dict[str, Any]:
    return {"description": text, **more}


class TaskSchema(EntitySchema):
    """A task, as every answer shows it."""

    id = fields.UUID(
        required=True,
        metadata=_about("Made by the service, in order of creation (UUID version 7)."),
    )
    user_id = fields.String(
        required=True,
        metadata=_about("The owner.", pattern=f"^{OWNER_PATTERN}$", maxLength=OWNER_LIMIT),
    )
    title = fields.String(required=True, metadata=_TITLE)
    description = fields.String(required=True, allow_none=True, metadata=_DESCRIPTION)
    completed = fields.Boolean(required=True, metadata=_about("Whether it is done."))
    completed_at = fields.AwareDateTime(
        required=True,
        allow_none=True,
        metadata=_about("The moment of the present completion, null while open."),
    )
    created_at = fields.AwareDateTime(
        required=True, metadata=_about("The moment of creation. It never changes.")
    )
    updated_at = fields.AwareDateTime(
        required=True, metadata=_about("The moment of the last change. It only moves forward.")
    )
    version = fields.Integer(
        required=True,
        metadata=_about("Counts the changes from 1. In quotes it is the task's ETag.", minimum=1),
    )


class _TaskBody(BodySchema):
    title = Text(check_title, required=True, metadata=_TITLE)
    description = Text(check_description, allow_none=True, metadata=_DESCRIPTION)
    completed = Flag(metadata=_about("Whether it is done."))


class TaskCreateSchema(_TaskBody):
    """A task to be created. Loads to the arguments of `TaskService.add`."""


class _EditBody(_TaskBody):
    @post_load
    def _step(self, edits: dict[str, Any], **_: Any) -> Step:
        return partial(Task.edit, **edits)


class TaskUpdateSchema(_EditBody):
    """An update. What it leaves out keeps its value. Loads to a step."""


class TaskPatchSchema(_EditBody):
    """A JSON merge patch (RFC 7396): absent keeps, null clears. Loads to a step."""

    media_types = (MERGE_PATCH, JSON)

    title = Text(check_title, metadata=_TITLE)


MERGE_PATCH_BODY = {
    "content": {
        JSON: {"schema": {"$ref": "#/components/schemas/TaskPatch"}, "examples": sent(PATCH)}
    },
}


class CompletionSchema(BodySchema):
    """A task's completion. No body at all completes. Loads to a step."""

    empty_body_value: ClassVar[Mapping[str, Any]] = {"completed": True}

    completed = Flag(required=True, metadata=_about("True completes the task, false reopens it."))

    @post_load
    def _step(self, completion: dict[str, bool], **_: Any) -> Step:
        return Task.complete if completion["completed"] else Task.reopen


class NoParametersSchema(ParametersSchema):
    """No query parameters."""

    def defaults(self) -> dict[str, Any]:
        """Return nothing."""
        return {}


class TaskQuerySchema(ParametersSchema):
    """What a list may ask. Loads to a `TaskQuery`."""

    completed = BooleanParameter(
        metadata=_about(
            "Only the completed tasks (true) or only the open ones (false). Empty counts as "
            "absent.",
            example=False,
        )
    )
    limit = NumberParameter(
        1,
        PAGE_LIMIT,
        metadata=_about("How many tasks a page holds.", default=PAGE_DEFAULT, example=20),
    )
    q = TextParameter(
        check_search,
        metadata=_about(
            "Only tasks with this text in title or description, whatever the case of either. "
            "Empty counts as absent.",
            maxLength=SEARCH_LIMIT,
            pattern=TEXT_PATTERN,
            example="milk",
        ),
    )
    created_after = DateTimeParameter(
        metadata=_about("Created at this moment or later.", example=_MIDNIGHT)
    )
    created_before = DateTimeParameter(
        metadata=_about("Created before this moment.", example=_MIDNIGHT)
    )
    updated_after = DateTimeParameter(
        metadata=_about("Last changed at this moment or later.", example=_MIDNIGHT)
    )
    updated_before = DateTimeParameter(
        metadata=_about("Last changed before this moment.", example=_MIDNIGHT)
    )
    sort = ChoiceParameter(
        SORTS,
        metadata=_about(
            "The order, with - for descending. Ties are ordered by id in the same direction; "
            "titles by code point.",
            default="-created_at",
            example="title",
            **{"x-enum-varnames": SORT_NAMES},
        ),
    )
    cursor = TextParameter(
        check_nothing,
        metadata=_about(
            "Where the page begins: taken from the `Link` of the page before. Empty counts as "
            "absent: the first page.",
            pattern=cursors.PATTERN,
        ),
    )

    def defaults(self) -> TaskQuery:
        """Return what a list asks without any parameter."""
        return TaskQuery(counted=prefers_count())

    @post_load
    def _query(self, asked: dict[str, Any], **_: Any) -> TaskQuery:
        cursor, text = asked.pop("cursor", None), asked.pop("q", None)
        query = TaskQuery(**asked, text=text, counted=prefers_count())
        return query if cursor is None else _going_on(query, cursor)


def _going_on(query: TaskQuery, cursor: str) -> TaskQuery:
    try:
        return cursors.decode(cursor, caller(), query)
    except cursors.BadCursor:
        raise ProblemError("malformed-request", "the cursor is not one of this list") from None
