"""What became of a transaction whose COMMIT was not answered: the database knows."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from sqlalchemy import Connection, Engine

from taskservice.adapters.sql.answers import PATIENCE
from taskservice.adapters.sql.failures import BrokenOff, translated
from taskservice.core.errors import Outcome, Unavailable

CURRENT_ID = "pg_current_xact_id()::text"

PAUSE = 0.05

_STATUS = "SELECT pg_xact_status(%s::xid8)"
_OUTCOMES: dict[str | None, Outcome] = {"aborted": "not_applied"}


@contextmanager
def known_outcome(connection: Connection, transaction_id: str | None) -> Iterator[None]:
    """Find out whether the transaction that the block commits on `connection` was committed.

    Where its answer was lost, and it was, the block ends as if it had come.
    Where it was not, `Unavailable` says so, and where nobody can tell, that.
    """
    try:
        yield
    except BrokenOff as error:
        if transaction_id is None:
            raise
        connection.close()
        if (status := _status(connection.engine, transaction_id)) != "committed":
            raise Unavailable(str(error), _OUTCOMES.get(status, "unknown")) from error


def _status(engine: Engine, transaction_id: str) -> str | None:
    """Return how the transaction has ended, None where that cannot be known in time."""
    deadline = monotonic() + PATIENCE
    status = None
    while status in {None, "in progress"} and monotonic() < deadline:
        sleep(PAUSE)
        status = _present_status(engine, transaction_id)
    return status


def _present_status(engine: Engine, transaction_id: str) -> str | None:
    try:
        with translated(), engine.connect() as connection:
            status: str | None = connection.exec_driver_sql(_STATUS, (transaction_id,)).scalar()
            return status
    except Unavailable:
        return None
