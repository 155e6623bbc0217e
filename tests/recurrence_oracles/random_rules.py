"""Random recurrence rules of the subset, each with a day on which it starts."""

from datetime import date, timedelta
from random import Random
from typing import NamedTuple

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LAST_POSITION = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 31, "YEARLY": 366}
INTERVALS = (1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 12, 18)


class Case(NamedTuple):
    """A rule without an end, the day on which it starts, and the day behind which to look."""

    rule: str
    start: date
    after: date


def random_cases(count: int, seed: int) -> list[Case]:
    """Return as many cases, the same for a seed."""
    random = Random(seed)  # noqa: S311
    return [random_case(random) for _ in range(count)]


def random_case(random: Random) -> Case:
    """Return a rule that starts from 1970 to 2100, and a day at most 3 years after its start."""
    start = random_day(random)
    passed = random.choice((0, random.randint(0, 1100)))
    return Case(random_rule(random), start, start + timedelta(passed))


def random_day(random: Random) -> date:
    """Return a day from 1970 to 2100, often the last of a month."""
    year, month = random.randint(1970, 2100), random.randint(1, 12)
    first = date(year, month, 1)
    following = date(year + month // 12, month % 12 + 1, 1)
    if random.random() < 0.3:
        return following - timedelta(1)
    return first + timedelta(random.randrange((following - first).days))


def random_rule(random: Random) -> str:
    """Return a rule of the subset, without COUNT and UNTIL, its parts in any order."""
    frequency = random.choice(tuple(LAST_POSITION))
    parts = {}
    if random.random() < 0.5:
        parts["INTERVAL"] = str(random.choice(INTERVALS))
    if random.random() < 0.3:
        parts["BYMONTH"] = _several(random, random.choice((2, 4, 12)), 1, 12)
    if random.random() < 0.4 and frequency != "WEEKLY":
        parts["BYMONTHDAY"] = _several(random, 5, -31, 31)
    if random.random() < 0.5:
        is_numbered = "BYMONTHDAY" not in parts and (
            frequency == "MONTHLY" or (frequency == "YEARLY" and "BYMONTH" in parts)
        )
        parts["BYDAY"] = _weekdays(random, is_numbered=is_numbered)
    if random.random() < 0.4 and parts.keys() & {"BYMONTH", "BYMONTHDAY", "BYDAY"}:
        last = min(LAST_POSITION[frequency], random.choice((2, 5, 366)))
        parts["BYSETPOS"] = _several(random, 3, -last, last)
    if random.random() < 0.5:
        parts["WKST"] = random.choice(WEEKDAYS)
    names = random.sample(sorted(parts), len(parts))
    return ";".join((f"FREQ={frequency}", *(f"{name}={parts[name]}" for name in names)))


def _several(random: Random, most: int, first: int, last: int) -> str:
    """Return up to `most` numbers of a range, without 0."""
    numbers = [number for number in range(first, last + 1) if number]
    return ",".join(map(str, random.sample(numbers, random.randint(1, min(most, len(numbers))))))


def _weekdays(random: Random, *, is_numbered: bool) -> str:
    numbers = ("", "1", "2", "+3", "4", "5", "-1", "-2", "-5") if is_numbered else ("",)
    days = random.sample(WEEKDAYS, random.randint(1, 7))
    return ",".join(f"{random.choice(numbers)}{day}" for day in days)
