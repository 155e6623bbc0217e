"""What became of a transaction whose COMMIT was not answered: the database knows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError

from taskservice.adapters.sql.connection.errors import ConnectionLost, translate_errors
from taskservice.adapters.sql.connection.retries import PATIENCE
from taskservice.core.errors import Outcome, Unavailable

CURRENT_ID = "pg_current_xact_id()::text"

PAUSE = 0.05

# A standby, which an address may lead to after a failover, has not heard of all that was committed.
_STATUS = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_xact_status(%s::xid8) END"
_OUTCOMES: dict[str | None, Outcome] = {"aborted": "not_applied"}


@contextmanager
def resolve_commit_outcome(
    connection: Connection, transaction_id: str | None, is_committed: Callable[[], bool]
) -> Iterator[None]:
    """Find out whether the transaction that the block commits on `connection` was committed.

    Where its answer was lost, and it was, the block ends as if it had come.
    Where it was not, `Unavailable` says so, and where nobody can tell, that.
    `is_committed` looks for what it wrote: after a crash PostgreSQL gives its id to
    another transaction, where its own end was not written down.
    """
    try:
        yield
    except ConnectionLost as error:
        if transaction_id is None:
            raise
        connection.close()
        if (status := _status(connection.engine, transaction_id, is_committed)) != "committed":
            raise Unavailable(str(error), _OUTCOMES.get(status, "unknown")) from error


def _status(engine: Engine, transaction_id: str, is_committed: Callable[[], bool]) -> str | None:
    """Return how the transaction has ended, None where that cannot be known in time."""
    deadline = monotonic() + PATIENCE
    status = None
    while status in {None, "in progress"} and monotonic() < deadline:
        sleep(PAUSE)
        status = _present_status(engine, transaction_id, is_committed)
    return status


def _present_status(
    engine: Engine, transaction_id: str, is_committed: Callable[[], bool]
) -> str | None:
    try:
        with translate_errors():
            with engine.connect() as connection:
                status = connection.exec_driver_sql(_STATUS, (transaction_id,)).scalar()
            return "aborted" if status == "committed" and not is_committed() else status
    except DataError:
        # An id that was not given to anybody yet: a crash has taken it back.
        return "aborted"
    except Unavailable:
        return None
