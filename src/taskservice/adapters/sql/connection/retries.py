"""Asking the database again where it broke off before it answered."""

from collections.abc import Callable
from random import uniform
from time import monotonic, sleep
from typing import TypeVar

from taskservice.adapters.sql.connection.errors import ConnectionLost
from taskservice.core.errors import Unavailable

T = TypeVar("T")

PATIENCE = 2.0
"""How long to ask again, in seconds."""
LONGEST_PAUSE = 0.05


def answered(ask: Callable[[], T]) -> T:
    """Return what `ask` returns, and ask again, for a bounded time, where the connection broke.

    `ask` must find out by itself what an earlier call of it has done. Where
    none is answered in time, `Unavailable` is raised with the outcome of the
    first, which may have been done.
    """
    try:
        return ask()
    except ConnectionLost as error:
        return _asked_again(ask, error)


def _asked_again(ask: Callable[[], T], first: ConnectionLost) -> T:
    deadline = monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except Unavailable as error:
            is_final = error.outcome == "unknown" and not isinstance(error, ConnectionLost)
            if is_final or monotonic() > deadline:
                raise Unavailable(str(error), first.outcome) from error
        sleep(uniform(0, LONGEST_PAUSE))  # noqa: S311
