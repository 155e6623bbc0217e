"""An unavailable Redis: no request fails, none waits for long, and the log has an event."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.redis_server import RedisServer, redis_server

from taskservice.adapters.ratelimit import create_counters
from taskservice.adapters.ratelimit.fallback_counters import RETRY_AFTER
from taskservice.adapters.ratelimit.redis_counters import REDIS_TIMEOUT, RedisCounters
from taskservice.core.errors import Unavailable
from taskservice.core.operations.rate_limits import Counters
from taskservice.testing import TickingClock

UNAVAILABLE = "rate limit store unavailable, counting per process"
RECOVERED = "rate limit store recovered"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis that the test may stop."""
    with redis_server() as server:
        yield server


@pytest.fixture
def counters(server: RedisServer, clock: TickingClock) -> Counters:
    clock.step = timedelta()
    return create_counters(server.address, clock)


def count(counters: Counters, times: int) -> list[int]:
    return [counters.count("ada", 7, 60) for _ in range(times)]


def test_counters_fall_back_to_memory(
    counters: Counters, server: RedisServer, clock: TickingClock, caplog: pytest.LogCaptureFixture
) -> None:
    """One attempt and one log line per `RETRY_AFTER`; Redis counts again after it has recovered."""
    assert count(counters, 2) == [1, 2]
    server.stop()
    assert count(counters, 1000) == list(range(1, 1001))
    assert caplog.messages == [UNAVAILABLE]
    clock.now += timedelta(seconds=RETRY_AFTER)
    assert count(counters, 2) == [1001, 1002]
    assert caplog.messages == [UNAVAILABLE, UNAVAILABLE]
    server.start()
    assert count(counters, 1) == [1003]
    clock.now += timedelta(seconds=RETRY_AFTER)
    assert count(counters, 2) == [1, 2]
    assert caplog.messages == [UNAVAILABLE, UNAVAILABLE, RECOVERED]


def test_the_fallback_counts_a_cost(counters: Counters, server: RedisServer) -> None:
    """The call that finds the store unavailable does, and those behind it."""
    server.stop()
    assert [counters.count("ada", 7, 60, cost) for cost in (10, 3)] == [10, 13]


def test_a_restart_between_two_requests_causes_no_error(
    counters: Counters, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A dead idle connection is replaced."""
    assert count(counters, 1) == [1]
    server.stop()
    server.start()
    assert count(counters, 1) == [1]
    assert not caplog.messages


def test_a_hanging_redis_times_out_once(
    counters: Counters, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A thousand requests wait no longer than one."""
    assert count(counters, 1) == [1]
    server.freeze()
    started = time.monotonic()
    assert count(counters, 1000) == list(range(1, 1001))
    assert REDIS_TIMEOUT * 0.9 < time.monotonic() - started < REDIS_TIMEOUT + 2
    assert caplog.messages == [UNAVAILABLE]


def test_a_clock_that_is_set_back_does_not_delay_the_retry(
    counters: Counters, server: RedisServer, clock: TickingClock
) -> None:
    """A negative time difference ends the suspension."""
    server.stop()
    assert count(counters, 1) == [1]
    server.start()
    clock.now -= timedelta(hours=1)
    assert count(counters, 3) == [1, 2, 3]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("redis://:wrong@127.0.0.1:{port}/0", "AuthenticationError"),
        ("redis://127.0.0.1:{port}/0", "AuthenticationError"),
        ("redis://127.0.0.1:1/0", "ConnectionError"),
        ("rediss://127.0.0.1:{port}/0", "TimeoutError"),
    ],
)
def test_the_reason_is_the_class_of_the_error(
    server: RedisServer, address: str, reason: str
) -> None:
    """It contains no address, no password and no reply of the server."""
    port = server.address.rpartition(":")[2].partition("/")[0]
    with pytest.raises(Unavailable) as refusal:
        RedisCounters(address.format(port=port)).count("ada", 7, 60)
    assert str(refusal.value) == reason
