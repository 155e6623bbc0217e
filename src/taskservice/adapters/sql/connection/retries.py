"""Retries an operation after a lost connection."""

from collections.abc import Callable
from random import uniform
from time import monotonic, sleep
from typing import TypeVar

from taskservice.adapters.sql.connection.errors import ConnectionLost
from taskservice.core.errors import Unavailable

T = TypeVar("T")

RETRY_TIMEOUT = 2.0
"""How long an operation is retried, in seconds."""
MAX_PAUSE = 0.05


def retry_on_disconnect(operation: Callable[[], T]) -> T:
    """Return the result of `operation`, and retry it for `RETRY_TIMEOUT` if the connection broke.

    A retried `operation` must find out what its earlier attempts have done.
    Raise `Unavailable` if all attempts fail, with the outcome of the first
    attempt, which may have been applied.
    """
    try:
        return operation()
    except ConnectionLost as error:
        return _retry(operation, error)


def _retry(operation: Callable[[], T], first: ConnectionLost) -> T:
    deadline = monotonic() + RETRY_TIMEOUT
    while True:
        try:
            return operation()
        except Unavailable as error:
            is_final = error.outcome == "unknown" and not isinstance(error, ConnectionLost)
            if is_final or monotonic() > deadline:
                raise Unavailable(str(error), first.outcome) from error
        sleep(uniform(0, MAX_PAUSE))  # noqa: S311
