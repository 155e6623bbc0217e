"""Many recurrence rules against other libraries, and the most costly one: `tox -e recurrence`.

`tests/core/test_occurrences.py` does a part of it, without Node.js.
"""

from collections.abc import Callable
from random import Random

import pytest
from tests.recurrence_oracles.costs import best_of_three, most_costly
from tests.recurrence_oracles.day_by_day import days_until
from tests.recurrence_oracles.libraries import (
    days_in_rrule_temporal,
    differences_from_dateutil,
    first_days,
    span_of,
)
from tests.recurrence_oracles.random_rules import random_cases

pytestmark = pytest.mark.recurrence

CASES = random_cases(4_000, seed=2)


def test_4_000_random_rules_agree_with_dateutil() -> None:
    """A rule without a day has none in 30 years, in which weekdays and leap years come around."""
    assert list(differences_from_dateutil(CASES, years=30)) == []


def test_4_000_random_rules_agree_with_rrule_temporal() -> None:
    """All of them do."""
    days = [first_days(case) for case in CASES]
    asked = [(case, ours) for case, ours in zip(CASES, days, strict=True) if ours]
    ends = [span_of(case, ours) for case, ours in asked]
    theirs = days_in_rrule_temporal([case for case, _ in asked], ends)
    compared = zip(asked, theirs, strict=True)
    assert [case for (case, ours), others in compared if ours != others] == []


def test_4_000_random_rules_agree_with_a_walk() -> None:
    """Each day behind the start of a rule, up to the last that is compared, or for 3 years."""
    wrong = []
    for case in CASES:
        ours = first_days(case)
        end = min(span_of(case, ours), case.after.replace(day=1, year=case.after.year + 3))
        walked = days_until(case.rule, case.start, end)
        if [day for day in ours if day <= end] != [day for day in walked if day > case.after]:
            wrong.append(case)
    assert wrong == []


def test_no_rule_costs_50_ms(tell: Callable[[object], None]) -> None:
    """However long one looks for it: a minute."""
    worst = most_costly(Random(2), seconds=60)  # noqa: S311
    cost = best_of_three(worst)
    tell(f"{cost * 1000:.1f} ms: {worst}")
    assert cost < 0.05
