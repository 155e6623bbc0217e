"""Deletes expired idempotency records, as the role that owns the tables."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.idempotency import DELETE_EXPIRED

IDEMPOTENCY_KEY_TTL = timedelta(hours=24)


def prune(engine: Engine, now: datetime) -> int:
    """Delete the idempotency records older than the TTL; return how many. Raise `Unavailable`.

    Safe to run at any time, while the service or another `prune` runs.
    """
    with transaction(engine) as connection:
        return connection.execute(DELETE_EXPIRED, {"cutoff": now - IDEMPOTENCY_KEY_TTL}).rowcount
