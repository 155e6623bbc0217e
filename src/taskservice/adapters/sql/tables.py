"""The tables: one for each type of entities, with a column for each field; idempotency keys."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from taskservice.adapters.sql.column_types import (
    EMPTY_ARRAY_LITERAL,
    UtcDateTime,
    by_code_point,
    column_type,
    is_nullable,
    server_default,
)
from taskservice.core.entity import Entity, references_of
from taskservice.core.fields import fields_of
from taskservice.core.task import Task
from taskservice.core.task_list import TaskList
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.validation import OWNER_LIMIT
from taskservice.core.workspace import ENTITY_TYPES

KEY_LIMIT = 255
TYPE_LIMIT = 40
CLIENT_LIMIT = 128
REQUEST_ID_LIMIT = 64

metadata = MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "ck": "%(table_name)s_%(constraint_name)s"}
)


def _columns(entity_type: type[Entity]) -> list[Column[Any]]:
    """Return the columns of the fields of a type of entities, in their order."""
    return [
        Column(
            name,
            column_type(field),
            nullable=is_nullable(field),
            server_default=server_default(field),
        )
        for name, field in fields_of(entity_type).items()
    ]


_EXTRAS: dict[type[Entity], list[Column[Any] | CheckConstraint]] = {
    Task: [
        Column("search_text", by_code_point(), nullable=False),
        Column("due_utc", UtcDateTime),
        Column("start_utc", UtcDateTime),
        Column("label_search_text", by_code_point(), nullable=False, server_default=""),
        CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_check"),
        CheckConstraint(
            "completed = (status = 'completed' OR status = 'cancelled')", name="status_check"
        ),
    ],
}
"""Columns and constraints of tables beyond the fields."""


def _foreign_keys(entity_type: type[Entity], table: str) -> list[ForeignKeyConstraint]:
    """Return a foreign key for each reference. It has the owner, so that it leads to no other."""
    return [
        ForeignKeyConstraint(
            ["user_id", name],
            [f"{one.type_name}s.user_id", f"{one.type_name}s.id"],
            name=f"{table}_{name}_fkey",
        )
        for name, one in references_of(entity_type).items()
    ]


def _entity_table(entity_type: type[Entity], name: str) -> Table:
    """Return the table of a type of entities.

    A column that is no field has the value of the property with its name.
    """
    return Table(
        name,
        metadata,
        *_columns(entity_type),
        PrimaryKeyConstraint("user_id", "id"),
        CheckConstraint("user_id <> ''", name="user_id_check"),
        *_EXTRAS.get(entity_type, []),
        CheckConstraint("version >= 1", name="version_check"),
        *_foreign_keys(entity_type, name),
    )


def _partial_index(name: str, where: Any, *columns: Column[Any]) -> None:
    """Add an index of the rows of each owner that match a condition."""
    table = columns[0].table
    Index(name, table.c.user_id, *columns, sqlite_where=where, postgresql_where=where)


ENTITY_TABLES = {one: _entity_table(one, f"{one.type_name}s") for one in ENTITY_TYPES}

tasks = ENTITY_TABLES[Task]
Index("tasks_by_updated_at", tasks.c.user_id, tasks.c.updated_at, tasks.c.id)
Index("tasks_by_title", tasks.c.user_id, tasks.c.title, tasks.c.id)
Index("tasks_by_due", tasks.c.user_id, tasks.c.due, tasks.c.id)
_partial_index("tasks_open", ~tasks.c.completed, tasks.c.id)
_partial_index("tasks_open_by_due", ~tasks.c.completed, tasks.c.due, tasks.c.id)
_partial_index("tasks_labeled", tasks.c.labels != EMPTY_ARRAY_LITERAL, tasks.c.id)
# One index of both would not serve the inbox: `IS NULL` is no equality that an order builds on.
_partial_index(
    "tasks_in_list", tasks.c.list_id.is_not(None), tasks.c.list_id, tasks.c.position, tasks.c.id
)
_partial_index("tasks_in_inbox", tasks.c.list_id.is_(None), tasks.c.position, tasks.c.id)
_partial_index(
    "tasks_by_parent",
    tasks.c.parent_id.is_not(None),
    *(tasks.c.parent_id, tasks.c.position, tasks.c.id),
)
_partial_index("tasks_by_series", tasks.c.series_id.is_not(None), tasks.c.series_id, tasks.c.id)

lists = ENTITY_TABLES[TaskList]
Index("lists_by_position", lists.c.user_id, lists.c.position, lists.c.id)

trash = _entity_table(TrashedTask, "trash")
Index("trash_by_time", trash.c.user_id, trash.c.trashed_at, trash.c.id)
_partial_index(
    "trash_by_root",
    trash.c.trashed_with.is_not(None),
    *(trash.c.trashed_with, trash.c.trashed_at, trash.c.id),
)

STORED_TABLES = {**ENTITY_TABLES, TrashedTask: trash}

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", by_code_point(OWNER_LIMIT), nullable=False),
    Column("key", by_code_point(KEY_LIMIT), nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("result", LargeBinary),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("user_id", "key"),
    CheckConstraint("user_id <> ''", name="user_id_check"),
)

heads = Table(
    "heads",
    metadata,
    Column("user_id", by_code_point(OWNER_LIMIT), nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("user_id"),
    CheckConstraint("user_id <> ''", name="user_id_check"),
    CheckConstraint("seq >= 0", name="seq_check"),
    postgresql_with={"fillfactor": 50},
)
"""The number of each owner's last change. Its row is the lock of all that the owner writes."""

changes = Table(
    "changes",
    metadata,
    Column("user_id", by_code_point(OWNER_LIMIT), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("id", Uuid, nullable=False),
    Column("type", by_code_point(TYPE_LIMIT), nullable=False),
    Column("kind", by_code_point(TYPE_LIMIT), nullable=False),
    Column("entity_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("previous", Text().with_variant(JSONB(), "postgresql")),
    Column("client", by_code_point(CLIENT_LIMIT)),
    Column("request_id", by_code_point(REQUEST_ID_LIMIT)),
    PrimaryKeyConstraint("user_id", "seq"),
    CheckConstraint("user_id <> ''", name="user_id_check"),
    CheckConstraint("seq >= 1", name="seq_check"),
    CheckConstraint("version >= 1", name="version_check"),
)
"""The change log; see `core.changes`. Rows are only inserted, and pruned from the oldest on."""
Index("changes_by_entity", changes.c.user_id, changes.c.entity_id, changes.c.seq)

OWNED_TABLES = (idempotency_keys, heads, *STORED_TABLES.values(), changes)
"""All tables with rows of owners, in the order in which a transaction locks their rows."""
