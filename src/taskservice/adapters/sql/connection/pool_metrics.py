"""A pool that is watched: how many connections are in use, and who waits for one."""

from threading import Lock
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, Pool, PoolProxiedConnection, QueuePool

from taskservice.core.operations.metrics import Watch


def watched_pool(watch: Watch) -> type[QueuePool]:
    """Return a kind of pool that tells `watch` who waits for a connection, and who in vain."""

    class WatchedPool(QueuePool):
        def connect(self) -> PoolProxiedConnection:
            watch.waiting(1)
            try:
                return super().connect()
            except PoolTimeoutError:
                watch.gave_up()
                raise
            finally:
                watch.waiting(-1)

    return WatchedPool


def watch_use(pool: Pool, watch: Watch) -> None:
    """Tell `watch` how many connections are in use, whenever that changes."""
    in_use: set[ConnectionPoolEntry] = set()
    lock = Lock()

    def taken(_: Any, entry: ConnectionPoolEntry, __: Any) -> None:
        with lock:
            in_use.add(entry)
            watch.connections_in_use(len(in_use))

    def returned(_: Any, entry: ConnectionPoolEntry) -> None:
        with lock:
            in_use.discard(entry)
            watch.connections_in_use(len(in_use))

    event.listen(pool, "checkout", taken)
    event.listen(pool, "checkin", returned)
