"""Sync operation: what has changed in one user's data since a client last asked."""

from typing import Any, NamedTuple

from marshmallow import fields, post_load

from taskservice.adapters.http.api import sync_tokens
from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.responses import EntitySchema
from taskservice.adapters.http.api.schemas import TaskListSchema, TaskSchema
from taskservice.adapters.http.openapi.examples import SYNC_PAGE
from taskservice.adapters.http.openapi.headers import RATE_LIMIT_HEADERS
from taskservice.adapters.http.protocol.authorization import own_workspace
from taskservice.adapters.http.protocol.preconditions import check_collection_preconditions
from taskservice.adapters.http.protocol.problems import ProblemError
from taskservice.adapters.http.protocol.request import current_request
from taskservice.adapters.http.protocol.request_parser import ParametersSchema
from taskservice.adapters.http.protocol.strict_fields import (
    IntegerParameter,
    ResponseSchema,
    single_value,
)
from taskservice.core.query import PAGE_DEFAULT, PAGE_LIMIT
from taskservice.core.sync import Entry, SyncPage, SyncState, sync

_TOKEN_ERROR = "the token is not one of this user's"  # noqa: S105


class ChangeSchema(ResponseSchema):
    """A task or a list as it is now, or the word that it is gone."""

    kind = fields.String(
        required=True,
        metadata={
            "description": "The member that has the entity: `task` or `list`. Later versions may "
            "have others, to be skipped."
        },
    )
    id = fields.UUID(required=True, metadata={"description": "The id of the task or the list."})
    task = fields.Nested(TaskSchema, metadata={"description": "The task as it is now."})
    list = fields.Nested(TaskListSchema, metadata={"description": "The list as it is now."})
    gone = fields.Boolean(
        metadata={"description": "True if it was deleted. Then there is neither `task` nor `list`."}
    )


class SyncPageSchema(EntitySchema):
    """A page of changes, and the token for the next one."""

    changes = fields.List(
        fields.Nested(ChangeSchema),
        required=True,
        metadata={"description": "What to apply by id, in this order. Each id is there once."},
    )
    next = fields.String(
        required=True,
        metadata={
            "description": "The token for `since`. Store it together with what was applied.",
            "pattern": sync_tokens.PATTERN,
        },
    )
    more = fields.Boolean(
        required=True,
        metadata={"description": "Whether there is more already. If not, ask again later."},
    )
    full = fields.Boolean(
        required=True,
        metadata={
            "description": "Whether the page belongs to a first sync: gather its pages, and "
            "replace all data with them at the first page that is not full."
        },
    )


class _Token(fields.String):
    """A query parameter that is a token. An empty one is none."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        return single_value(value)


class SyncRequest(NamedTuple):
    """Where to go on, None for a first sync, and the size of the page."""

    since: SyncState | None = None
    limit: int = PAGE_DEFAULT


class SyncRequestSchema(ParametersSchema):
    """The parameters of a sync."""

    since = _Token(
        metadata={
            "description": "The `next` of the last page that was applied. Without it all data "
            "comes, page by page.",
            "pattern": sync_tokens.PATTERN,
        }
    )
    limit = IntegerParameter(
        1,
        PAGE_LIMIT,
        metadata={
            "description": "The most changes on the page. Several of one task are one entry.",
            "default": PAGE_DEFAULT,
            "example": 20,
        },
    )

    def defaults(self) -> SyncRequest:
        """Return the request of a first sync."""
        return SyncRequest()

    @post_load
    def _request(self, parameters: dict[str, Any], **_: Any) -> SyncRequest:
        since = parameters.pop("since", None)
        state = None if since is None else _decode(since)
        return SyncRequest(state, **parameters)


def _decode(token: str) -> SyncState:
    try:
        return sync_tokens.decode(token, current_request().owner)
    except sync_tokens.BadToken:
        error = {"parameter": "since", "detail": _TOKEN_ERROR}
        raise ProblemError("malformed-request", _TOKEN_ERROR, [error]) from None


blueprint = EntityBlueprint(
    "changes",
    __name__,
    url_prefix="/api/tasks/<user_id>/changes",
    description="What has changed in one user's data, to keep a copy in step.",
)


@blueprint.get("", problems=["sync-expired"])
@blueprint.arguments(SyncRequestSchema(), location="query")
@blueprint.response(200, SyncPageSchema(), headers=RATE_LIMIT_HEADERS, example=SYNC_PAGE)
def list_changes(request: SyncRequest) -> dict[str, Any]:
    """List what has changed.

    Without `since` it is a first sync: pages of all lists and tasks, with `full`, then the
    changes since it began. Ask with `next` until `more` is false, and later again. A token never
    expires by itself. 410 means that what has changed since then is no longer known: start
    again without `since`. There are no filters, as what leaves a filter would be missed.
    """
    with own_workspace() as workspace:
        page = sync(workspace.changes, request.since, request.limit)
    check_collection_preconditions()
    return _members(page)


def _members(page: SyncPage) -> dict[str, Any]:
    token = sync_tokens.encode(current_request().owner, page.next)
    changes = [_entry(one) for one in page.entries]
    return {"changes": changes, "next": token, "more": page.more, "full": page.full}


def _entry(entry: Entry) -> dict[str, Any]:
    content = {"gone": True} if entry.entity is None else {entry.kind: entry.entity}
    return {"kind": entry.kind, "id": entry.id, **content}
