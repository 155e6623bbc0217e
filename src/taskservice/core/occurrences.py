"""Occurrences: the days on which a recurrence rule puts a task (RFC 5545, section 3.3.10).

The search goes by months, weeks or years, and ends after 100 years, so that no rule takes
long. Within it, a day is its ordinal number, as of `date.toordinal`, and a month the number
of months since the year 0.
"""

from calendar import monthrange
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from taskservice.core.recurrence_rule import RecurrenceRule
from taskservice.core.timestamps import YEARS

SEARCH_DAYS = 36_525
"""How many days are searched for the next occurrence: 100 years."""

_LAST_DAY = date(YEARS[-1], 12, 31).toordinal()


def days_after(
    rule: RecurrenceRule, start: date, after: date, *, skip_backward: bool = False
) -> Iterator[date]:
    """Yield the days of a rule after `after`, in order, those of 100 years.

    The rule starts on the day `start`, which is not later than `after`. COUNT and UNTIL are
    ignored. If the rule names no day, and a month lacks that of the start, it has no day in
    that month; or with `skip_backward` the last one (RFC 7529, section 4.1, SKIP=BACKWARD).
    """
    first, last = after.toordinal(), min(after.toordinal() + SEARCH_DAYS, _LAST_DAY)
    calendar = _Calendar(rule, start, skip_backward=skip_backward)
    for days in calendar.periods(after, date.fromordinal(last)):
        for day in _selected(days, rule.positions):
            if first < day <= last:
                yield date.fromordinal(day)


def _selected(days: Sequence[int], positions: Collection[int]) -> Sequence[int]:
    """Return the days at some positions, from 1, or from -1 backwards; all if there are none."""
    if not positions:
        return days
    indexes = {one - 1 if one > 0 else len(days) + one for one in positions}
    return [days[index] for index in sorted(indexes) if 0 <= index < len(days)]


class _Calendar:
    """The days of the periods of a rule, before BYSETPOS."""

    def __init__(self, rule: RecurrenceRule, start: date, *, skip_backward: bool) -> None:
        self._rule = rule
        self._start = start
        self._skip_backward = skip_backward
        self._month_days: dict[tuple[int, int], Sequence[int]] = {}
        weekdays = [weekday for _, weekday in rule.weekdays] or [start.weekday()]
        self._week = sorted((weekday - rule.week_start) % 7 for weekday in weekdays)

    def periods(self, first: date, last: date) -> Iterator[Sequence[int]]:
        """Yield the days of each period from that of `first` to that of `last`."""
        start, step = self._start, self._rule.interval
        match self._rule.frequency:
            case "YEARLY":
                return map(self._in_year, _steps(start.year, first.year, last.year, step))
            case "MONTHLY":
                months = (_month(start), _month(first), _month(last))
                return map(self._in_month, _steps(*months, step))
            case "WEEKLY":
                weeks = (self._week_of(start), self._week_of(first), self._week_of(last))
                return map(self._in_week, _steps(*weeks, 7 * step))
        return map(self._in_month_by_steps, _steps(_month(start), _month(first), _month(last), 1))

    def _in_year(self, year: int) -> Sequence[int]:
        names_days = self._rule.names_days
        months = self._rule.months or (range(1, 13) if names_days else [self._start.month])
        return [day for month in sorted(months) for day in self._in_month(year * 12 + month - 1)]

    def _in_month(self, month: int) -> Sequence[int]:
        year, index = divmod(month, 12)
        if self._rule.months and index + 1 not in self._rule.months:
            return []
        shape = monthrange(year, index + 1)
        if shape not in self._month_days:
            self._month_days[shape] = self._days_of(*shape)
        before = date(year, index + 1, 1).toordinal() - 1
        return [before + day for day in self._month_days[shape]]

    def _in_week(self, first: int) -> Sequence[int]:
        days = [first + offset for offset in self._week]
        months = self._rule.months
        return [d for d in days if date.fromordinal(d).month in months] if months else days

    def _in_month_by_steps(self, month: int) -> Sequence[int]:
        """Return the days of a month for a rule that is DAILY."""
        start, step = self._start.toordinal(), self._rule.interval
        return [day for day in self._in_month(month) if (day - start) % step == 0]

    def _days_of(self, first_weekday: int, length: int) -> Sequence[int]:
        """Return the days of a month, from 1, by its length and the weekday of the first."""
        rule, days = self._rule, range(1, length + 1)
        if not rule.names_days and rule.frequency != "DAILY":
            day = min(self._start.day, length) if self._skip_backward else self._start.day
            return [day] if day <= length else []
        return [
            day
            for day in days
            if (not rule.month_days or {day, day - length - 1} & rule.month_days)
            and (not rule.weekdays or _names(day, first_weekday, length) & rule.weekdays)
        ]

    def _week_of(self, day: date) -> int:
        return day.toordinal() - (day.weekday() - self._rule.week_start) % 7


def _names(day: int, first_weekday: int, length: int) -> set[tuple[int, int]]:
    """Return the names of a day of a month in BYDAY: with no number, and from both ends."""
    weekday = (first_weekday + day - 1) % 7
    return {(0, weekday), ((day + 6) // 7, weekday), (-((length - day) // 7) - 1, weekday)}


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _steps(start: int, first: int, last: int, step: int) -> range:
    """Return the numbers from `start` on by steps, from the last one up to `first`, to `last`."""
    return range(start + (first - start) // step * step, last + 1, step)
