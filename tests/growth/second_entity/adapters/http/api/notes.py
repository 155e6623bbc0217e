"""Note operations: create, list, read, patch and delete."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from taskservice.adapters.http.api.entity_blueprint import EntityBlueprint
from taskservice.adapters.http.api.entity_schemas import (
    MERGE_PATCH,
    create_schema,
    patch_schema,
    query_schema,
    response_schema,
)
from taskservice.adapters.http.api.schemas import NoParametersSchema
from taskservice.adapters.http.protocol.authorization import own_workspace
from taskservice.adapters.http.protocol.preconditions import (
    check_collection_preconditions,
    check_if_match,
    precondition,
)
from taskservice.core.entity import Step
from taskservice.core.notes import NewNote, Note, NoteQuery
from taskservice.core.preconditions import with_precondition
from taskservice.core.query import Page
from taskservice.core.workspace import Repository

WRITE_HEADERS = ["If-Match", "Idempotency-Key"]

NoteSchema = response_schema(Note)

blueprint = EntityBlueprint("notes", __name__, url_prefix="/api/tasks/<user_id>/notes")


@contextmanager
def own_notes() -> Iterator[Repository[Note, NewNote]]:
    """Open the owner's notes."""
    with own_workspace() as workspace:
        yield workspace.repository(Note)


@blueprint.get("", headers=["Prefer"])
@blueprint.arguments(query_schema(NoteQuery, first=())(), location="query")
@blueprint.response(200, NoteSchema(many=True))
def list_notes(query: NoteQuery) -> Page[Note]:
    """List the user's notes."""
    with own_notes() as notes:
        page = notes.list(query)
    check_collection_preconditions()
    return page


@blueprint.post("", headers=["Idempotency-Key"])
@blueprint.arguments(create_schema(Note)())
@blueprint.response(201, NoteSchema())
def create_note(new: NewNote) -> Note:
    """Create a note."""
    check_collection_preconditions()
    with own_notes() as notes:
        return notes.add(new)


@blueprint.get("/<uuid:note_id>", headers=["If-None-Match"])
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(200, NoteSchema())
@blueprint.alt_response(304, success=True)
def get_note(note_id: UUID) -> Note:
    """Read a note."""
    with own_notes() as notes:
        return check_if_match(notes.get(note_id))


@blueprint.patch("/<uuid:note_id>", headers=WRITE_HEADERS)
@blueprint.arguments(patch_schema(Note)(), content_type=MERGE_PATCH)
@blueprint.response(200, NoteSchema())
def patch_note(step: Step[Note], note_id: UUID) -> Note:
    """Update some fields of a note."""
    with own_notes() as notes:
        return notes.change(note_id, with_precondition(precondition(), step))


@blueprint.delete("/<uuid:note_id>", headers=WRITE_HEADERS)
@blueprint.arguments(NoParametersSchema(), location="query", as_kwargs=True)
@blueprint.response(204)
def delete_note(note_id: UUID) -> None:
    """Delete a note."""
    with own_notes() as notes:
        notes.remove(note_id, precondition())
