"""Recurrence rules: the part of iCalendar's RRULE that a task may have, parsed strictly.

A rule is about days (RFC 5545, section 3.3.10), and without the parts on which libraries
disagree. Its text is kept as it was sent.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from taskservice.core.kinds import Kind
from taskservice.core.timestamps import YEARS

RULE_LIMIT = 255
"""The maximum length of a rule, in characters."""

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
"""The names of the weekdays in a rule, from Monday."""

_GENERAL_ERROR = (
    "must be parts such as FREQ=WEEKLY;BYDAY=MO, each once, in upper case and without spaces"
)
_TOO_OFTEN = {"HOURLY", "MINUTELY", "SECONDLY"}
_LAST_POSITION = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}


@dataclass(frozen=True, kw_only=True)
class RecurrenceRule:
    """A rule. Weekdays are from 0 for Monday, each after its number in the month, 0 for any.

    `until` is a `date`, or a `datetime` without a time zone or in UTC. `positions` is
    empty if they leave out nothing.
    """

    frequency: str
    interval: int = 1
    count: int | None = None
    until: date | None = None
    months: frozenset[int] = frozenset()
    month_days: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()
    positions: frozenset[int] = frozenset()
    week_start: int = 0

    @property
    def is_endless(self) -> bool:
        """Whether the rule has no end."""
        return self.count is None and self.until is None

    @property
    def names_days(self) -> bool:
        """Whether the rule says which days it means; else they are those of its start."""
        return bool(self.month_days or self.weekdays)


class _Part(NamedTuple):
    """A part of a rule: the form of its value, what that must be, and how to read it."""

    member: str
    form: str
    description: str
    read: Callable[[str], Any]


def _several(form: str) -> str:
    return f"(?:{form})(?:,(?:{form}))*"


def _integers(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(",")))


def _weekdays(text: str) -> frozenset[tuple[int, int]]:
    return frozenset((int(day[:-2] or 0), WEEKDAYS.index(day[-2:])) for day in text.split(","))


def _until(text: str) -> date:
    until = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    if until.year not in YEARS:
        raise ValueError
    return until


_NUMBER = "[1-9][0-9]{0,2}"
_DAY = "|".join(WEEKDAYS)
_DATE = "[0-9]{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
_PARTS = {
    "FREQ": _Part(
        "frequency", "|".join(_LAST_POSITION), f"one of {', '.join(_LAST_POSITION)}", str
    ),
    "INTERVAL": _Part("interval", _NUMBER, "a number from 1 to 999", int),
    "COUNT": _Part("count", _NUMBER, "a number from 1 to 999", int),
    "UNTIL": _Part(
        "until",
        f"{_DATE}(?:T(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z?)?",
        "a date (20261231), a local time (20261231T090000) or a time in UTC (20261231T080000Z), "
        "on a day that there is, in the years 1970 to 9998",
        _until,
    ),
    "BYMONTH": _Part("months", _several("0?[1-9]|1[0-2]"), "months from 1 to 12", _integers),
    "BYMONTHDAY": _Part(
        "month_days",
        _several("[+-]?(?:0?[1-9]|[12][0-9]|3[01])"),
        "days from 1 to 31, or from -31 to -1",
        _integers,
    ),
    "BYDAY": _Part(
        "weekdays",
        _several(f"(?:[+-]?[1-5])?(?:{_DAY})"),
        "days such as MO, 2TU or -1FR",
        _weekdays,
    ),
    "BYSETPOS": _Part(
        "positions",
        _several("[+-]?(?:[1-9][0-9]?|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"),
        "positions from 1 to 366, or from -366 to -1",
        _integers,
    ),
    "WKST": _Part("week_start", _DAY, f"one of {', '.join(WEEKDAYS)}", WEEKDAYS.index),
}
_FREQUENCY, *_OTHERS = (f"{name}=(?:{part.form})" for name, part in _PARTS.items())
_PATTERN = f"^{_FREQUENCY}(?:;(?:{'|'.join(_OTHERS)}))*$"
_count = re.compile("COUNT=[0-9]+")
_is_name = re.compile("[A-Z]{2,20}").fullmatch


@lru_cache(1024)
def parse_rule(text: str) -> RecurrenceRule:
    """Return the rule of a text, or raise `ValueError` with the part that is not allowed."""
    if len(text) > RULE_LIMIT:
        raise ValueError(f"must have at most {RULE_LIMIT} characters")
    if text.startswith("RRULE:"):
        raise ValueError("must be the rule alone, without RRULE:")
    parts = _split(text)
    rule = RecurrenceRule(**{_PARTS[name].member: _read(name, parts[name]) for name in parts})
    for error in _conflicts(rule):
        raise ValueError(error)
    return rule if rule.frequency != "DAILY" else replace(rule, positions=frozenset())


def with_count(text: str, count: int | None) -> str:
    """Return the text of a rule with another COUNT, if it has one."""
    return text if count is None else _count.sub(f"COUNT={count}", text)


def _split(text: str) -> Mapping[str, str]:
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, _, value = part.partition("=")
        if name not in _PARTS:
            raise ValueError(f"{name} is not taken" if _is_name(name) else _GENERAL_ERROR)
        if name in parts:
            raise ValueError(f"{name} is there twice")
        parts[name] = value
    if next(iter(parts)) != "FREQ":
        raise ValueError("must start with FREQ")
    return parts


def _read(name: str, value: str) -> Any:
    part = _PARTS[name]
    if name == "FREQ" and value in _TOO_OFTEN:
        raise ValueError(f"FREQ={value} is not taken: a task recurs by days")
    try:
        if re.fullmatch(part.form, value):
            return part.read(value)
    except ValueError:
        pass
    raise ValueError(f"{name} must be {part.description}")


def _conflicts(rule: RecurrenceRule) -> Iterator[str]:
    """Yield the errors of parts that do not go together."""
    has_numbers = any(number for number, _ in rule.weekdays)
    last = _LAST_POSITION[rule.frequency]
    if rule.count and rule.until:
        yield "COUNT and UNTIL exclude each other"
    if rule.month_days and rule.frequency == "WEEKLY":
        yield "BYMONTHDAY is not taken with FREQ=WEEKLY"
    if has_numbers and not (
        rule.frequency == "MONTHLY" or (rule.frequency == "YEARLY" and rule.months)
    ):
        yield "BYDAY may have numbers only with FREQ=MONTHLY, or with FREQ=YEARLY and BYMONTH"
    if has_numbers and rule.month_days:
        yield "BYDAY must not have numbers beside BYMONTHDAY"
    if rule.positions and not (rule.months or rule.names_days):
        yield "BYSETPOS needs BYMONTH, BYMONTHDAY or BYDAY"
    if any(abs(position) > last for position in rule.positions):
        yield f"BYSETPOS must be from 1 to {last}, or its negative, with FREQ={rule.frequency}"


@dataclass(frozen=True)
class RecurrenceText(Kind):
    """The text of a recurrence rule."""

    def json_schema(self) -> dict[str, Any]:
        """Return the limit and a pattern of the parts."""
        return {"type": "string", "maxLength": RULE_LIMIT, "pattern": _PATTERN}

    def check(self, value: str) -> None:
        """Check the rule; see `parse_rule`."""
        parse_rule(value)
