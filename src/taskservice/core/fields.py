"""Fields: an entity describes each once; columns, schemas and parsers derive from that."""

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, dataclass_transform, get_args, get_type_hints
from uuid import RFC_4122, UUID

from taskservice.core.clock import normalize_timestamp
from taskservice.core.timestamps import YEARS, parse_timestamp
from taskservice.core.validation import (
    LINE_PATTERN,
    OWNER_PATTERN,
    TEXT_PATTERN,
    check_line,
    check_text,
    is_owner,
)

_T = TypeVar("_T")

_is_id = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}").fullmatch


class Kind(ABC):
    """The kind of a field: its JSON form, and the values that it may have."""

    @abstractmethod
    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its values (draft 2020-12)."""

    @abstractmethod
    def from_json(self, value: object) -> Any:
        """Return the value of a JSON value, or raise `ValueError` if it has another form."""

    def to_json(self, value: Any) -> object:
        """Return the JSON value of a value."""
        return value

    def check(self, value: Any) -> None:  # noqa: B027
        """Raise `ValueError` with the reason if the value is not allowed."""


@dataclass(frozen=True)
class Text(Kind):
    """Text of up to `limit` code points, which may have line breaks."""

    limit: int

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "maxLength": self.limit, "pattern": TEXT_PATTERN}

    def from_json(self, value: object) -> str:
        """Return a string."""
        if not isinstance(value, str):
            raise ValueError("must be a string")
        return value

    def check(self, value: str) -> None:
        """Check the length; control characters and lone surrogates are not allowed."""
        check_text(value, self.limit)


@dataclass(frozen=True)
class Line(Text):
    """One line of text, of 1 to `limit` code points and not blank."""

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        limits = {"minLength": 1, "maxLength": self.limit}
        return {"type": "string", **limits, "pattern": LINE_PATTERN}

    def check(self, value: str) -> None:
        """Check the length and that it is one line."""
        check_line(value, self.limit)


@dataclass(frozen=True)
class SearchText(Text):
    """A text to search for, of 1 to `limit` code points."""

    def check(self, value: str) -> None:
        """Check that it is a text and not empty."""
        if not value:
            raise ValueError("must not be empty")
        super().check(value)


@dataclass(frozen=True)
class Owner(Text):
    """An owner name, of up to `limit` characters."""

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "maxLength": self.limit, "pattern": f"^{OWNER_PATTERN}$"}

    def check(self, value: str) -> None:
        """Check the characters and the length."""
        if not is_owner(value):
            raise ValueError("is not a valid user id")


@dataclass(frozen=True)
class Boolean(Kind):
    """True or false."""

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "boolean"}

    def from_json(self, value: object) -> bool:
        """Return true or false, and no value that resembles them."""
        if not isinstance(value, bool):
            raise ValueError("must be true or false")
        return value


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number from `minimum` to `maximum`, if there is one."""

    minimum: int
    maximum: int | None = None

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        maximum = {} if self.maximum is None else {"maximum": self.maximum}
        return {"type": "integer", "minimum": self.minimum, **maximum}

    def from_json(self, value: object) -> int:
        """Return a whole number."""
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError("must be a whole number")
        return value

    def check(self, value: int) -> None:
        """Check the bounds."""
        if value < self.minimum or (self.maximum is not None and value > self.maximum):
            bounds = f"from {self.minimum} to {self.maximum}" if self.maximum else ""
            raise ValueError(f"must be {bounds or f'at least {self.minimum}'}")


@dataclass(frozen=True)
class Timestamp(Kind):
    """A time: aware, in UTC, to the microsecond, in the years 1970 to 9998 (RFC 3339)."""

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "format": "date-time"}

    def from_json(self, value: object) -> datetime:
        """Return an aware time in UTC."""
        if not isinstance(value, str):
            raise ValueError("must be a string")
        return parse_timestamp(value, exact=True)

    def to_json(self, value: datetime) -> str:
        """Return the time with all six digits of the fraction, and `Z`."""
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    def check(self, value: datetime) -> None:
        """Check the year, and that the fraction of the second is not 0."""
        if value.year not in YEARS or value != normalize_timestamp(value):
            raise ValueError(
                f"must be in the years {YEARS[0]} to {YEARS[-1]}, and have a fraction of a second "
                "that is not 0"
            )


@dataclass(frozen=True)
class Identifier(Kind):
    """A UUID of version 7 (RFC 9562, section 5.7)."""

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema."""
        return {"type": "string", "format": "uuid"}

    def from_json(self, value: object) -> UUID:
        """Return the UUID, which must be written with hyphens."""
        if not isinstance(value, str):
            raise ValueError("must be a string")
        if not _is_id(value):
            raise ValueError("must be a UUID")
        return UUID(value)

    def to_json(self, value: UUID) -> str:
        """Return the UUID with hyphens."""
        return str(value)

    def check(self, value: UUID) -> None:
        """Check the version."""
        if (value.version, value.variant) != (7, RFC_4122):
            raise ValueError("must be a UUIDv7")


@dataclass(frozen=True, kw_only=True)
class Field:
    """The description of one field of an entity, for everything that derives from it.

    `doc` is one sentence for the OpenAPI document, `example` its value there.
    `default` is the value where the field is absent, `MISSING` if it must be given.
    An index must serve a sort by a field that is `sortable`. `since` is the form
    of the stored data that introduced the field (`core.entity.FORM`).
    """

    name: str
    kind: Kind
    doc: str
    example: Any
    default: Any
    nullable: bool
    sortable: bool
    since: int

    @property
    def is_required(self) -> bool:
        """Whether the field must be given."""
        return self.default is MISSING

    def check(self, value: Any) -> None:
        """Raise `ValueError` with the reason if the value is not allowed."""
        if value is not None:
            self.kind.check(value)
        elif not self.nullable:
            raise ValueError("must not be null")

    def from_json(self, value: object) -> Any:
        """Return the value of a JSON value, or raise `ValueError`."""
        return None if value is None and self.nullable else self.kind.from_json(value)

    def parse(self, value: object) -> Any:
        """Return the value of a JSON value, or raise `ValueError` if it is not allowed."""
        parsed = self.from_json(value)
        self.check(parsed)
        return parsed

    def to_json(self, value: Any) -> object:
        """Return the JSON value of a value."""
        return None if value is None else self.kind.to_json(value)

    def load(self, stored: Mapping[str, object]) -> Any:
        """Return the value in a stored entity; one of an older form has the default."""
        if self.name in stored:
            return self.from_json(stored[self.name])
        if self.since == 1:
            raise ValueError("is missing")
        return self.default


def field(
    kind: Kind,
    doc: str,
    *,
    example: Any,
    default: Any = MISSING,
    sortable: bool = False,
    since: int = 1,
) -> Any:
    """Describe a field of an entity; see `Field`. It is nullable if its annotation is."""
    described = {"kind": kind, "doc": doc, "example": example, "sortable": sortable, "since": since}
    return dataclasses.field(default=default, metadata=described)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def with_fields(cls: type[_T]) -> type[_T]:
    """Return `cls` as a frozen dataclass of the fields that it describes with `field`."""
    return dataclass(frozen=True, kw_only=True)(cls)


def fields_of(cls: Any) -> Mapping[str, Field]:
    """Return the fields of an entity by name, in the order of its JSON."""
    return _fields_of(cls)


@cache
def _fields_of(cls: type) -> Mapping[str, Field]:
    annotations = get_type_hints(cls)
    return {
        one.name: Field(
            name=one.name,
            default=one.default,
            nullable=type(None) in get_args(annotations[one.name]),
            **one.metadata,
        )
        for one in dataclasses.fields(cls)
    }
