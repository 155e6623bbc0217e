"""The note entity: a line of text."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from taskservice.core.entity import Entity, created_at, updated_at, version
from taskservice.core.fields import field, with_fields
from taskservice.core.kinds import Line
from taskservice.core.query import Query


@with_fields
class NewNote:
    """The fields of a note that its owner sets."""

    text: str = field(Line(255), "One line of text.", example="Call Ada", sortable=True)


@with_fields
class Note(NewNote, Entity):
    """One owner's note."""

    created_at: datetime = created_at()
    updated_at: datetime = updated_at()
    version: int = version()

    type_name: ClassVar = "note"
    new_type: ClassVar = NewNote


@dataclass(frozen=True, kw_only=True)
class NoteQuery(Query[Note]):
    """A query for one owner's notes."""

    entity_type: ClassVar = Note
