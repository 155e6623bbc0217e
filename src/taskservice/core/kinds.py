"""Kinds of fields: the JSON form of their values, and the limits."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
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

ID_PATTERN = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
"""A UUID with hyphens, as a regular expression."""

_is_id = re.compile(ID_PATTERN).fullmatch


class InvalidItems(ValueError):
    """Items of an array are not allowed; `errors` has the reason of each by its index."""

    def __init__(self, errors: Mapping[int, str]) -> None:
        super().__init__("; ".join(f"item {n + 1} {detail}" for n, detail in errors.items()))
        self.errors = errors


class Kind:
    """The kind of a field. Its values are JSON values, unless a subclass converts them."""

    json_type: ClassVar[type] = str
    type_error: ClassVar[str] = "must be a string"

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the values (draft 2020-12)."""
        raise NotImplementedError

    def response_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the values in a response, as generated clients check them."""
        return self.json_schema()

    def from_json(self, value: object) -> Any:
        """Return the value of a JSON value, or raise `ValueError` if it has another form."""
        if type(value) is not self.json_type:
            raise ValueError(self.type_error)
        return value

    def to_json(self, value: Any) -> object:
        """Return the JSON value of a value."""
        return value

    def check(self, value: Any) -> None:
        """Raise `ValueError` with the reason if the value is not allowed."""

    def sort_key(self, value: Any) -> Any:
        """Return what sorts the value among others of the kind."""
        return value

    def parse(self, value: object) -> Any:
        """Return the value of a JSON value, or raise `ValueError` if it is not allowed."""
        parsed = self.from_json(value)
        self.check(parsed)
        return parsed


@dataclass(frozen=True)
class Text(Kind):
    """Text of up to `limit` code points, which may have line breaks."""

    limit: int

    def json_schema(self) -> dict[str, Any]:
        """Return the limit and a pattern."""
        return {"type": "string", "maxLength": self.limit, "pattern": TEXT_PATTERN}

    def check(self, value: str) -> None:
        """Check the length; control characters and lone surrogates are not allowed."""
        check_text(value, self.limit)


@dataclass(frozen=True)
class Line(Text):
    """One line of text, of 1 to `limit` code points and not blank."""

    def json_schema(self) -> dict[str, Any]:
        """Return the limits and a pattern."""
        return {**super().json_schema(), "minLength": 1, "pattern": LINE_PATTERN}

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
        """Return the limit and a pattern."""
        return {**super().json_schema(), "pattern": f"^{OWNER_PATTERN}$"}

    def check(self, value: str) -> None:
        """Check the characters and the length."""
        if not is_owner(value):
            raise ValueError("is not a valid user id")


@dataclass(frozen=True)
class Boolean(Kind):
    """True or false, and no value that resembles them."""

    json_type = bool
    type_error = "must be true or false"

    def json_schema(self) -> dict[str, Any]:
        """Return the type."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Choice(Kind):
    """One of some words. Later versions may have more, so a response names no list of them."""

    words: tuple[str, ...]

    def json_schema(self) -> dict[str, Any]:
        """Return the words."""
        return {"type": "string", "enum": list(self.words)}

    def response_schema(self) -> dict[str, Any]:
        """Return the type only: generated clients refuse a word that their document lacks."""
        return {"type": "string"}

    def check(self, value: str) -> None:
        """Check that it is one of the words."""
        if value not in self.words:
            raise ValueError(f"must be one of {', '.join(self.words)}")


@dataclass(frozen=True)
class WordList(Kind):
    """One or more of some words, each with its meaning: one or more values.

    The value is a tuple of all values that are meant, in order, with null first.
    """

    json_type = list
    type_error = "must be an array of strings"

    meanings: tuple[tuple[str, tuple[Any, ...]], ...]

    def json_schema(self) -> dict[str, Any]:
        """Return an array of the words."""
        words = [word for word, _ in self.meanings]
        return {"type": "array", "items": {"type": "string", "enum": words}}

    def from_json(self, value: object) -> tuple[Any, ...]:
        """Return the values that an array of words means."""
        meanings, words = dict(self.meanings), super().from_json(value)
        if not words or any(word not in meanings for word in words):
            raise ValueError(f"must be one or more of {', '.join(meanings)}, with commas between")
        meant = {one for word in words for one in meanings[word]}
        return tuple(sorted(meant, key=lambda one: (one is not None, one)))

    def to_json(self, value: tuple[Any, ...]) -> list[str]:
        """Return the words that mean one of the values each."""
        return [word for word, meaning in self.meanings if meaning in {(one,) for one in value}]


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number from `minimum` to `maximum`, by default of 32 bits at most; 3.0 is one.

    `range_error` is the message for another number, by default one with the bounds.
    """

    json_type = int
    type_error = "must be a whole number"

    minimum: int
    maximum: int = 2**31 - 1
    range_error: str = ""

    def json_schema(self) -> dict[str, Any]:
        """Return the bounds."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def from_json(self, value: object) -> int:
        """Return the number; one with a zero fraction is whole (JSON Schema, section 6.1.1)."""
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if type(number) is not int:
            raise ValueError(self.range_error or self.type_error)
        return number

    def check(self, value: int) -> None:
        """Check the bounds."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(self.range_error or f"must be from {self.minimum} to {self.maximum}")


@dataclass(frozen=True)
class Timestamp(Kind):
    """A time: aware, in UTC, to the microsecond, in the years 1970 to 9998 (RFC 3339)."""

    def json_schema(self) -> dict[str, Any]:
        """Return the format."""
        return {"type": "string", "format": "date-time"}

    def from_json(self, value: object) -> datetime:
        """Return the time in UTC; no digit is lost."""
        return parse_timestamp(super().from_json(value), exact=True)

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
        """Return the format."""
        return {"type": "string", "format": "uuid"}

    def from_json(self, value: object) -> UUID:
        """Return the UUID, which must be written with hyphens."""
        text: str = super().from_json(value)
        if not _is_id(text):
            raise ValueError("must be a UUID")
        return UUID(text)

    def to_json(self, value: UUID) -> str:
        """Return the UUID with hyphens."""
        return str(value)

    def check(self, value: UUID) -> None:
        """Check the version."""
        if (value.version, value.variant) != (7, RFC_4122):
            raise ValueError("must be a UUIDv7")


@dataclass(frozen=True)
class Reference(Identifier):
    """The id of another entity of the same owner, of the type with the name `type_name`."""

    type_name: str

    @property
    def missing_error(self) -> str:
        """The message for an id that no such entity of the owner has."""
        return f"is not one of your {self.type_name}s"

    def check(self, value: UUID) -> None:
        """Accept any UUID: whether there is such an entity, only the storage knows."""


@dataclass(frozen=True)
class ReferenceFilter(Kind):
    """An id to look for, or the word for none. The value is a tuple of the id, or of None."""

    word: str

    def json_schema(self) -> dict[str, Any]:
        """Return a pattern."""
        return {"type": "string", "pattern": f"^(?:{self.word}|{ID_PATTERN})$"}

    def from_json(self, value: object) -> tuple[UUID | None]:
        """Return the id or None, in a tuple."""
        text: str = super().from_json(value)
        if text == self.word:
            return (None,)
        if not _is_id(text):
            raise ValueError(f"must be a UUID or {self.word}")
        return (UUID(text),)

    def to_json(self, value: tuple[UUID | None]) -> str:
        """Return the id, or the word."""
        (entity_id,) = value
        return self.word if entity_id is None else str(entity_id)
