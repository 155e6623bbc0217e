"""The rules in other libraries: python-dateutil, and rrule-temporal in Node."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from dateutil.rrule import rrulestr
from tests.parent_death_signal import die_with_parent
from tests.recurrence_oracles.day_by_day import days_until
from tests.recurrence_oracles.random_rules import WEEKDAYS, Case

from taskservice.core.occurrences import SEARCH_DAYS, days_after
from taskservice.core.recurrence_rule import parse_rule

COMPARED = 12
"""How many days of a rule are compared."""

PROGRAM = Path(__file__).with_name("days.mjs")

_has_both_kinds = re.compile(r"BYDAY=(?=[^;]*[0-9])(?:[^;]*,)?[A-Z]").search


def first_days(case: Case) -> list[date]:
    """Return the first days of a rule."""
    return list(islice(days_after(parse_rule(case.rule), case.start, case.after), COMPARED))


def span_of(case: Case, days: Sequence[date]) -> date:
    """Return the day up to which a rule has these days and no other."""
    return days[-1] if len(days) == COMPARED else case.after + timedelta(SEARCH_DAYS)


def differences_from_dateutil(cases: Sequence[Case], years: int) -> Iterator[str]:
    """Yield the rules whose first days are others in dateutil, unless it is known to err there.

    A rule without a day is one for which dateutil may take seconds. It is walked day by day,
    for some years.
    """
    for case in cases:
        ours = first_days(case)
        if not ours:
            walked = days_until(case.rule, case.start, case.after + timedelta(366 * years))
            theirs = [day for day in walked if day > case.after]
        elif takes_numbers_alone(case):
            continue
        else:
            theirs = days_in_dateutil(case, span_of(case, ours))
        wrong = {day for day in {*ours} ^ {*theirs} if not is_in_incomplete_week(case, day)}
        if wrong:
            yield f"{case}: {', '.join(map(str, sorted(wrong)))}"


def days_in_dateutil(case: Case, end: date) -> list[date]:
    """Return the days of a rule up to `end`, a day on which there is one."""
    start = datetime.combine(case.start, time())
    days = (one.date() for one in rrulestr(f"{case.rule};UNTIL={end:%Y%m%d}", dtstart=start))
    return [day for day in days if day > case.after]


def takes_numbers_alone(case: Case) -> bool:
    """Return whether BYDAY has days with a number beside days without one.

    dateutil then takes the days that are both, as rrule.js does (jkbrzt/rrule#71).
    """
    return _has_both_kinds(case.rule) is not None


def is_in_incomplete_week(case: Case, day: date) -> bool:
    """Return whether a rule is WEEKLY with BYSETPOS, and the day in the week of its start.

    dateutil lets the set of that week begin with the start (dateutil#1398).
    """
    parts = dict(part.split("=") for part in case.rule.split(";"))
    passed = (case.start.weekday() - WEEKDAYS.index(parts.get("WKST", "MO"))) % 7
    is_affected = parts["FREQ"] == "WEEKLY" and "BYSETPOS" in parts
    return is_affected and case.start < day < case.start + timedelta(7 - passed)


def days_in_rrule_temporal(cases: Sequence[Case], ends: Sequence[date]) -> list[list[date]]:
    """Return the days of each rule up to an end."""
    asked = [
        {"rule": case.rule, "start": f"{case.start:%Y%m%d}", "after": str(case.after), "end": end}
        for case, end in zip(cases, map(str, ends), strict=True)
    ]
    result = subprocess.run(
        ["node", PROGRAM],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=110,
        preexec_fn=die_with_parent,
    )
    return [[date.fromisoformat(day) for day in days] for days in json.loads(result.stdout)]
