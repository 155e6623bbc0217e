"""What the database has of some users, read past the service."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, RowMapping, Select, Table, select
from tests.faults.seen import Log, LoggedChange, Seen

from taskservice.adapters.sql.tables import (
    changes,
    heads,
    idempotency_keys,
    lists,
    tasks,
    trash,
)

# A table that is rewritten is empty for a snapshot that is older, so it is locked before.
BEGIN = {
    "postgresql": "BEGIN ISOLATION LEVEL REPEATABLE READ; "
    "LOCK tasks, trash, lists IN ACCESS SHARE MODE",
    "sqlite": "BEGIN",
}


def snapshot(engine: Engine, users: Sequence[str]) -> tuple[Seen, ...]:
    """Return the tasks, trash and lists of these users, all as they are at one moment."""
    with engine.connect() as connection:
        connection.exec_driver_sql(BEGIN[engine.dialect.name])
        task_rows, trash_rows, list_rows = (
            [_in_json(row) for row in connection.execute(_select(table, users)).mappings()]
            for table in (tasks, trash, lists)
        )
    return (*map(Seen.of, [*task_rows, *trash_rows]), *map(Seen.of_list, list_rows))


def idempotency_records(engine: Engine, users: Sequence[str]) -> dict[tuple[str, str], str | None]:
    """Return for each user and key the id in the stored response; see `FinalState`."""
    with engine.connect() as connection:
        found = connection.execute(_select(idempotency_keys, users))
        return {(row.user_id, row.key): _id_in(row.result) for row in found}


def log(engine: Engine, users: Sequence[str]) -> Log:
    """Return the change log of these users."""
    with engine.connect() as connection:
        found = connection.execute(_select(changes, users).order_by(changes.c.seq))
        logged = [
            LoggedChange(
                *(row.user_id, row.seq, row.type, str(row.entity_id), row.version),
                *(row.request_id, _previous(row.previous)),
            )
            for row in found
        ]
        numbers = connection.execute(_select(heads, users))
        return Log(tuple(logged), {row.user_id: row.seq for row in numbers})


def _select(table: Table, users: Sequence[str]) -> Select[Any]:
    return select(table).where(table.c.user_id.in_(users)).order_by(table.c.user_id)


def _previous(stored: Any) -> Any:
    """Return the previous values, which SQLite has as text."""
    return json.loads(stored) if isinstance(stored, str) else stored


def _id_in(result: bytes) -> str | None:
    """Return the id of the task or list in a stored response, None if it has none."""
    _, _, body = result.partition(b"\n")
    return json.loads(body).get("id") if body else None


def _in_json(row: RowMapping) -> dict[str, Any]:
    """Return what matters of a row as the API shows it."""
    return {name: _value_in_json(value) for name, value in row.items()}


def _value_in_json(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
    return value
