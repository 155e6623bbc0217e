"""Dates and local times: as they are written, in their order, and the moments that they mean.

A value is a `date`, or a `datetime` without a time zone: iCalendar's DATE and DATE-TIME (RFC 5545,
sections 3.3.4 and 3.3.5). A time is floating, or it is in the time zone that stands beside it.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any

from taskservice.core.errors import FieldError, InvalidEntity
from taskservice.core.kinds import Kind
from taskservice.core.timestamps import YEARS, YEARS_PATTERN
from taskservice.core.zones import find_zone

NO_DIGITS = 99_999_999_999_999
"""The digits of no date at all, greater than all others."""

_END_OF_DAY = 240_000
_ERROR = (
    "must be a date (2026-03-29) or a local date and time (2026-03-29T09:00:00), without an offset"
)
_PATTERN = (
    rf"^{YEARS_PATTERN}(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|"
    r"(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|[12][0-9]))"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])?$"
)
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_has_form = re.compile(rf"{_DATE}(?:T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}})?").fullmatch
# Python 3.14 and newer reads 24:00:00 as the next midnight.
_is_midnight_24 = re.compile(rf"{_DATE}T24.*").fullmatch


def is_time(value: date | None) -> bool:
    """Return whether a value is a date and a time."""
    return isinstance(value, datetime)


def to_digits(value: date | None) -> int:
    """Return a value as the digits YYYYMMDDhhmmss, which are in the order of the clock.

    A date has the time 24:00:00, as it means until the end of the day. None is `NO_DIGITS`.
    """
    if value is None:
        return NO_DIGITS
    day = (value.year * 100 + value.month) * 100 + value.day
    if not isinstance(value, datetime):
        return day * 1_000_000 + _END_OF_DAY
    return ((day * 100 + value.hour) * 100 + value.minute) * 100 + value.second


@lru_cache(4096)
def from_digits(digits: int | None) -> date | None:
    """Return the value with these digits; see `to_digits`."""
    if digits is None or digits == NO_DIGITS:
        return None
    day_digits, second = divmod(digits, 1_000_000)
    day = date(day_digits // 10_000, day_digits // 100 % 100, day_digits % 100)
    if second == _END_OF_DAY:
        return day
    return datetime.combine(day, time(second // 10_000, second // 100 % 100, second % 100))


def end_of_day_digits(digits: int) -> int:
    """Return the digits of the date of a local time."""
    return digits - digits % 1_000_000 + _END_OF_DAY


def to_utc(value: date | None, time_zone: str | None) -> datetime | None:
    """Return the moment that a local time means in a time zone, aware and in UTC.

    In a gap the offset before it applies, in a fold the first one (RFC 5545, section
    3.3.5). None for a date, a floating time, and a zone that this version does not know.
    """
    zone = find_zone(time_zone) if time_zone else None
    if zone is None or not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=zone).astimezone(UTC)


def start_of(value: date) -> datetime:
    """Return the time at which a date starts, or the time itself."""
    return value if isinstance(value, datetime) else datetime.combine(value, time())


@dataclass(frozen=True)
class LocalTime:
    """A date or time to compare with a bound: by its moment if it has one, else by its digits.

    A bound has both: its digits, and its moment for a reader in a time zone.
    """

    digits: int
    moment: datetime | None

    def __ge__(self, bound: "LocalTime") -> bool:
        if self.moment is not None and bound.moment is not None:
            return self.moment >= bound.moment
        return self.digits >= bound.digits

    def __lt__(self, bound: "LocalTime") -> bool:
        return not self >= bound

    def __le__(self, bound: "LocalTime") -> bool:
        return bound >= self


def bound_in(value: date, time_zone: str) -> LocalTime:
    """Return a bound: a local time, or the start of a date, for a reader in a time zone."""
    start = start_of(value)
    return LocalTime(to_digits(start), to_utc(start, time_zone))


@dataclass(frozen=True)
class DateOrTime(Kind):
    """A date, or a local date and time to the second, in the years 1970 to 9998."""

    def json_schema(self) -> dict[str, Any]:
        """Return a pattern; a format would make code generators convert to a moment."""
        return {"type": "string", "pattern": _PATTERN}

    def from_json(self, value: object) -> date:
        """Return a `date`, or a `datetime` without a time zone."""
        if not isinstance(value, str) or not _has_form(value):
            raise ValueError(_ERROR)
        parse = datetime.fromisoformat if "T" in value else date.fromisoformat
        try:
            if _is_midnight_24(value):
                raise ValueError
            return parse(value)
        except ValueError:
            raise ValueError(f"{_ERROR}; there is no {value}") from None

    def to_json(self, value: date) -> str:
        """Return the date or the time in ISO 8601."""
        return value.isoformat()

    def check(self, value: date) -> None:
        """Check the year, and that a time has neither a fraction of a second nor a time zone."""
        if value.year not in YEARS:
            raise ValueError(f"must be in the years {YEARS[0]} to {YEARS[-1]}")
        if isinstance(value, datetime) and (value.microsecond or value.tzinfo):
            raise ValueError(_ERROR)

    def sort_key(self, value: date) -> int:
        """Return the digits: the order of the clock, a date behind all times of its day."""
        return to_digits(value)


def local_time(now: datetime, time_zone: str) -> datetime:
    """Return a moment as it is written in a time zone. Raises `InvalidEntity` for its name."""
    zone = find_zone(time_zone)
    if zone is None:
        detail = "is not in the time zone data of this version"
        raise InvalidEntity([FieldError("time_zone", detail)])
    return now.astimezone(zone).replace(tzinfo=None)
