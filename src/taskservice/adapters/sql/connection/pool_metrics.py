"""Connection pool metrics: connections in use, waiting threads, and timeouts."""

from threading import Lock
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection, QueuePool

from taskservice.core.operations.metrics import Metrics


def metered_pool(metrics: Metrics) -> type[QueuePool]:
    """Return a pool class that reports waiting threads and pool timeouts to `metrics`."""

    class MeteredPool(QueuePool):
        # SQLAlchemy names the logger after the module. Its messages show the database's address,
        # and would be logged at the level of the service's own loggers.
        __module__ = QueuePool.__module__

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
    """Report the number of connections in use to `metrics` at each checkout and checkin."""
    in_use: set[ConnectionPoolEntry] = set()
    lock = Lock()

    def on_checkout(_: Any, entry: ConnectionPoolEntry, __: Any) -> None:
        with lock:
            in_use.add(entry)
            metrics.connections_in_use(len(in_use))

    def on_checkin(_: Any, entry: ConnectionPoolEntry) -> None:
        with lock:
            in_use.discard(entry)
            metrics.connections_in_use(len(in_use))

    event.listen(pool, "checkout", on_checkout)
    event.listen(pool, "checkin", on_checkin)
