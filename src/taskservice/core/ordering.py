"""Manual order: position keys, which sort as text, with room for another one between any two.

A key is a fraction in base 62: its characters are the digits behind the point (fractional
indexing). A new entity has the key of its moment, which needs no look at the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, Self
from uuid import UUID

from taskservice.core.entity import Entity
from taskservice.core.fields import field
from taskservice.core.ids import first_id, moment_digits
from taskservice.core.kinds import Kind

_DIGITS = digits + ascii_uppercase + ascii_lowercase
_BASE = len(_DIGITS)
_MOMENT_DIGITS = 15

MAX_KEY_LENGTH = 128
"""A move spreads its neighbors rather than make a longer key."""

STORED_KEY_LENGTH = 255
"""The length of the longest key that is stored, which may come with an import."""

_PATTERN = "^[0-9A-Za-z]*[1-9A-Za-z]$"


@dataclass(frozen=True)
class PositionKey(Kind):
    """A position key."""

    def json_schema(self) -> dict[str, Any]:
        """Return the type only, as no client reads more into a key than its order."""
        return {"type": "string"}

    def check(self, value: str) -> None:
        """Check the characters. The last one is not 0, so that there is room before the key."""
        is_key = value.isascii() and value.isalnum() and not value.endswith("0")
        if not is_key or len(value) > STORED_KEY_LENGTH:
            raise ValueError(f"must match {_PATTERN}, with up to {STORED_KEY_LENGTH} characters")


def position(*, since: int = 1) -> Any:
    """Describe the field `position` of an entity."""
    text = (
        "The place in the manual order, as a string to sort by, byte by byte; equal ones by id. "
        "A move changes it, and rarely that of a neighbor."
    )
    return field(
        PositionKey(), text, example="01932d0e5f0acc31", default="", sortable=True, since=since
    )


class Ordered(Entity):
    """An entity that its owner moves among others. A subclass has the field `position`."""

    position: str

    @classmethod
    def initial(cls, entity_id: UUID) -> dict[str, Any]:
        """Return the position of the moment of creation, behind all that were there then."""
        return {"position": _moment_key(entity_id)}

    @classmethod
    def former(cls, entity_id: UUID) -> dict[str, Any]:
        """Return the position that a task from before positions got: that of its millisecond."""
        return {"position": f"{moment_digits(entity_id)[:12]}1"}

    def placed(self, now: datetime, position: str, **edits: Any) -> Self:
        """Return the entity at another position, with some of its settable fields set."""
        return self._changed(now, {**self.edited(edits), "position": position})


def _moment_key(entity_id: UUID) -> str:
    """Return the key of the moment of an id: its digits, and 1."""
    return f"{moment_digits(entity_id)}1"


def key_at_end(last: str, now: datetime) -> str:
    """Return the key of the moment, or one behind `last` if that is greater."""
    moment = _moment_key(first_id(now))
    return moment if moment > last else key_between(last, key_above(last))


def key_above(key: str) -> str:
    """Return a key above all that are behind `key` and belong to its microsecond."""
    number = 0
    for digit in key[:_MOMENT_DIGITS].ljust(_MOMENT_DIGITS, _DIGITS[0]):
        number = number * _BASE + _DIGITS.index(digit)
    above = _to_digits(number + 1) + _DIGITS[1]
    return above if above > key else key + _DIGITS[-1]


def _to_digits(number: int) -> str:
    text = ""
    for _ in range(_MOMENT_DIGITS):
        number, digit = divmod(number, _BASE)
        text = _DIGITS[digit] + text
    return text


def key_between(low: str, high: str, *, is_next: bool = False) -> str:
    """Return a short key between two, of which `low` is less, or empty for the start.

    It is in the middle, or right behind `low` if it `is_next`, so that more of them fit.
    """
    key, is_below_high = "", False
    for n in range(len(low) + len(high) + 1):
        least = _DIGITS.index(low[n]) if n < len(low) else 0
        most = _BASE if is_below_high else _DIGITS.index(high[n : n + 1] or _DIGITS[0])
        if most - least > 1:
            return key + _DIGITS[least + 1 if is_next else (least + most) // 2]
        key += _DIGITS[least]
        is_below_high = is_below_high or most > least
    raise ValueError("no key is between equal ones")


def keys_between(low: str, high: str, count: int) -> Sequence[str]:
    """Return keys in order, evenly spread between two."""
    if not count:
        return []
    middle, half = key_between(low, high), count // 2
    return [
        *keys_between(low, middle, half),
        middle,
        *keys_between(middle, high, count - half - 1),
    ]
