"""A recurrence rule day by day: each day is tested by the words of RFC 5545, section 3.3.10."""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache

from tests.recurrence_oracles.random_rules import WEEKDAYS

LONGEST = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
"""The days of the longest period of each frequency."""


def days_until(rule: str, start: date, end: date, *, skip_backward: bool = False) -> list[date]:
    """Return the days of a rule behind its start and up to `end`, in order."""
    parts = dict(part.split("=") for part in rule.split(";"))
    interval, first = int(parts.get("INTERVAL", 1)), _period(start, parts)
    period = timedelta(LONGEST[parts["FREQ"]])
    periods: dict[int, list[date]] = defaultdict(list)
    for number in range((start - period).toordinal(), (end + period).toordinal()):
        day = date.fromordinal(number)
        passed = _period(day, parts) - first
        if (
            passed >= 0
            and passed % interval == 0
            and _is_in(day, parts, start, skip_backward=skip_backward)
        ):
            periods[passed].append(day)
    found = [day for days in periods.values() for day in _at_positions(days, parts)]
    return [day for day in found if start < day <= end]


def _period(day: date, parts: Mapping[str, str]) -> int:
    """Return the number of the day, week, month or year that a day is in."""
    match parts["FREQ"]:
        case "DAILY":
            return day.toordinal()
        case "WEEKLY":
            return (day.toordinal() - 1 - WEEKDAYS.index(parts.get("WKST", "MO"))) // 7
        case "MONTHLY":
            return day.year * 12 + day.month
    return day.year


def _is_in(day: date, parts: Mapping[str, str], start: date, *, skip_backward: bool) -> bool:
    """Return whether a day has all that a rule names, and else that of its start."""
    frequency, last = parts["FREQ"], monthrange(day.year, day.month)[1]
    names_days = bool(parts.keys() & {"BYDAY", "BYMONTHDAY"})
    if "BYMONTH" in parts:
        is_month = day.month in _numbers(parts["BYMONTH"])
    else:
        is_month = frequency != "YEARLY" or names_days or day.month == start.month
    if names_days:
        is_day = "BYMONTHDAY" not in parts or bool(
            {day.day, day.day - last - 1} & _numbers(parts["BYMONTHDAY"])
        )
        names = parts["BYDAY"].split(",") if "BYDAY" in parts else []
        return is_month and is_day and (not names or any(_has(day, name, last) for name in names))
    match frequency:
        case "DAILY":
            return is_month
        case "WEEKLY":
            return is_month and day.weekday() == start.weekday()
    return is_month and day.day == (min(start.day, last) if skip_backward else start.day)


def _has(day: date, name: str, last: int) -> bool:
    """Return whether a day is one of 2TU, -1FR or MO in its month."""
    if WEEKDAYS[day.weekday()] != name[-2:]:
        return False
    number = int(name[:-2] or 0)
    same = [one for one in range(1, last + 1) if (one - day.day) % 7 == 0]
    return number == 0 or number in _positions(same.index(day.day), len(same))


def _positions(index: int, length: int) -> set[int]:
    """Return both positions of an index: from 1, and from -1 backwards."""
    return {index + 1, index - length}


@cache
def _numbers(text: str) -> frozenset[int]:
    return frozenset(map(int, text.split(",")))


def _at_positions(days: list[date], parts: Mapping[str, str]) -> list[date]:
    if "BYSETPOS" not in parts:
        return days
    wanted = _numbers(parts["BYSETPOS"])
    return [day for index, day in enumerate(days) if _positions(index, len(days)) & wanted]
