"""The counters: in memory, in a real Redis, and in Redis with a fallback."""

from collections.abc import Iterator

import pytest
from tests.redis_server import RedisServer, redis_server

from taskservice.adapters.ratelimit.fallback_counters import FallbackCounters
from taskservice.adapters.ratelimit.memory_counters import MemoryCounters
from taskservice.adapters.ratelimit.redis_counters import RedisCounters
from taskservice.core.operations.rate_limits import Counters
from taskservice.testing import TickingClock


@pytest.fixture(scope="session")
def running_redis() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(running_redis: RedisServer) -> RedisServer:
    """An empty Redis."""
    with running_redis.client() as client:
        client.flushall()
    return running_redis


@pytest.fixture(params=["memory", "redis", "fallback"])
def counters(request: pytest.FixtureRequest, clock: TickingClock) -> Counters:
    memory = MemoryCounters(clock)
    if request.param == "memory":
        return memory
    server: RedisServer = request.getfixturevalue("redis")
    shared = RedisCounters(server.address)
    return shared if request.param == "redis" else FallbackCounters(shared, memory, clock)
