"""Connections that are made and then refused, for what they lead to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def closed_if_refused(connection: Any) -> Iterator[None]:
    """Close the driver's `connection` where looking at it fails: it takes one of few places."""
    try:
        yield
    except BaseException:
        connection.close()
        raise
