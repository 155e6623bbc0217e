"""Column types: how the database stores the values of each kind of fields."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    DateTime,
    Dialect,
    Integer,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    Uuid,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeEngine

from taskservice.core import kinds
from taskservice.core.fields import Field


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


def column_type(field: Field) -> TypeEngine[Any]:
    """Return the column type of a field. Text that is sorted or compared has collation `C`."""
    match field.kind:
        case kinds.Line(limit) | kinds.Owner(limit):
            return by_code_point(limit)
        case kinds.Text():
            return by_code_point() if field.sortable else Text()
        case kinds.Boolean():
            return Boolean()
        case kinds.Integer(minimum, maximum):
            return SmallInteger() if minimum >= -(2**15) and maximum < 2**15 else Integer()
        case kinds.Timestamp():
            return UtcDateTime()
        case kinds.Identifier():
            return Uuid()
    raise TypeError(f"no column type for {field.kind}")


def server_default(field: Field) -> Any:
    """Return the default of a column that older rows lack, None for null."""
    match field.default if field.since > 1 else None:
        case bool(value):
            return true() if value else false()
        case int(value):
            return text(str(value))
        case str(value):
            return value
    return None
