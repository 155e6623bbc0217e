"""How a connection to an SQLite file is set up."""

from collections.abc import Mapping
from sqlite3 import Connection

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
