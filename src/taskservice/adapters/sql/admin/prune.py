"""Removing what has expired, as the maintenance role: receipts, after a day."""

from datetime import datetime, timedelta

from sqlalchemy import Engine

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.idempotency import EXPIRED

KEPT = timedelta(hours=24)


def prune(engine: Engine, now: datetime) -> int:
    """Remove the receipts that are over 24 hours old; return how many. Raises `Unavailable`.

    It may run at any time, beside the service and beside itself.
    """
    with transaction(engine) as connection:
        return connection.execute(EXPIRED, {"until": now - KEPT}).rowcount
