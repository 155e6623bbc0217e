"""A pool that is watched: how many connections are in use, and who waits for one."""

from threading import Lock
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection, QueuePool

from taskservice.core.operations.metrics import Metrics


def metered_pool(metrics: Metrics) -> type[QueuePool]:
    """Return a kind of pool that tells `metrics` who waits for a connection, and who in vain."""

    class MeteredPool(QueuePool):
        def connect(self) -> PoolProxiedConnection:
            metrics.pool_waiting(1)
            try:
                return super().connect()
            except PoolTimeoutError:
                metrics.pool_timed_out()
                raise
            finally:
                metrics.pool_waiting(-1)

    return MeteredPool


def meter_connections(pool: Pool, metrics: Metrics) -> None:
    """Tell `metrics` how many connections are in use, whenever that changes."""
    in_use: set[ConnectionPoolEntry] = set()
    lock = Lock()

    def taken(_: Any, entry: ConnectionPoolEntry, __: Any) -> None:
        with lock:
            in_use.add(entry)
            metrics.connections_in_use(len(in_use))

    def returned(_: Any, entry: ConnectionPoolEntry) -> None:
        with lock:
            in_use.discard(entry)
            metrics.connections_in_use(len(in_use))

    event.listen(pool, "checkout", taken)
    event.listen(pool, "checkin", returned)
