"""Commit outcome: finds out whether a transaction was committed if COMMIT got no response."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from sqlalchemy import Connection, Engine

from taskservice.adapters.sql.connection.errors import ConnectionLost, translate_errors
from taskservice.adapters.sql.connection.retries import RETRY_TIMEOUT
from taskservice.core.errors import Unavailable
from taskservice.core.operations.metrics import NO_METRICS, Metrics, WriteOutcome

IsCommitted = Callable[[], bool]
"""Returns whether a transaction was committed, once it has ended."""

METRICS_OPTION = "taskservice_metrics"
"""The engine's execution option that holds the `Metrics` which count outcomes."""

POLL_INTERVAL = 0.05


@contextmanager
def resolve_commit_outcome(
    connection: Connection, is_committed: IsCommitted | None
) -> Iterator[None]:
    """Resolve whether the transaction that the block commits on `connection` was committed.

    If the connection breaks and `is_committed`, the block ends normally. If not, raise
    `Unavailable` with the outcome `not_applied`, or `unknown` if nothing can tell in
    time. Either way the engine's metrics count the outcome.
    """
    try:
        yield
    except ConnectionLost as error:
        if is_committed is None:
            raise
        connection.close()
        outcome = _await_outcome(is_committed)
        _count(connection.engine, outcome)
        if outcome != "applied":
            raise Unavailable(str(error), outcome) from error


def _count(engine: Engine, outcome: WriteOutcome) -> None:
    metrics: Metrics = engine.get_execution_options().get(METRICS_OPTION, NO_METRICS)
    metrics.commit_resolved(outcome)


def _await_outcome(is_committed: IsCommitted) -> WriteOutcome:
    deadline = monotonic() + RETRY_TIMEOUT
    while monotonic() < deadline:
        sleep(POLL_INTERVAL)
        try:
            with translate_errors():
                return "applied" if is_committed() else "not_applied"
        except Unavailable:
            continue
    return "unknown"
