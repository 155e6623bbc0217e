"""A Redis that is away: nobody fails for it, nobody waits for long, and the log hears of it."""

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

AWAY = "rate limit store unavailable, counting per process"
BACK = "rate limit store recovered"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A Redis of the test's own, to be broken."""
    with redis_server() as server:
        yield server


@pytest.fixture
def counters(server: RedisServer, clock: TickingClock) -> Counters:
    clock.step = timedelta()
    return create_counters(server.address, clock)


def ask(counters: Counters, times: int) -> list[int]:
    return [counters.count("ada", 7, 60) for _ in range(times)]


def test_counting_goes_on_in_memory(
    counters: Counters,
    server: RedisServer,
    clock: TickingClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One try, and one line of the log, in each rest; as soon as it is back it counts again."""
    assert ask(counters, 2) == [1, 2]
    server.stop()
    assert ask(counters, 1000) == list(range(1, 1001))
    assert caplog.messages == [AWAY]
    clock.now += timedelta(seconds=RETRY_AFTER)
    assert ask(counters, 2) == [1001, 1002]
    assert caplog.messages == [AWAY, AWAY]
    server.start()
    assert ask(counters, 1) == [1003]
    clock.now += timedelta(seconds=RETRY_AFTER)
    assert ask(counters, 2) == [1, 2]
    assert caplog.messages == [AWAY, AWAY, BACK]


def test_a_restart_between_two_requests_is_not_noticed(
    counters: Counters, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that died while it rested is replaced."""
    assert ask(counters, 1) == [1]
    server.stop()
    server.start()
    assert ask(counters, 1) == [1]
    assert not caplog.messages


def test_a_redis_that_hangs_is_waited_for_once(
    counters: Counters, server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A thousand requests together wait for no longer than one does."""
    assert ask(counters, 1) == [1]
    server.freeze()
    began = time.monotonic()
    assert ask(counters, 1000) == list(range(1, 1001))
    assert REDIS_TIMEOUT * 0.9 < time.monotonic() - began < REDIS_TIMEOUT + 2
    assert caplog.messages == [AWAY]


def test_a_clock_that_is_set_back_does_not_keep_it_away(
    counters: Counters, server: RedisServer, clock: TickingClock
) -> None:
    """A rest ends, whatever becomes of the clock."""
    server.stop()
    assert ask(counters, 1) == [1]
    server.start()
    clock.now -= timedelta(hours=1)
    assert ask(counters, 3) == [1, 2, 3]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("redis://:wrong@127.0.0.1:{port}/0", "AuthenticationError"),
        ("redis://127.0.0.1:{port}/0", "AuthenticationError"),
        ("redis://127.0.0.1:1/0", "ConnectionError"),
        ("rediss://127.0.0.1:{port}/0", "TimeoutError"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_of_it_quoted(
    server: RedisServer, address: str, reason: str
) -> None:
    """The reason is a word: no address, no password, nothing that a server has said."""
    port = server.address.rpartition(":")[2].partition("/")[0]
    with pytest.raises(Unavailable) as refusal:
        RedisCounters(address.format(port=port)).count("ada", 7, 60)
    assert str(refusal.value) == reason
