"""The days of a rule, against python-dateutil and a walk that tests each day.

`tests/recurrence_oracles` repeats this with more rules, and with rrule-temporal.
"""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.recurrence_oracles.day_by_day import days_until
from tests.recurrence_oracles.libraries import (
    days_in_dateutil,
    differences_from_dateutil,
    first_days,
    is_in_incomplete_week,
    span_of,
    takes_numbers_alone,
)
from tests.recurrence_oracles.random_rules import Case, random_case, random_cases

from taskservice.core.occurrences import days_after
from taskservice.core.recurrence_rule import parse_rule

randoms = st.randoms(use_true_random=True)


def days_of(rule: str, start: date, after: date | None = None) -> list[date]:
    """Return all days of a rule that are searched, from its start or from another day."""
    return list(days_after(parse_rule(rule), start, after or start))


def test_1_000_random_rules_agree_with_dateutil() -> None:
    """Their first 12 days do, but for those on which dateutil is known to err."""
    assert list(differences_from_dateutil(random_cases(1_000, seed=1), years=4)) == []


@pytest.mark.parametrize(
    ("rule", "start"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=FR,SU,TH;BYSETPOS=2", date(2024, 7, 19)),
        ("FREQ=MONTHLY;BYDAY=MO,1MO", date(2026, 3, 1)),
    ],
)
def test_the_known_errors_of_dateutil_are_still_there(rule: str, start: date) -> None:
    """Else the comparison leaves out more than it needs to."""
    case = Case(rule, start, start)
    ours = first_days(case)
    wrong = {*ours} ^ {*days_in_dateutil(case, ours[-1])}
    assert wrong
    assert takes_numbers_alone(case) or all(is_in_incomplete_week(case, day) for day in wrong)


@settings(max_examples=200, deadline=None)
@given(randoms, st.booleans())
def test_the_days_of_a_rule_are_those_of_a_walk(random: Random, skip_backward: bool) -> None:
    """Each day in some years has what the rule names, or it is not there."""
    case = random_case(random)
    end = min(span_of(case, first_days(case)), case.after + timedelta(1_000))
    found = days_after(parse_rule(case.rule), case.start, case.after, skip_backward=skip_backward)
    walked = days_until(case.rule, case.start, end, skip_backward=skip_backward)
    assert [day for day in found if day <= end] == [day for day in walked if day > case.after]


@pytest.mark.parametrize(
    ("interval", "after", "found"),
    [(100, 2004, [2104]), (104, 2004, []), (104, 2008, [2108])],
)
def test_the_search_ends_after_100_years(interval: int, after: int, found: list[int]) -> None:
    """Counted from the day behind which it looks, not from the start of the rule."""
    rule = f"FREQ=YEARLY;INTERVAL={interval}"
    days = days_of(rule, date(2004, 2, 29), date(after, 2, 29))
    assert [day.year for day in days] == found


def test_the_last_day_is_in_the_year_9998() -> None:
    """No rule has a day that a task cannot have."""
    assert days_of("FREQ=MONTHLY", date(9998, 10, 31)) == [date(9998, 12, 31)]
    assert days_of("FREQ=WEEKLY", date(9998, 12, 28)) == []
