"""Recomputes the moments of tasks in a time zone, after an update of the zone data.

They are derived, and only filters read them: no version of a task changes.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, bindparam, or_, select, text, update

from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.schema import ZONE_DATA_TABLE, require_current
from taskservice.adapters.sql.tables import tasks
from taskservice.core.errors import UnusableDatabase
from taskservice.core.local_times import to_utc
from taskservice.core.zones import ZONE_DATA_VERSION

BATCH_SIZE = 1000
MAX_AGE = timedelta(days=1)
"""Moments longer ago are not recomputed: their rules are history."""

_columns = tasks.c
_has_zone = _columns.time_zone.is_not(None)
_OWNERS = select(_columns.user_id).where(_has_zone).distinct()
_is_recent = or_(
    _columns.due_utc.is_(None),
    _columns.due_utc > bindparam("since"),
    _columns.start_utc > bindparam("since"),
)
_BATCH = (
    select(
        *(_columns.id, _columns.version, _columns.time_zone),
        *(_columns.due, _columns.due_utc, _columns.start, _columns.start_utc),
    )
    .where(_columns.user_id == bindparam("owner"), _has_zone, _is_recent)
    .where(_columns.id > bindparam("after", type_=_columns.id.type))
    .order_by(_columns.id)
    .limit(bindparam("batch_size"))
)
_UPDATE = (
    update(tasks)
    .where(
        _columns.user_id == bindparam("owner"),
        _columns.id == bindparam("entity_id"),
        _columns.version == bindparam("expected_version"),
    )
    .values(due_utc=bindparam("new_due_utc"), start_utc=bindparam("new_start_utc"))
)
_FORGET = text(f"DELETE FROM {ZONE_DATA_TABLE}")  # noqa: S608
_RECORD = text(f"INSERT INTO {ZONE_DATA_TABLE} (version) VALUES (:version)")  # noqa: S608

# The policy names the role that migrated the tables, which may have another owner since.
_SEES_ALL = text("""
    SELECT bool_or(rolsuper OR rolbypassrls) OR EXISTS (
           SELECT FROM pg_policy
            WHERE polrelid = CAST('tasks' AS regclass) AND polname = 'zones'
              AND EXISTS (SELECT FROM unnest(polroles) role
                           WHERE role = 0 OR pg_has_role(role, 'USAGE')))
      FROM pg_roles WHERE rolname = current_user
""")


def rezone(engine: Engine, now: datetime) -> int:
    """Recompute the moments that are not past; return how many tasks changed.

    Each batch is a transaction, as the role that owns the tables. Safe to run again,
    and while the service runs: it leaves a task that is changed meanwhile as it is.
    Raise `SchemaOutdated`, `UnusableDatabase` or `Unavailable`.
    """
    require_current(engine)
    with transaction(engine) as connection:
        _require_all_owners(connection)
        owners = connection.execute(_OWNERS).scalars().all()
    changed = sum(_rezone_batches(engine, owner, now - MAX_AGE) for owner in owners)
    with transaction(engine) as connection:
        connection.execute(_FORGET)
        connection.execute(_RECORD, {"version": ZONE_DATA_VERSION})
    return changed


def _require_all_owners(connection: Connection) -> None:
    """Raise `UnusableDatabase` if row-level security hides tasks of other users (PostgreSQL)."""
    if connection.dialect.name == "postgresql" and not connection.execute(_SEES_ALL).scalar():
        raise UnusableDatabase(
            "this role cannot find the tasks that have a time zone: the policy zones on table "
            "tasks is for another role",
            "As the tables' owner: ALTER POLICY zones ON tasks TO CURRENT_USER",
        )


def _rezone_batches(engine: Engine, owner: str, since: datetime) -> int:
    """Recompute the moments of one owner, in the order of ids; return how many tasks changed."""
    after, changed = UUID(int=0), 0
    while True:
        with transaction(engine, owner) as connection:
            values = {"owner": owner, "since": since, "after": after, "batch_size": BATCH_SIZE}
            rows = connection.execute(_BATCH, values).all()
            changed += _update(connection, owner, rows)
        if len(rows) < BATCH_SIZE:
            return changed
        after = rows[-1].id


def _update(connection: Connection, owner: str, rows: Sequence[Any]) -> int:
    new_values = [
        {
            "owner": owner,
            "entity_id": row.id,
            "expected_version": row.version,
            "new_due_utc": to_utc(row.due, row.time_zone) or row.due_utc,
            "new_start_utc": to_utc(row.start, row.time_zone) or row.start_utc,
        }
        for row in rows
    ]
    changed = [
        new
        for new, row in zip(new_values, rows, strict=True)
        if (new["new_due_utc"], new["new_start_utc"]) != (row.due_utc, row.start_utc)
    ]
    return sum(connection.execute(_UPDATE, new).rowcount for new in changed)
