"""SQLite connections: pragmas, write-ahead log (WAL), and detection of a replaced file."""

import os
from collections.abc import Mapping
from contextlib import suppress
from sqlite3 import SQLITE_BUSY, Connection, Error, OperationalError
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from taskservice.core.errors import Unavailable, UnusableDatabase

BUSY_TIMEOUT_SECONDS = 5
RETRY_PAUSE_SECONDS = 0.01
SYNCHRONOUS_FULL = 2
"""The value of `synchronous=FULL`: SQLite syncs each commit."""
LOCAL_DISK_ADVICE = "Put it on a local disk, which SQLite needs for its write-ahead log"
_FILE_REPLACED = (
    "the database file was removed or replaced while the service ran: "
    "stop the service, put the file back, and start it"
)


def configure_connection(connection: Connection, _: object = None) -> None:
    """Set the pragmas that every connection needs, for any file."""
    _set_pragmas(
        connection,
        {
            "busy_timeout": BUSY_TIMEOUT_SECONDS * 1000,
            "synchronous": SYNCHRONOUS_FULL,
            "foreign_keys": 1,
        },
    )


def enable_wal(connection: Connection, _: object = None) -> None:
    """Enable the write-ahead log, with which readers and a writer do not block one another.

    The setting is stored in the file, so do not call this for a file that may
    belong to another application. Raise `UnusableDatabase` if SQLite cannot
    enable it, and `Unavailable` if other connections lock the file for too long.
    """
    deadline = monotonic() + BUSY_TIMEOUT_SECONDS
    while not _try_enable_wal(connection):
        if monotonic() > deadline:
            raise Unavailable("database error: database is locked")
        sleep(RETRY_PAUSE_SECONDS)


def _try_enable_wal(connection: Connection) -> bool:
    """Enable the write-ahead log unless the file is locked: SQLite does not wait for it here."""
    try:
        _set_pragmas(connection, {"journal_mode": "wal"})
    except OperationalError as error:
        if error.sqlite_errorcode != SQLITE_BUSY:
            raise
        return False
    return True


def _set_pragmas(connection: Connection, pragmas: Mapping[str, object]) -> None:
    """Set pragmas and read them back, as SQLite silently ignores those that it cannot set."""
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name} = {value}")
        (actual,) = connection.execute(f"PRAGMA {name}").fetchone()
        if actual != value:
            raise UnusableDatabase(
                f"the file's {name} is {actual}, and must be {value}", LOCAL_DISK_ADVICE
            )


def hold_connection_open(engine: Engine) -> None:
    """Open an unused connection, and close it when `engine` is disposed of.

    SQLite deletes the WAL index (`-shm`) with the last connection. On a full disk
    it could not create it again, and reads would fail. The connection holds no
    lock, and may cross a fork because it is never used. If the file cannot be
    opened, do nothing.
    """
    arguments, options = engine.dialect.create_connect_args(engine.url)
    with suppress(Error, Unavailable):
        connection: Any = engine.dialect.connect(*arguments, **options)
        event.listen(engine, "engine_disposed", lambda _: connection.close())
        enable_wal(connection)


def refuse_replaced_file(engine: Engine) -> None:
    """Refuse connections of `engine` if its file is no longer the one opened first.

    Writes to a removed file would be acknowledged, and lost with the process.
    The pool raises `Unavailable`.
    """
    first_identities: dict[str, tuple[int, int]] = {}

    def check(*_: Any) -> None:
        for path, identity in first_identities.items():
            if _file_identity(path) != identity:
                raise Unavailable(_FILE_REPLACED)

    def remember(connection: Any, _: ConnectionPoolEntry) -> None:
        path = connection.execute("PRAGMA database_list").fetchone()[2]
        if identity := _file_identity(path):
            first_identities.setdefault(path, identity)

    event.listen(engine, "do_connect", check)
    event.listen(engine, "connect", remember)
    event.listen(engine.pool, "checkout", check)


def _file_identity(path: str) -> tuple[int, int] | None:
    """Return device and inode of a file, None if it does not exist."""
    try:
        status = os.stat(path)  # noqa: PTH116 - runs at each checkout, and is faster than Path.stat
    except OSError:
        return None
    return status.st_dev, status.st_ino
