"""The recurrence rule as a text: what is taken, what is refused, and the pattern of both."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.recurrence_oracles.random_rules import random_cases, random_rule
from tests.recurrence_oracles.rfc_examples import AGREED, REFUSED

from taskservice.core.recurrence_rule import (
    RULE_LIMIT,
    RecurrenceRule,
    RecurrenceText,
    parse_rule,
    with_count,
)

AGREED_RULES = [example.rule for example in AGREED]
PATTERN = RecurrenceText().json_schema()["pattern"]
PARTS = (
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST"),
    *("BYHOUR", "BYMINUTE", "BYSECOND", "BYYEARDAY", "BYWEEKNO"),
)
WHOLE = (
    "must be parts such as FREQ=WEEKLY;BYDAY=MO, each once, in upper case and without spaces",
    "must be the rule alone, without RRULE:",
    "must have at most 255 characters",
)
CHARACTERS = "FREQDAILYWKMOUSTBHPC0123456789=;,+- \nzÄ\u0661"
PIECES = ("FREQ", "DAILY", "BYDAY", "COUNT", "UNTIL", "BYHOUR", "=", ";", ",", "-1MO", "0")
VALUES = (
    "1",
    "-1",
    "9,17",
    "1,400",
    "MO",
    "2TU",
    "DAILY",
    "20261231",
    "20270229",
    "20261231T080000Z",
)
CONFLICTS = {
    "FREQ=DAILY;UNTIL=20270101;COUNT=2": "COUNT and UNTIL exclude each other",
    "FREQ=WEEKLY;BYMONTHDAY=1": "BYMONTHDAY is not taken with FREQ=WEEKLY",
    "FREQ=YEARLY;BYDAY=1MO": (
        "BYDAY may have numbers only with FREQ=MONTHLY, or with FREQ=YEARLY and BYMONTH"
    ),
    "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=1": "BYDAY must not have numbers beside BYMONTHDAY",
    "FREQ=MONTHLY;BYSETPOS=1": "BYSETPOS needs BYMONTH, BYMONTHDAY or BYDAY",
    "FREQ=DAILY;BYMONTH=1;BYSETPOS=2": (
        "BYSETPOS must be from 1 to 1, or its negative, with FREQ=DAILY"
    ),
    "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=-8": (
        "BYSETPOS must be from 1 to 7, or its negative, with FREQ=WEEKLY"
    ),
    "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1,32": (
        "BYSETPOS must be from 1 to 31, or its negative, with FREQ=MONTHLY"
    ),
    "FREQ=DAILY;UNTIL=20270230": (
        "UNTIL must be a date (20261231), a local time (20261231T090000) or a time in UTC "
        "(20261231T080000Z), on a day that there is, in the years 1970 to 9998"
    ),
}
"""Rules that have the form of the pattern, and the error of each."""


def error_of(text: str) -> str | None:
    """Return the error of a rule, None if it is taken. Another exception is a failure."""
    try:
        parse_rule(text)
    except ValueError as error:
        return str(error)
    return None


def random_texts(count: int) -> Iterator[str]:
    """Yield as many texts, of which two thirds are near a rule."""
    random = Random(5545)  # noqa: S311
    for number in range(count):
        match number % 3:
            case 0:
                length = random.randint(0, 40)
                source = random.choice((CHARACTERS, PIECES))
                yield "FREQ=" * (number % 2) + "".join(random.choices(source, k=length))
            case 1:
                yield mutated(random, random_rule(random))
            case 2:
                yield f"{random_rule(random)};{random.choice(PARTS)}={random.choice(VALUES)}"


def mutated(random: Random, rule: str) -> str:
    """Return a rule of which a stretch is replaced by random characters or by another stretch."""
    start, end = sorted(random.choices(range(len(rule) + 1), k=2))
    end = min(end, start + random.choice((0, 1, 2, 300)))
    middle = random.choice((rule[random.randrange(len(rule)) :], random.choice(CHARACTERS), ""))
    return rule[:start] + middle + rule[end:]


def has_pattern(text: str) -> bool:
    """Return whether a text has the form that the OpenAPI document states."""
    return len(text) <= RULE_LIMIT and re.fullmatch(PATTERN, text) is not None


def is_named(error: str) -> bool:
    """Return whether an error names a part, or says how the whole rule is wrong."""
    is_other = re.fullmatch("[A-Z]{2,20} is not taken", error) is not None
    return error in WHOLE or is_other or any(name in error for name in PARTS)


def is_beyond_pattern(error: str) -> bool:
    """Return whether an error is one that no pattern can state."""
    return error.endswith(" is there twice") or error.startswith("BYSETPOS must be from 1 to ")


def test_all_parts_of_a_rule() -> None:
    """Each is read in any order, with signs and leading zeros, and doubles count once."""
    text = "FREQ=YEARLY;WKST=SU;BYSETPOS=+1,-366;BYMONTHDAY=-1,01,1;BYMONTH=02,12;INTERVAL=999"
    assert parse_rule(text) == RecurrenceRule(
        frequency="YEARLY",
        interval=999,
        months=frozenset({2, 12}),
        month_days=frozenset({-1, 1}),
        positions=frozenset({1, -366}),
        week_start=6,
    )
    days = parse_rule("FREQ=MONTHLY;BYDAY=MO,+2TU,-5SU;COUNT=7")
    assert (days.weekdays, days.count) == (frozenset({(0, 0), (2, 1), (-5, 6)}), 7)


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("20280229", date(2028, 2, 29)),
        ("20280229T235959", datetime(2028, 2, 29, 23, 59, 59)),
        ("20280229T000000Z", datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_until_has_three_kinds(text: str, until: date) -> None:
    """A date, a local time, or a time in UTC."""
    found = parse_rule(f"FREQ=DAILY;UNTIL={text}").until
    assert (type(found), found) == (type(until), until)


def test_a_position_in_a_day_leaves_out_nothing() -> None:
    """DAILY has one day in each period, which is the first and the last."""
    assert parse_rule("FREQ=DAILY;BYDAY=MO;BYSETPOS=-1") == parse_rule("FREQ=DAILY;BYDAY=MO")


@pytest.mark.parametrize("rule", REFUSED)
def test_an_example_of_the_rfc_outside_the_subset_is_refused_by_name(rule: str) -> None:
    """8 of 42; `test_series.py` has the other 34."""
    assert error_of(rule) == REFUSED[rule]


@pytest.mark.parametrize("rule", CONFLICTS)
def test_parts_that_do_not_go_together_are_named(rule: str) -> None:
    """Though each has the form of the pattern."""
    assert (has_pattern(rule), error_of(rule)) == (True, CONFLICTS[rule])


def test_random_rules_of_the_subset_are_taken() -> None:
    """And they have the pattern of the OpenAPI document."""
    rules = [case.rule for case in random_cases(1_000, seed=3)]
    assert [rule for rule in rules if error_of(rule) or not has_pattern(rule)] == []


def test_10_000_random_texts_are_taken_or_refused_by_name() -> None:
    """Nothing but `ValueError` is raised, and it names a part or the general form."""
    errors = {text: error_of(text) for text in random_texts(10_000)}
    assert [text for text, error in errors.items() if error and not is_named(error)] == []
    assert len(errors) > 9_000
    assert {error is None for error in errors.values()} == {True, False}


@given(st.text() | st.text(CHARACTERS).map("FREQ=DAILY;{}".format))
def test_any_text_is_taken_or_refused_by_name(text: str) -> None:
    """Whatever Unicode it has."""
    error = error_of(text)
    assert error is None or is_named(error)


def test_the_pattern_has_all_that_is_taken_and_little_else() -> None:
    """A text that has it is refused only for a double, a conflict or a day that does not exist."""
    texts = [*random_texts(10_000), *AGREED_RULES, *REFUSED]
    assert [text for text in texts if not has_pattern(text) and error_of(text) is None] == []
    others = {error_of(text) for text in texts if has_pattern(text)} - {None, *CONFLICTS.values()}
    assert [error for error in others if not is_beyond_pattern(str(error))] == []


def test_the_count_of_a_text_changes_and_nothing_else() -> None:
    """A rule is kept as it was sent; without COUNT it stays so."""
    assert with_count("FREQ=DAILY;COUNT=10;WKST=SU", 9) == "FREQ=DAILY;COUNT=9;WKST=SU"
    assert with_count("FREQ=DAILY;WKST=SU", None) == "FREQ=DAILY;WKST=SU"
