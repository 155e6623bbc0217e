"""Counting in a Redis, or what speaks as one does, for all processes together."""

import re
from urllib.parse import SplitResult, urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from taskservice.core.errors import Unavailable

PREFIX = "taskservice:rate"
_is_database = re.compile(r"/?|/[0-9]{1,4}").fullmatch

PATIENCE = 0.25
"""Seconds that a request waits for a connection, and for an answer, in place of milliseconds."""


class RedisCounters:
    """Counters that all processes share, at an address such as `redis://:password@host:6379/0`."""

    def __init__(self, address: str) -> None:
        """Take the address, and connect to nothing yet. Raises `ValueError`."""
        try:
            _require_place(urlsplit(address))
            self._redis = _client(address)
            # What the address says of connections is looked at only when one is made.
            self._redis.connection_pool.make_connection()
        except (TypeError, ValueError, RedisError):
            raise ValueError("must be an address such as redis://host:6379/0") from None

    def count(self, name: str, window: int, seconds: int) -> int:
        """Count one more, in one round trip. Raises `Unavailable`.

        What was not answered may have been counted all the same.
        """
        key = f"{PREFIX}:{name}:{window}"
        try:
            with self._redis.pipeline() as pipeline:
                pipeline.incr(key)
                pipeline.expire(key, seconds)
                return int(pipeline.execute()[0])
        except RedisError as error:
            # Its message may quote the address, and what the server has said.
            raise Unavailable(type(error).__name__) from error


def _require_place(parts: SplitResult) -> None:
    if not parts.hostname or not _is_database(parts.path):
        raise ValueError


def _client(address: str) -> Redis:
    # A connection that died in the pool is replaced before it is used; nothing is asked twice.
    return Redis.from_url(
        address,
        protocol=2,
        socket_connect_timeout=PATIENCE,
        socket_timeout=PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
