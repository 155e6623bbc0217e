"""What every kind of counter promises."""

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


def test_each_name_and_window_is_counted_from_one(counters: Counters) -> None:
    """Neither another name nor another window has a part in a count."""
    assert [counters.count("ada", 7, 60) for _ in range(3)] == [1, 2, 3]
    assert [counters.count("bob", 7, 60) for _ in range(2)] == [1, 2]
    assert counters.count("ada", 8, 60) == 1


def test_no_two_calls_are_given_the_same_number(counters: Counters) -> None:
    """However many threads count at once, each number is given once, and none is left out."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            numbers = list(pool.map(lambda _: counters.count("ada", 7, 60), range(CALLS)))
    finally:
        sys.setswitchinterval(before)
    assert sorted(numbers) == list(range(1, CALLS + 1))


class Interrupted(dict[str, tuple[int, int]]):
    """What is kept, where another thread counts between a look and what comes of it."""

    def __init__(self, interrupt: Callable[[], object]) -> None:
        super().__init__()
        self._thread = Thread(target=interrupt)

    def get(self, name: str, default: Any = None) -> Any:
        seen = super().get(name, default)
        if self._thread.ident is None:
            self._thread.start()
            # It cannot end while this thread has the lock.
            self._thread.join(timeout=0.1)
        return seen

    def finish(self) -> None:
        self._thread.join()


def test_a_thread_does_not_come_between_a_look_and_a_count() -> None:
    """In memory too, where a switch of threads at the wrong moment is rare."""
    counters, numbers = MemoryCounters(), list[int]()
    counters._current = kept = Interrupted(lambda: numbers.append(counters.count("ada", 7, 60)))
    numbers.append(counters.count("ada", 7, 60))
    kept.finish()
    assert sorted(numbers) == [1, 2]


def test_memory_forgets_windows_that_are_over(clock: TickingClock) -> None:
    """What is kept is bounded by who asked within two windows; a window is kept to its end."""
    clock.step = timedelta()
    counters = MemoryCounters(clock)
    for second in range(200):
        clock.now += timedelta(seconds=1)
        assert counters.count(f"user-{second}", 0, 60) == 1
        assert counters.count("ada", second // 60, 60) == second % 60 + 1
    kept = set(counters._current) | set(counters._previous)
    assert len(kept) <= 2 * 60 + 1
    assert {f"user-{second}" for second in range(140, 200)} <= kept


def test_redis_forgets_windows_that_are_over(redis: RedisServer) -> None:
    """A count expires a window after it was last changed."""
    RedisCounters(redis.address).count("user:ada", 7, 60)
    with redis.client() as client:
        (key,) = client.keys()
        assert key == f"{PREFIX}:user:ada:7"
        assert client.ttl(key) == pytest.approx(60, abs=1)


def test_processes_count_together_in_redis(redis: RedisServer) -> None:
    """What one has counted the next goes on from."""
    one, other = RedisCounters(redis.address), RedisCounters(redis.address)
    assert [each.count("ada", 7, 60) for each in (one, other, one)] == [1, 2, 3]
