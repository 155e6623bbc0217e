"""What is told of the pool: who waits, who gives up, how many connections are in use."""

from pathlib import Path

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from tests.homes import sqlite_home

from taskservice.adapters.sql.engine import database_url, pooled_engine
from taskservice.adapters.sql.sessions import Timeouts
from taskservice.core.watching import Watch


class Recorder(Watch):
    """Keeps what it hears of a pool."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def pool_made(self, size: int) -> None:
        self.heard.append(("size", size))

    def connections_in_use(self, count: int) -> None:
        self.heard.append(("in use", count))

    def waiting(self, change: int) -> None:
        self.heard.append(("waiting", change))

    def gave_up(self) -> None:
        self.heard.append("gave up")


def test_who_watches_hears_of_the_pool(tmp_path: Path) -> None:
    """Each connection that is taken and returned, and whoever waited in vain for the only one."""
    watch = Recorder()
    engine = pooled_engine(
        database_url(sqlite_home(tmp_path)),
        pool_size=1,
        pool_timeout=0.01,
        prepared_statements=False,
        timeouts=Timeouts(statement=3, lock=1),
        watch=watch,
    )
    with engine.connect(), pytest.raises(PoolTimeoutError):
        engine.connect()
    with engine.connect() as connection:
        connection.invalidate()
    engine.dispose()
    with engine.connect():
        pass
    engine.dispose()
    taken = [("waiting", 1), ("in use", 1), ("waiting", -1)]
    assert watch.heard == [
        ("size", 1),
        *taken,
        *[("waiting", 1), "gave up", ("waiting", -1)],
        ("in use", 0),
        *[*taken, ("in use", 0)] * 2,
    ]
