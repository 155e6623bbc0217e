"""The tables: one for each type of entities, with a column for each field; idempotency keys."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeEngine

from taskservice.core import kinds
from taskservice.core.entity import Entity
from taskservice.core.fields import Field, fields_of
from taskservice.core.task import Task
from taskservice.core.validation import OWNER_LIMIT
from taskservice.core.workspace import ENTITY_TYPES


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp that is read as an aware `datetime` in UTC on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` as aware and in UTC; SQLite returns naive timestamps in UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def by_code_point(limit: int | None = None) -> String:
    """Return a text type that both engines compare by code point (collation `C`)."""
    kind = String if limit else Text
    return kind(limit).with_variant(kind(limit, collation="C"), "postgresql")


KEY_LIMIT = 255

metadata = MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "ck": "%(table_name)s_%(constraint_name)s"}
)


def column_type(field: Field) -> TypeEngine[Any]:
    """Return the column type of a field. Text that is sorted or compared has collation `C`."""
    match field.kind:
        case kinds.Line(limit) | kinds.Owner(limit):
            return by_code_point(limit)
        case kinds.Text():
            return by_code_point() if field.sortable else Text()
        case kinds.Boolean():
            return Boolean()
        case kinds.Integer():
            return Integer()
        case kinds.Timestamp():
            return UtcDateTime()
        case kinds.Identifier():
            return Uuid()
    raise TypeError(f"no column type for {field.kind}")


def _columns(entity_type: type[Entity]) -> list[Column[Any]]:
    """Return the columns of the fields of a type of entities, in their order."""
    return [
        Column(
            name,
            column_type(field),
            nullable=field.nullable,
            server_default=_server_default(field),
        )
        for name, field in fields_of(entity_type).items()
    ]


def _server_default(field: Field) -> Any:
    """Return the default of a column that older rows lack, None for null."""
    match field.default if field.since > 1 else None:
        case bool(value):
            return true() if value else false()
        case int(value):
            return text(str(value))
        case str(value):
            return value
    return None


_EXTRAS: dict[type[Entity], list[Column[Any] | CheckConstraint]] = {
    Task: [
        Column("search_text", by_code_point(), nullable=False),
        CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_check"),
    ],
}
"""Columns and constraints of tables beyond the fields."""


def _entity_table(entity_type: type[Entity]) -> Table:
    """Return the table of a type of entities.

    A column that is no field has the value of the property with its name.
    """
    return Table(
        f"{entity_type.type_name}s",
        metadata,
        *_columns(entity_type),
        PrimaryKeyConstraint("user_id", "id"),
        CheckConstraint("user_id <> ''", name="user_id_check"),
        *_EXTRAS.get(entity_type, []),
        CheckConstraint("version >= 1", name="version_check"),
    )


ENTITY_TABLES = {one: _entity_table(one) for one in ENTITY_TYPES}

tasks = ENTITY_TABLES[Task]
Index("tasks_by_updated_at", tasks.c.user_id, tasks.c.updated_at, tasks.c.id)
Index("tasks_by_title", tasks.c.user_id, tasks.c.title, tasks.c.id)
Index(
    "tasks_open",
    tasks.c.user_id,
    tasks.c.id,
    sqlite_where=~tasks.c.completed,
    postgresql_where=~tasks.c.completed,
)

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

OWNED_TABLES = (idempotency_keys, *ENTITY_TABLES.values())
"""Every transaction locks the tables in this order, to avoid deadlocks."""
