"""Rate limits and their windows."""

from collections import Counter
from datetime import timedelta
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskservice.core.operations.rate_limits import Rate, RateLimit, RateLimitStatus
from taskservice.testing import TickingClock


class UnboundedCounters:
    """Counters that never expire."""

    def __init__(self) -> None:
        self.counted = Counter[tuple[str, int]]()

    def count(self, name: str, window: int, seconds: int, cost: int = 1) -> int:
        self.counted[name, window] += cost
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
def test_a_rate_is_parsed(text: str, rate: Rate) -> None:
    """It is a number of requests per second, minute, hour or day."""
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text",
    [
        *("", "OFF", "600", "600/60", "600/minutes", "600 / minute", "600/MINUTE", "600/minute\n"),
        *("0/minute", "-1/minute", "6e2/minute", "٦٠٠/minute", "10000000/day", "1/second;9/day"),
    ],
)
def test_an_invalid_rate_is_refused(text: str) -> None:
    """The message has an example of a valid one."""
    with pytest.raises(
        ValueError, match=r"^must be off, or a number per unit, such as 600/minute$"
    ):
        Rate.parse(text)


def test_exactly_the_quota_is_allowed() -> None:
    """The last request of the quota leaves nothing, and the next one exceeds it."""
    limit = RateLimit(Rate(3, 60), UnboundedCounters(), TickingClock())
    statuses = [limit.hit("ada") for _ in range(5)]
    assert [status.remaining for status in statuses] == [2, 1, 0, 0, 0]
    assert [status.is_exceeded for status in statuses] == [False, False, False, True, True]
    assert [status.was_just_exceeded for status in statuses] == [False, False, False, True, False]


@given(st.lists(st.integers(1, 11), max_size=8), st.integers(1, 20))
def test_only_what_exceeds_the_quota_first_is_logged(costs: list[int], quota: int) -> None:
    """Also if it counts as several requests, some of which were within the quota."""
    clock = TickingClock()
    clock.step = timedelta()
    limit = RateLimit(Rate(quota, 60), UnboundedCounters(), clock)
    statuses = [limit.hit("ada", cost) for cost in costs]
    exceeded = [used > quota for used in accumulate(costs)]
    assert [status.used for status in statuses] == [*accumulate(costs)]
    assert [status.is_exceeded for status in statuses] == exceeded
    first = [index for index, is_exceeded in enumerate(exceeded) if is_exceeded][:1]
    just = [index for index, status in enumerate(statuses) if status.was_just_exceeded]
    assert just == first


@given(st.text(max_size=20), st.integers(0, 10**6), st.sampled_from([1, 60, 3600, 86400]))
def test_the_window_is_reset_after_the_announced_time(name: str, later: int, seconds: int) -> None:
    """That is 1 s to a whole window; then the whole quota is available again."""
    clock = TickingClock()
    clock.now += timedelta(milliseconds=later)
    clock.step = timedelta()
    limit = RateLimit(Rate(1, seconds), UnboundedCounters(), clock)
    first = limit.hit(name)
    assert 1 <= first.reset_after <= seconds
    clock.now += timedelta(seconds=first.reset_after - 1)
    assert limit.hit(name).is_exceeded
    clock.now += timedelta(seconds=1)
    assert limit.hit(name) == RateLimitStatus(Rate(1, seconds), 1, seconds)


def test_windows_of_different_names_have_different_offsets() -> None:
    """The quotas of different names are not all reset at the same time."""
    clock = TickingClock()
    clock.step = timedelta()
    limit = RateLimit(Rate(1, 60), UnboundedCounters(), clock)
    assert len({limit.hit(f"user-{number}").reset_after for number in range(1000)}) == 60


def test_each_name_has_its_own_quota() -> None:
    """A name that has used up its quota does not affect another."""
    limit = RateLimit(Rate(2, 60), UnboundedCounters(), TickingClock())
    assert [limit.hit("ada").is_exceeded for _ in range(3)] == [False, False, True]
    assert not limit.hit("bob").is_exceeded
