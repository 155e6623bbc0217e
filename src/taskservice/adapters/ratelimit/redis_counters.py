"""Rate limit counters in Redis, or a compatible server, shared by all processes."""

import re
from urllib.parse import SplitResult, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from taskservice.core.errors import Unavailable

PREFIX = "taskservice:rate"
_is_database = re.compile(r"/?|/[0-9]{1,4}").fullmatch

REDIS_TIMEOUT = 0.25
"""Seconds, for a connection and for a reply."""


class RedisCounters:
    """Counters at an address such as `redis://:password@host:6379/0`."""

    def __init__(self, address: str) -> None:
        """Validate the address, without connecting. Raises `ValueError`."""
        try:
            _require_host(urlsplit(address))
            self._redis = _client(address)
            # redis-py validates connection options only when it creates a connection.
            self._redis.connection_pool.make_connection()
        except (TypeError, ValueError, RedisError):
            raise ValueError("must be an address such as redis://host:6379/0") from None

    def count(self, name: str, window: int, seconds: int, cost: int = 1) -> int:
        """Count a request in one round trip. Raises `Unavailable`.

        A request may have been counted even if no reply arrived.
        """
        key = f"{PREFIX}:{name}:{window}"
        try:
            with self._redis.pipeline() as pipeline:
                pipeline.incrby(key, cost)
                pipeline.expire(key, seconds)
                return int(pipeline.execute()[0])
        except RedisError as error:
            # The message may quote the address and the server's reply.
            raise Unavailable(type(error).__name__) from error


def _require_host(parts: SplitResult) -> None:
    if not parts.hostname or not _is_database(parts.path):
        raise ValueError


def _client(address: str) -> Redis:
    # The pool replaces a dead connection before use; a command is never sent twice.
    return Redis.from_url(
        address,
        protocol=2,
        socket_connect_timeout=REDIS_TIMEOUT,
        socket_timeout=REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
