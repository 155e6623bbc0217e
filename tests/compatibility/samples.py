"""Samples of the data of earlier forms, each written by the last version of its form.

`form_N.json` has requests with their responses, the idempotency records and the tasks that
they left, and the link of a page; from form 3 on also the rows, and what lists have; from form 4
on also the rows of lists.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import UUID

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Uuid, insert
from sqlalchemy.types import NULLTYPE, TypeEngine
from tests.compatibility.conftest import partition

from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.column_types import UtcDateTime
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.tables import idempotency_keys

SCHEMA_VERSIONS = {2: "0005", 3: "0007", 4: "0008"}
"""The last version of the database schema of each form."""

Json = dict[str, Any]


def in_current_form(entity: Json) -> Json:
    """Return a task or a list of an earlier form as responses and exports have it now."""
    return entity if "name" in entity else _task_in_current_form(entity)


def _task_in_current_form(task: Json) -> Json:
    newer: Json = {
        "status": "completed" if task["completed"] else "needs-action",
        **dict.fromkeys(("due", "start", "time_zone", "priority"), None),
        "labels": [],
        **dict.fromkeys(("list_id", "parent_id"), None),
        "position": f"{task['id'].replace('-', '')[:12]}1",
        **dict.fromkeys(("recurrence", "occurrence", "series_id", "next_id"), None),
        "repeats_from": "schedule",
    }
    return newer | task


def first_row(task: Json) -> Json:
    """Return the row that the last version of form 2 stored."""
    search_text = f"{task['title']}\x1f{task['description'] or ''}".casefold()
    return {**task, "search_text": search_text}


def without_plans(tasks: Sequence[Json]) -> dict[str, list[str]]:
    """Return the ids that lists find of tasks that have no due date, start and labels."""
    ids = [task["id"] for task in tasks[::-1]]
    return {"?has_due=true": [], "?labels_any=home": [], "?available_at=1970-01-01": ids}


class Sample(NamedTuple):
    """The sample of a form."""

    form: int
    requests: Sequence[Json]
    records: Sequence[Json]
    tasks: Sequence[Json]
    rows: Sequence[Json]
    lists: dict[str, list[str]]
    link: str
    task_lists: Sequence[Json] = ()

    @classmethod
    def of(cls, form: int) -> Self:
        """Return the sample of a form."""
        stored = json.loads((Path(__file__).parent / f"form_{form}.json").read_text())
        rows = [first_row(task) for task in stored["tasks"]]
        return cls(form, **{"rows": rows, "lists": without_plans(stored["tasks"]), **stored})

    def store(self, engine: Engine, partitions: int) -> None:
        """Store the sample at the last schema version of its form, and upgrade."""
        upgrade(engine, SCHEMA_VERSIONS[self.form])
        with transaction(engine) as connection:
            tables = {"lists": self.task_lists} if self.task_lists else {}
            partition(connection, ("idempotency_keys", *tables, "tasks"), partitions)
            for name, rows in {**tables, "tasks": self.rows}.items():
                insert_rows(connection, name, rows)
            records = [_record(one) for one in self.records]
            connection.execute(insert(idempotency_keys), records)
        upgrade(engine)


def insert_rows(connection: Connection, name: str, rows: Sequence[Json]) -> None:
    """Insert rows with the columns that they have, without the conversions of this version."""
    columns = [Column(column, _type_of(column)) for column in rows[0]]
    values = [{column: _value(column, value) for column, value in row.items()} for row in rows]
    connection.execute(insert(Table(name, MetaData(), *columns)), values)


def _type_of(column: str) -> TypeEngine[Any]:
    if column in {"id", "list_id", "parent_id"}:
        return Uuid()
    return UtcDateTime() if column.endswith(("_at", "_utc")) else NULLTYPE


def _value(column: str, value: Any) -> Any:
    match _type_of(column):
        case Uuid():
            return value and UUID(value)
        case UtcDateTime():
            return value and datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value


def _record(stored: Json) -> Json:
    """Return the row of an idempotency record."""
    octets, result = bytes.fromhex(stored["fingerprint"]), stored["result"].encode()
    created_at = datetime(2026, 2, 9, 10, tzinfo=UTC)
    return {**stored, "fingerprint": octets, "result": result, "created_at": created_at}
