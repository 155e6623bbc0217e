"""The contract of the port `Counters`, for every implementation."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from tests.redis_server import RedisServer

from taskservice.adapters.ratelimit.memory_counters import MemoryCounters
from taskservice.adapters.ratelimit.redis_counters import PREFIX, RedisCounters
from taskservice.core.operations.rate_limits import Counters
from taskservice.testing import TickingClock

CALLS = 2000


def test_each_name_and_window_has_its_own_count(counters: Counters) -> None:
    """Other names and other windows do not change a count."""
    assert [counters.count("ada", 7, 60) for _ in range(3)] == [1, 2, 3]
    assert [counters.count("bob", 7, 60) for _ in range(2)] == [1, 2]
    assert counters.count("ada", 8, 60) == 1


def test_a_call_counts_as_many_as_its_cost(counters: Counters) -> None:
    """In each window, also if it is the first of one."""
    assert [counters.count("ada", 7, 60, cost) for cost in (1, 10, 1)] == [1, 11, 12]
    assert [counters.count("ada", 8, 60, cost) for cost in (5, 2)] == [5, 7]


def test_concurrent_calls_get_distinct_numbers(counters: Counters) -> None:
    """Every number is returned once, and none is skipped."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            numbers = list(pool.map(lambda _: counters.count("ada", 7, 60), range(CALLS)))
    finally:
        sys.setswitchinterval(before)
    assert sorted(numbers) == list(range(1, CALLS + 1))


class InterruptedCounts(dict[str, tuple[int, int]]):
    """Counts; another thread counts between the first read and its write."""

    def __init__(self, interrupt: Callable[[], object]) -> None:
        super().__init__()
        self._thread = Thread(target=interrupt)

    def get(self, name: str, default: Any = None) -> Any:
        value = super().get(name, default)
        if self._thread.ident is None:
            self._thread.start()
            # It cannot end while this thread holds the lock.
            self._thread.join(timeout=0.1)
        return value

    def finish(self) -> None:
        self._thread.join()


def test_reading_and_writing_a_count_is_atomic() -> None:
    """In memory too, where a thread switch in between is rare."""
    counters, numbers = MemoryCounters(), list[int]()
    counters._current = counts = InterruptedCounts(
        lambda: numbers.append(counters.count("ada", 7, 60))
    )
    numbers.append(counters.count("ada", 7, 60))
    counts.finish()
    assert sorted(numbers) == [1, 2]


def test_memory_drops_expired_windows(clock: TickingClock) -> None:
    """Its size is bounded by the names of two windows; a window is stored until its end."""
    clock.step = timedelta()
    counters = MemoryCounters(clock)
    for second in range(200):
        clock.now += timedelta(seconds=1)
        assert counters.count(f"user-{second}", 0, 60) == 1
        assert counters.count("ada", second // 60, 60) == second % 60 + 1
    stored = set(counters._current) | set(counters._previous)
    assert len(stored) <= 2 * 60 + 1
    assert {f"user-{second}" for second in range(140, 200)} <= stored


def test_redis_drops_expired_windows(redis: RedisServer) -> None:
    """A count expires one window after its last change."""
    RedisCounters(redis.address).count("user:ada", 7, 60)
    with redis.client() as client:
        (key,) = client.keys()
        assert key == f"{PREFIX}:user:ada:7"
        assert client.ttl(key) == pytest.approx(60, abs=1)


def test_processes_share_counts_in_redis(redis: RedisServer) -> None:
    """Two clients continue the same count."""
    one, other = RedisCounters(redis.address), RedisCounters(redis.address)
    assert [each.count("ada", 7, 60) for each in (one, other, one)] == [1, 2, 3]
