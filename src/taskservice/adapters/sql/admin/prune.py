"""Deletes what has expired, as the role that owns the tables: the trash, records, changes.

Row-level security shows that role the expired rows of all owners. Trash and changes are
deleted in each owner's name.
"""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine, bindparam, delete, func, select

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.storage.heads import owner_transaction
from taskservice.adapters.sql.storage.idempotency import DELETE_EXPIRED
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import changes, trash
from taskservice.core.changes import CLOCK_TOLERANCE, MIN_OLD_CHANGES, RETENTION
from taskservice.core.trash import Purged, purge_all

IDEMPOTENCY_KEY_TTL = timedelta(hours=24)
BATCH_SIZE = 10_000

_columns = changes.c
_own = _columns.user_id == bindparam("owner")
_is_old = _columns.at < bindparam("oldest")
_OWNERS = select(_columns.user_id).where(_is_old).group_by(_columns.user_id)
_OWNERS_OF_TRASH = (
    select(trash.c.user_id).where(trash.c.trashed_at < bindparam("before")).distinct()
)
_WITH_SEVERAL = _OWNERS.having(func.count() >= MIN_OLD_CHANGES)
_is_recent = _columns.at.between(bindparam("oldest"), bindparam("latest"))
_first_recent = select(_columns.seq).where(_own, _is_recent).order_by(_columns.seq).limit(1)
_newest = select(func.max(_columns.seq)).where(_own)
_ENDS = select(
    select(func.min(_columns.seq)).where(_own).scalar_subquery(),
    func.coalesce(_first_recent.scalar_subquery() - 1, _newest.scalar_subquery()),
)
_PRUNE = delete(changes).where(_own, _columns.seq < bindparam("end"))


def prune(engine: Engine, now: datetime) -> int:
    """Delete the idempotency records older than the TTL; return how many. Raise `Unavailable`.

    Safe to run at any time, while the service or another `prune` runs.
    """
    with transaction(engine) as connection:
        return connection.execute(DELETE_EXPIRED, {"cutoff": now - IDEMPOTENCY_KEY_TTL}).rowcount


def prune_trash(engine: Engine, before: datetime) -> int:
    """Purge the tasks that were deleted before a time; return how many. Raise `Unavailable`.

    Each batch is a transaction, in which the owner does not write. Safe to run at any time.
    """
    with transaction(engine) as connection:
        owners = connection.execute(_OWNERS_OF_TRASH, {"before": before}).scalars().all()
    return sum(_prune_trash_of(engine, owner, before) for owner in owners)


def _prune_trash_of(engine: Engine, owner: str, before: datetime) -> int:
    open_workspace = partial(SqlStorage(engine).open_workspace, owner, origin=RETENTION)
    batches = iter(partial(purge_all, open_workspace, before), Purged(0, more=False))
    return sum(one.purged for one in batches)


def prune_changes(engine: Engine, oldest: datetime, now: datetime) -> int:
    """Delete the changes before `oldest` from the log; return how many. Raise `Unavailable`.

    `core.changes.first_kept` says which are kept. Each batch is a transaction, in which the
    owner does not write. Safe to run at any time, as `prune` is.
    """
    with transaction(engine) as connection:
        owners = connection.execute(_WITH_SEVERAL, {"oldest": oldest}).scalars().all()
    return sum(_prune_owner(engine, owner, oldest, now) for owner in owners)


def _prune_owner(engine: Engine, owner: str, oldest: datetime, now: datetime) -> int:
    with owner_transaction(engine, owner) as session:
        values = {"owner": owner, "oldest": oldest, "latest": now + CLOCK_TOLERANCE}
        first, kept = session.connection.execute(_ENDS, values).one()
    if first is None:
        return 0
    ends = range(first + BATCH_SIZE, kept + BATCH_SIZE, BATCH_SIZE)
    return sum(_delete_before(engine, owner, min(end, kept)) for end in ends)


def _delete_before(engine: Engine, owner: str, end: int) -> int:
    with owner_transaction(engine, owner) as session:
        return session.connection.execute(_PRUNE, {"owner": owner, "end": end}).rowcount
