"""How connections to an SQLite file are set up, and one that stays open."""

from collections.abc import Mapping
from contextlib import suppress
from sqlite3 import Connection, Error
from typing import Any

from sqlalchemy import Engine, event

from taskservice.core.errors import Unfit

BUSY_SECONDS = 5
FULL = 2
"""SQLite's number of `synchronous=FULL`: each commit is synced."""
LOCAL_DISK = "Put it on a local disk, which SQLite needs for its write-ahead log"


def set_up(connection: Connection, _: object = None) -> None:
    """Set what must hold for a connection, whatever file it is to."""
    _set(connection, {"busy_timeout": BUSY_SECONDS * 1000, "synchronous": FULL, "foreign_keys": 1})


def log_ahead(connection: Connection, _: object = None) -> None:
    """Have readers and a writer not wait for one another: the file remembers it.

    For a file that is ours for sure: a look must not change another application's.
    Raises `Unfit` where SQLite cannot have such a log.
    """
    _set(connection, {"journal_mode": "wal"})


def _set(connection: Connection, wanted: Mapping[str, object]) -> None:
    """Set pragmas, and look whether they hold: SQLite passes over what it cannot follow."""
    for name, value in wanted.items():
        connection.execute(f"PRAGMA {name} = {value}")
        (found,) = connection.execute(f"PRAGMA {name}").fetchone()
        if found != value:
            raise Unfit(f"the file's {name} is {found}, and must be {value}", LOCAL_DISK)


def stay_open(engine: Engine) -> None:
    """Open a connection that nobody uses, and keep it until `engine` is disposed of.

    The last one that closes removes the index of the log (`-shm`). To make it
    again takes room: on a full disk nothing could be read. It holds no lock
    that anybody waits for, and what is never used may cross a fork. A file that
    cannot be opened now is left to its first user.
    """
    arguments, options = engine.dialect.create_connect_args(engine.url)
    with suppress(Error, Unfit):
        kept: Any = engine.dialect.connect(*arguments, **options)
        event.listen(engine, "engine_disposed", lambda _: kept.close())
        set_up(kept)
        log_ahead(kept)
