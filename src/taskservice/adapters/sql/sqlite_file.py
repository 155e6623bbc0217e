"""The file of an SQLite database: the one that was opened, as long as the process lives."""

import os
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from taskservice.core.errors import Unavailable

_MOVED = (
    "the database file was removed or replaced while the service ran: "
    "stop the service, put the file back, and start it"
)


def pin_file(engine: Engine) -> None:
    """Refuse connections of `engine` once its path names another file than at the first.

    What is written to a file that was removed is acknowledged, and lost with
    the process. Raises `Unavailable` from the pool.
    """
    pinned: dict[str, tuple[int, int]] = {}

    def check(*_: Any) -> None:
        for path, identity in pinned.items():
            if _identity(path) != identity:
                raise Unavailable(_MOVED)

    def pin(connection: Any, _: ConnectionPoolEntry) -> None:
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if path and (identity := _identity(path)):
            pinned.setdefault(path, identity)

    event.listen(engine, "do_connect", check)
    event.listen(engine, "connect", pin)
    event.listen(engine.pool, "checkout", check)


def _identity(path: str) -> tuple[int, int] | None:
    """Return what names a file whatever its path, None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - at each checkout, and faster than a Path's
    except OSError:
        return None
    return found.st_dev, found.st_ino
