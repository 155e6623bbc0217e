"""The one model: a table whose columns carry the names of the entity's fields."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
)

from taskservice.core.rules import OWNER_LIMIT, TITLE_LIMIT


class UtcTime(TypeDecorator[datetime]):
    """A moment: aware and in UTC on the way out, whatever the engine keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC."""
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` aware and in UTC; what SQLite keeps is UTC and does not say so."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def by_code_point(limit: int) -> String:
    """Return a text type that both engines compare by code point."""
    return String(limit).with_variant(String(limit, collation="C"), "postgresql")


metadata = MetaData(
    naming_convention={"pk": "%(table_name)s_pkey", "ck": "%(table_name)s_%(constraint_name)s"}
)

tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("user_id", by_code_point(OWNER_LIMIT), nullable=False),
    Column("title", by_code_point(TITLE_LIMIT), nullable=False),
    Column("description", Text),
    Column("completed", Boolean, nullable=False),
    Column("completed_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("version", Integer, nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
    CheckConstraint("user_id <> ''", name="user_id_check"),
    CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_check"),
    CheckConstraint("version >= 1", name="version_check"),
)
