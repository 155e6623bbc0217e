"""Commit outcome: asks PostgreSQL whether a transaction committed when COMMIT got no response."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError

from taskservice.adapters.sql.connection.errors import ConnectionLost, translate_errors
from taskservice.adapters.sql.connection.retries import RETRY_TIMEOUT
from taskservice.core.errors import Unavailable
from taskservice.core.operations.metrics import NO_METRICS, Metrics, WriteOutcome

IsCommitted = Callable[[], bool | None]
"""Returns whether the rows of a transaction are there, None if that cannot be known."""

CURRENT_TRANSACTION_ID = "pg_current_xact_id()::text"
METRICS_OPTION = "taskservice_metrics"
"""The engine's execution option that holds the `Metrics` which count outcomes."""

POLL_INTERVAL = 0.05

# After a failover the address may lead to a standby, which may lack the last commits.
_STATUS_QUERY = "SELECT CASE WHEN NOT pg_is_in_recovery() THEN pg_xact_status(%s::xid8) END"
_CONFIRMED = {True: "committed", False: "aborted", None: "unknown"}
_OUTCOMES: dict[str | None, WriteOutcome] = {"committed": "applied", "aborted": "not_applied"}


@contextmanager
def resolve_commit_outcome(
    connection: Connection, transaction_id: str | None, is_committed: IsCommitted
) -> Iterator[None]:
    """Resolve whether the transaction that the block commits on `connection` was committed.

    If the connection breaks and the transaction was committed, the block ends
    normally. If not, raise `Unavailable` with the outcome `not_applied`, or
    `unknown` if the status cannot be read in time. Either way the engine's metrics
    count the outcome. `is_committed` looks at the written rows, and returns None if
    that is not certain: after a crash PostgreSQL may assign the same id to another
    transaction.
    """
    try:
        yield
    except ConnectionLost as error:
        if transaction_id is None:
            raise
        connection.close()
        status = _await_status(connection.engine, transaction_id, is_committed)
        outcome = _OUTCOMES.get(status, "unknown")
        _count(connection.engine, outcome)
        if outcome != "applied":
            raise Unavailable(str(error), outcome) from error


def _count(engine: Engine, outcome: WriteOutcome) -> None:
    metrics: Metrics = engine.get_execution_options().get(METRICS_OPTION, NO_METRICS)
    metrics.commit_resolved(outcome)


def _await_status(engine: Engine, transaction_id: str, is_committed: IsCommitted) -> str | None:
    """Return the final status of the transaction, None if it is not known in time."""
    deadline = monotonic() + RETRY_TIMEOUT
    status = None
    while status in {None, "in progress"} and monotonic() < deadline:
        sleep(POLL_INTERVAL)
        status = _read_status(engine, transaction_id, is_committed)
    return status


def _read_status(engine: Engine, transaction_id: str, is_committed: IsCommitted) -> str | None:
    try:
        with translate_errors():
            with engine.connect() as connection:
                status = connection.exec_driver_sql(_STATUS_QUERY, (transaction_id,)).scalar()
            return _CONFIRMED[is_committed()] if status == "committed" else status
    except DataError:
        # The id is in the future: a crash has lost its assignment.
        return "aborted"
    except Unavailable:
        return None
