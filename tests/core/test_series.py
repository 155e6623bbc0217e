"""The successor of a task that was closed: its dates, its rule, and how long that takes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.recurrence_oracles.costs import Question, best_of_three, most_costly
from tests.recurrence_oracles.day_by_day import days_until
from tests.recurrence_oracles.random_rules import random_day, random_rule
from tests.recurrence_oracles.rfc_examples import AGREED, Example

from taskservice.core.errors import FieldError, InvalidEntity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.occurrences import days_after
from taskservice.core.recurrence_rule import parse_rule
from taskservice.core.recurring import REPEATS_FROM, to_day
from taskservice.core.successors import successor
from taskservice.core.task import NewTask, Task
from taskservice.core.zones import find_zone
from taskservice.testing import ADA

NEW_ID = TimeOrderedIds()
EARLY = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(1)
ZONES = ("America/New_York", "Pacific/Apia", "Australia/Lord_Howe", "UTC")


def task(due: date | None = None, recurrence: str = "FREQ=DAILY", **fields: Any) -> Task:
    """Return an open task that recurs."""
    new = NewTask(title="Water the plants", due=due, recurrence=recurrence, **fields)
    return Task.create(ADA, EARLY, NEW_ID, new)


def next_of(one: Task, closed_at: datetime, time_zone: str | None = None) -> Task | None:
    """Return the successor of a task that is closed at a moment in UTC."""
    return successor(one.complete(closed_at.replace(tzinfo=UTC)), NEW_ID, time_zone)


def due_of(one: Task | None) -> date | None:
    """Return when a task is due, None if there is no task."""
    return one.due if one else None


def chain(one: Task, zone: str) -> Iterator[date]:
    """Yield when the successors of a task are due, each closed at the time that it is due."""
    following: Task | None = one
    while following is not None and isinstance(following.due, datetime):
        moment = following.due.replace(tzinfo=find_zone(zone)).astimezone(UTC)
        following = next_of(following, moment)
        if following is not None and following.due is not None:
            yield following.due


@pytest.mark.parametrize("example", AGREED, ids=lambda example: example.rule)
def test_the_examples_of_the_rfc(example: Example) -> None:
    """34 of the 42 rules: all days that the RFC names, at 09:00 in New York, and no other."""
    zone = "America/New_York"
    start = datetime.combine(date.fromisoformat(example.start), time(9))
    days = example.following()
    found = chain(task(start, example.rule, time_zone=zone), zone)
    expected = [datetime.combine(day, time(9)) for day in days]
    assert list(islice(found, len(days) if example.is_endless else None)) == expected


def walked(one: Task, rule: str, now: datetime, end: date) -> tuple[date, int] | None:
    """Return the next occurrence up to `end` at a local time, and how many days passed until it."""
    is_from_completion = one.repeats_from == "completion"
    assert one.due is not None
    start = now.date() if is_from_completion else to_day(one.due)
    if is_from_completion and not any(
        days_after(parse_rule(rule), start, start, skip_backward=True)
    ):
        rule = re.sub(";INTERVAL=[0-9]+", "", rule)
    for passed, day in enumerate(days_until(rule, start, end, skip_backward=is_from_completion), 1):
        if not isinstance(one.due, datetime):
            is_to_come, value = day > now.date(), day
        else:
            value = datetime.combine(day, one.due.time())
            is_to_come = value > now
        if is_to_come:
            return value, passed
    return None


@settings(max_examples=200, deadline=None)
@given(st.randoms(use_true_random=True), st.sampled_from(ZONES), st.sampled_from(REPEATS_FROM))
def test_the_successor_is_that_of_a_walk(random: Random, zone: str, base: str) -> None:
    """The first day of the rule to come in the time zone, with what is left of COUNT."""
    rule, day = random_rule(random), random_day(random)
    passed = timedelta(random.randint(-40, 600), random.randrange(86_400))
    now = datetime.combine(day, time(microsecond=1), UTC) + passed
    is_time, count = random.random() < 0.5, random.choice((None, random.randint(1, 60)))
    due = datetime.combine(day, time(random.randrange(24), 30)) if is_time else day
    one = replace(
        task(due, time_zone=zone if is_time else None),
        recurrence=rule if count is None else f"{rule};COUNT={count}",
        repeats_from=base,
    )
    found = next_of(one, now, zone)
    local = now.astimezone(find_zone(zone)).replace(tzinfo=None)
    end = max(day, local.date()) + timedelta(400)
    following = walked(one, rule, local, end)
    if following is None:
        assert found is None or to_day(found.due or day) > end
    elif count is not None and following[1] >= count:
        assert found is None
    else:
        left = rule if count is None else f"{rule};COUNT={count - following[1]}"
        assert found is not None
        assert (found.due, found.occurrence, found.recurrence) == (following[0], following[0], left)


def test_a_successor_is_never_due_before_its_start() -> None:
    """Though the closed one was moved to before its occurrence."""
    one = task(date(2026, 3, 12), "FREQ=WEEKLY", start=date(2026, 3, 10))
    moved = one.edit(EARLY, start=date(2026, 3, 2), due=date(2026, 3, 4))
    following = next_of(moved, datetime(2026, 3, 4))
    assert following is not None
    assert (following.start, following.due) == (date(2026, 3, 17), date(2026, 3, 17))


@pytest.mark.parametrize(
    ("start", "due", "rule", "following"),
    [
        ("9998-12-30", "9998-12-30", "FREQ=DAILY", "9998-12-31"),
        ("9998-12-31", "9998-12-31", "FREQ=DAILY;COUNT=2", None),
        ("9998-12-30", "9998-12-31", "FREQ=DAILY", None),
        ("2026-03-01", "9998-12-31", "FREQ=YEARLY;INTERVAL=2", None),
    ],
)
def test_a_series_ends_with_the_year_9998(
    start: str, due: str, rule: str, following: str | None
) -> None:
    """No successor is due later, wherever it starts."""
    one = task(date.fromisoformat(due), rule, start=date.fromisoformat(start))
    found = due_of(next_of(one, datetime.fromisoformat(start)))
    assert (found and str(found)) == following


@pytest.mark.parametrize(("own", "of_caller"), [("Mars/Phobos", "UTC"), (None, "Mars/Phobos")])
def test_a_time_zone_that_is_not_in_the_zone_data(own: str | None, of_caller: str) -> None:
    """A task in one, which other zone data had, is not closed; nor by a caller in one."""
    one = replace(task(datetime(2026, 3, 1, 9)), time_zone=own)
    with pytest.raises(InvalidEntity) as raised:
        next_of(one, datetime(2026, 3, 1), of_caller)
    detail = "is not in the time zone data of this version"
    assert raised.value.errors == (FieldError("time_zone", detail),)


def test_the_time_zone_of_a_task_precedes_that_of_the_caller() -> None:
    """At 00:30Z it is 09:30 in Tokyo, after 08:00, and still the day before in New York."""
    moment, due = datetime(2026, 3, 2, 0, 30), datetime(2026, 3, 1, 8)
    in_new_york = task(due, time_zone="America/New_York")
    assert due_of(next_of(in_new_york, moment, "Asia/Tokyo")) == datetime(2026, 3, 2, 8)
    assert due_of(next_of(task(due), moment, "Asia/Tokyo")) == datetime(2026, 3, 3, 8)


@pytest.mark.parametrize(
    ("base", "closed_on", "following"),
    [
        ("completion", "2028-02-29", "2029-02-28"),
        ("completion", "2031-02-28", "2032-02-28"),
        ("schedule", "2029-03-01", "2032-02-29"),
    ],
)
def test_a_leap_day_from_completion(base: str, closed_on: str, following: str) -> None:
    """The last day of February stands for it, and a later year counts from that day."""
    one = task(date(2028, 2, 29), "FREQ=YEARLY", repeats_from=base)
    assert str(due_of(next_of(one, datetime.fromisoformat(closed_on)))) == following


@pytest.mark.parametrize(
    ("due", "until", "zone", "is_there"),
    [
        ("2026-10-24", "20261025", None, True),
        ("2026-10-24", "20261024", None, False),
        ("2026-10-24T02:30:00", "20261025T023000", None, True),
        ("2026-10-24T02:30:00", "20261025T022959", None, False),
        ("2026-10-24T02:30:00", "20261025T003000Z", "Europe/Berlin", True),
        ("2026-10-24T02:30:00", "20261025T002959Z", "Europe/Berlin", False),
        ("2026-03-28T02:30:00", "20260329T013000Z", "Europe/Berlin", True),
        ("2026-03-28T02:30:00", "20260329T012959Z", "Europe/Berlin", False),
    ],
)
def test_until_is_inclusive(due: str, until: str, zone: str | None, is_there: bool) -> None:
    """In a fold it is compared with the first 02:30, and in a gap with the offset before it."""
    first = datetime.fromisoformat(due) if "T" in due else date.fromisoformat(due)
    one = task(first, f"FREQ=DAILY;UNTIL={until}", time_zone=zone)
    following = next_of(one, datetime.fromisoformat(due))
    assert due_of(following) == (first + DAY if is_there else None)


def test_an_open_task_and_one_that_does_not_recur_have_no_successor() -> None:
    """Only one that was closed, and recurs, has one."""
    one = task(date(2026, 3, 1))
    assert successor(one, NEW_ID) is None
    assert next_of(one.edit(EARLY, recurrence=None), datetime(2026, 3, 1)) is None


KNOWN = Question(
    "FREQ=WEEKLY;BYDAY=WE,FR,SU,TH,TU,MO;COUNT=44;BYSETPOS=-7;BYMONTH=3,10,6,2,8,12,4",
    date(2026, 3, 2),
    "completion",
    0,
)
"""The most costly question that is known: no week has seven of these days."""


def test_no_rule_costs_50_ms() -> None:
    """Neither one of which it is known, nor one that a short search finds."""
    costs = {
        question: best_of_three(question)
        for question in (KNOWN, most_costly(Random(1), seconds=2))  # noqa: S311
    }
    assert {question: cost for question, cost in costs.items() if cost >= 0.05} == {}
