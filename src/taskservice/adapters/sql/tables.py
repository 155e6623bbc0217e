"""The tables: tasks, with a column for each field of `Task`, and idempotency records."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
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
)

from taskservice.core.validation import OWNER_LIMIT, TITLE_LIMIT


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

# `search_text` is the case-folded text for searches, and no field of `Task`.
tasks = Table(
    "tasks",
    metadata,
    Column("id", Uuid, nullable=False),
    Column("user_id", by_code_point(OWNER_LIMIT), nullable=False),
    Column("title", by_code_point(TITLE_LIMIT), nullable=False),
    Column("description", Text),
    Column("completed", Boolean, nullable=False),
    Column("completed_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("version", Integer, nullable=False),
    Column("search_text", by_code_point(), nullable=False),
    PrimaryKeyConstraint("user_id", "id"),
    CheckConstraint("user_id <> ''", name="user_id_check"),
    CheckConstraint("completed = (completed_at IS NOT NULL)", name="completed_check"),
    CheckConstraint("version >= 1", name="version_check"),
)

task_columns = [column for column in tasks.c if column.name != "search_text"]
"""The columns that are fields of `Task`."""

Index("tasks_by_updated_at", tasks.c.user_id, tasks.c.updated_at, tasks.c.id)
Index("tasks_by_title", tasks.c.user_id, tasks.c.title, tasks.c.id)
Index(
    "tasks_open",
    tasks.c.user_id,
    tasks.c.id,
    sqlite_where=~tasks.c.completed,
    postgresql_where=~tasks.c.completed,
)

idempotency_records = Table(
    "receipts",
    metadata,
    Column("user_id", by_code_point(OWNER_LIMIT), nullable=False),
    Column("key", by_code_point(KEY_LIMIT), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("task", JSON(none_as_null=True)),
    Column("created_at", UtcDateTime, nullable=False),
    PrimaryKeyConstraint("user_id", "key"),
    CheckConstraint("user_id <> ''", name="user_id_check"),
)

OWNED_TABLES = (idempotency_records, tasks)
"""Every transaction locks the tables in this order, to avoid deadlocks."""
