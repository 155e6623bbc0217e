"""What the database could not do, in the words of the core."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from taskservice.core.errors import Outcome, Unavailable

INSUFFICIENT_PRIVILEGE = "42501"


@contextmanager
def translated(if_cut: Outcome = "not_applied") -> Iterator[None]:
    """Raise `Unavailable` for what the database or the pool could not do.

    `if_cut` is what is known of a write whose connection broke before the
    answer came; a defect of ours passes as it is.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise Unavailable("no database connection became free in time") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable("the database connection broke", if_cut) from error
        if isinstance(error, OperationalError) or _lacks_permission(error):
            raise Unavailable(f"the database refuses: {_reason(error)}") from error
        raise


def _lacks_permission(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) == INSUFFICIENT_PRIVILEGE


def _reason(error: DBAPIError) -> str:
    """Return what the driver said, without the address that it said it of."""
    text = str(error.orig)
    if "resolve host" in text:
        return "its host name cannot be resolved"
    return text.rsplit("failed: ", 1)[-1].partition("\n")[0]
