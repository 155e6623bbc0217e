"""Rates and their windows."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskservice.core.operations.rate_limits import Rate, RateLimit, RateLimitStatus
from taskservice.testing import TickingClock


class Numbers:
    """Counters that keep every window."""

    def __init__(self) -> None:
        self.counted = Counter[tuple[str, int]]()

    def count(self, name: str, window: int, seconds: int) -> int:
        self.counted[name, window] += 1
        return self.counted[name, window]


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("600/minute", Rate(600, 60)),
        ("1/second", Rate(1, 1)),
        ("36000/hour", Rate(36000, 3600)),
        ("9999999/day", Rate(9999999, 86400)),
    ],
)
def test_a_rate_is_a_number_per_unit(text: str, rate: Rate) -> None:
    """The number is of requests, the unit one of four."""
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        *("", "OFF", "600", "600/60", "600/minutes", "600 / minute", "600/MINUTE", "600/minute\n"),
        *("0/minute", "-1/minute", "6e2/minute", "٦٠٠/minute", "10000000/day", "1/second;9/day"),
    ],
)
def test_what_is_no_rate_is_refused(text: str) -> None:
    """And said to be so in words that show what is one."""
    with pytest.raises(
        ValueError, match=r"^must be off, or a number per unit, such as 600/minute$"
    ):
        Rate.parse(text)


def test_the_quota_is_taken_whole_and_no_more() -> None:
    """The last request of a quota leaves nothing, and the next is one too many."""
    limit = RateLimit(Rate(3, 60), Numbers(), TickingClock())
    budgets = [limit.take("ada") for _ in range(5)]
    assert [budget.remaining for budget in budgets] == [2, 1, 0, 0, 0]
    assert [budget.is_exceeded for budget in budgets] == [False, False, False, True, True]
    assert [budget.was_just_exceeded for budget in budgets] == [False, False, False, True, False]


@given(st.text(max_size=20), st.integers(0, 10**6), st.sampled_from([1, 60, 3600, 86400]))
def test_whoever_waits_as_told_is_in_the_next_window(name: str, later: int, seconds: int) -> None:
    """From 1 s to a whole window; until then there is nothing more, and then all of it."""
    clock = TickingClock()
    clock.now += timedelta(milliseconds=later)
    clock.step = timedelta()
    limit = RateLimit(Rate(1, seconds), Numbers(), clock)
    first = limit.take(name)
    assert 1 <= first.seconds <= seconds
    clock.now += timedelta(seconds=first.seconds - 1)
    assert limit.take(name).is_exceeded
    clock.now += timedelta(seconds=1)
    assert limit.take(name) == RateLimitStatus(Rate(1, seconds), 1, seconds)


def test_windows_begin_at_moments_of_their_own() -> None:
    """Not everybody is let in again at the same moment."""
    clock = TickingClock()
    clock.step = timedelta()
    limit = RateLimit(Rate(1, 60), Numbers(), clock)
    assert len({limit.take(f"user-{number}").seconds for number in range(1000)}) == 60


def test_everyone_has_a_quota_to_themselves() -> None:
    """What one uses up another still has."""
    limit = RateLimit(Rate(2, 60), Numbers(), TickingClock())
    assert [limit.take("ada").is_exceeded for _ in range(3)] == [False, False, True]
    assert not limit.take("bob").is_exceeded
