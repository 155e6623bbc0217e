"""Connections to an SQLite file: how they are set up, one that stays open, and the file itself."""

import os
from collections.abc import Mapping
from contextlib import suppress
from sqlite3 import Connection, Error
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from taskservice.core.errors import Unavailable, UnusableDatabase

BUSY_SECONDS = 5
FULL = 2
"""SQLite's number of `synchronous=FULL`: each commit is synced."""
LOCAL_DISK = "Put it on a local disk, which SQLite needs for its write-ahead log"
_MOVED = (
    "the database file was removed or replaced while the service ran: "
    "stop the service, put the file back, and start it"
)


def set_up(connection: Connection, _: object = None) -> None:
    """Set what must hold for a connection, whatever file it is to."""
    _set(connection, {"busy_timeout": BUSY_SECONDS * 1000, "synchronous": FULL, "foreign_keys": 1})


def enable_wal(connection: Connection, _: object = None) -> None:
    """Have readers and a writer not wait for one another: the file remembers it.

    For a file that is ours for sure: a look must not change another application's.
    Raises `UnusableDatabase` where SQLite cannot have such a log.
    """
    _set(connection, {"journal_mode": "wal"})


def _set(connection: Connection, wanted: Mapping[str, object]) -> None:
    """Set pragmas, and look whether they hold: SQLite passes over what it cannot follow."""
    for name, value in wanted.items():
        connection.execute(f"PRAGMA {name} = {value}")
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise UnusableDatabase(f"the file's {name} is {found}, and must be {value}", LOCAL_DISK)


def stay_open(engine: Engine) -> None:
    """Open a connection that nobody uses, and keep it until `engine` is disposed of.

    The last one that closes removes the index of the log (`-shm`). To make it
    again takes room: on a full disk nothing could be read. It holds no lock
    that anybody waits for, and what is never used may cross a fork. A file that
    cannot be opened now is left to its first user.
    """
    arguments, options = engine.dialect.create_connect_args(engine.url)
    with suppress(Error, UnusableDatabase):
        kept: Any = engine.dialect.connect(*arguments, **options)
        event.listen(engine, "engine_disposed", lambda _: kept.close())
        set_up(kept)
        enable_wal(kept)


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
