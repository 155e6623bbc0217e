"""Column types: how the database stores the values of each kind of fields."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    Uuid,
    false,
    literal_column,
    text,
    true,
)
from sqlalchemy.types import TypeEngine

from taskservice.core import kinds
from taskservice.core.fields import Field
from taskservice.core.kinds import Kind
from taskservice.core.labels import Labels
from taskservice.core.local_times import NO_DIGITS, DateOrTime, from_digits, to_digits
from taskservice.core.ordering import STORED_KEY_LENGTH, PositionKey
from taskservice.core.recurrence_rule import RULE_LIMIT, RecurrenceText
from taskservice.core.zones import ZONE_NAME_LIMIT, TimeZone

CACHED_ARRAY_LENGTH = 200
"""The length of the longest JSON array that is parsed once for many rows."""

EMPTY_ARRAY = "[]"
EMPTY_ARRAY_LITERAL: ColumnElement[str] = literal_column(f"'{EMPTY_ARRAY}'")
NO_DIGITS_LITERAL: ColumnElement[int] = literal_column(str(NO_DIGITS))


class UtcDateTime(TypeDecorator[datetime]):
    """A timestamp that is read as an aware `datetime` in UTC on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` in UTC."""
        return value and value.astimezone(UTC)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return the conversion, none for PostgreSQL, which converts an aware timestamp itself."""
        return None if dialect.name == "postgresql" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return `value` as aware and in UTC; SQLite returns naive timestamps in UTC."""
        if value is None or value.tzinfo is UTC:
            return value
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class LocalTimeDigits(TypeDecorator[date]):
    """A date or local time as its digits, which sort as the clock does; none is not NULL.

    Row values, which a page starts after, cannot be compared with NULL.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> int:
        """Return the digits."""
        return to_digits(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[date | None], int]:
        """Return the function to digits, without SQLAlchemy's wrapper."""
        return to_digits

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[int | None], date | None]:
        """Return the function from digits to a date or a time, without SQLAlchemy's wrapper."""
        return from_digits


class JsonArray(TypeDecorator[tuple[str, ...]]):
    """Strings as the text of a JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:
        """Return the JSON."""
        return _to_array(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[tuple[str, ...] | None], str]:
        """Return the function to JSON, without SQLAlchemy's wrapper."""
        return _to_array

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[str | None], tuple[str, ...]]:
        """Return the function from JSON to the strings, without SQLAlchemy's wrapper."""
        return _parse_array


def _to_array(value: tuple[str, ...] | None) -> str:
    return json.dumps(value, ensure_ascii=False) if value else EMPTY_ARRAY


def _parse_array(array: str | None) -> tuple[str, ...]:
    if array is None or array == EMPTY_ARRAY:
        return ()
    return _cached_array(array) if len(array) <= CACHED_ARRAY_LENGTH else tuple(json.loads(array))


@lru_cache(4096)
def _cached_array(array: str) -> tuple[str, ...]:
    return tuple(json.loads(array))


def by_code_point(limit: int | None = None) -> String:
    """Return a text type that both engines compare by code point (collation `C`)."""
    kind = String if limit else Text
    return kind(limit).with_variant(kind(limit, collation="C"), "postgresql")


_TYPES: dict[type[Kind], TypeEngine[Any]] = {
    kinds.Boolean: Boolean(),
    kinds.Timestamp: UtcDateTime(),
    kinds.Identifier: Uuid(),
    kinds.Reference: Uuid(),
    PositionKey: by_code_point(STORED_KEY_LENGTH),
    DateOrTime: LocalTimeDigits(),
    TimeZone: by_code_point(ZONE_NAME_LIMIT),
    RecurrenceText: by_code_point(RULE_LIMIT),
    Labels: JsonArray(),
}
"""The types of kinds without limits."""


def column_type(field: Field) -> TypeEngine[Any]:
    """Return the column type of a field. Text that is sorted or compared has collation `C`."""
    match field.kind:
        case kinds.Line(limit) | kinds.Owner(limit):
            return by_code_point(limit)
        case kinds.Text():
            return by_code_point() if field.sortable else Text()
        case kinds.Choice(words):
            return by_code_point(max(map(len, words)))
        case kinds.Integer(minimum, maximum):
            return SmallInteger() if minimum >= -(2**15) and maximum < 2**15 else Integer()
    try:
        return _TYPES[type(field.kind)]
    except KeyError:
        raise TypeError(f"no column type for {field.kind}") from None


def is_nullable(field: Field) -> bool:
    """Return whether the column of a field is NULL where the field is null."""
    return field.nullable and not isinstance(field.kind, DateOrTime)


def server_default(field: Field) -> Any:
    """Return the default of a column that older rows lack, None for null."""
    if isinstance(field.kind, DateOrTime):
        return NO_DIGITS_LITERAL
    match field.default if field.since > 1 else None:
        case ():
            return EMPTY_ARRAY
        case bool(value):
            return true() if value else false()
        case int(value):
            return text(str(value))
        case str(value):
            return value
    return None
