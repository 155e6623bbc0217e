"""Many tasks, the queries that must stay quick over them, and the plans that databases make."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cache, reduce
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Engine, Table, event, text

from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import (
    ENTITY_TABLES,
    OWNED_TABLES,
    changes,
    heads,
    tasks,
)
from taskservice.core.fields import fields_of
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.kinds import Integer
from taskservice.core.query import Sort, sort_fields
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import TaskService, Workspace
from taskservice.testing import START, tasks_of

BIG = "big"
STEP = timedelta(seconds=1)
BATCH = 10_000

TODAY, DAY = date(2026, 11, 29), timedelta(days=1)
NOON = datetime(2026, 11, 29, 12)
ZONES = [
    *("Europe/Berlin", "America/New_York", "Asia/Tokyo"),
    *("America/Los_Angeles", "Pacific/Kiritimati"),
]

# Plans are taken as the role sees them, under the row-level policy, with an owner for good.
IN_THE_NAME = "ALTER ROLE {role} SET taskservice.owner = '{owner}'"

_new_id = TimeOrderedIds()


@cache
def list_of(owner: str) -> TaskList:
    """Return the list of a user, which has a quarter of the tasks."""
    return TaskList.create(owner, START, _new_id, NewTaskList(name="Groceries"))


@cache
def parent_of(owner: str) -> UUID:
    """Return the id of the task of a user that has sub-tasks, which is the second one."""
    return _new_id(START + STEP)


@cache
def series_of(owner: str) -> UUID:
    """Return the id of the series of a user, which has a fiftieth of the tasks."""
    return _new_id(START)


def orders() -> dict[str, TaskQuery]:
    """Return, by name, the first page of each manual order: of a list, the inbox and a parent."""
    siblings = {
        "list_id": TaskQuery(list_id=(list_of(BIG).id,)),
        "list_id=inbox": TaskQuery(list_id=(None,)),
        "parent_id": TaskQuery(parent_id=(parent_of(BIG),)),
        "list_id, parent_id=none": TaskQuery(list_id=(list_of(BIG).id,), parent_id=(None,)),
        "list_id=inbox, parent_id=none": TaskQuery(list_id=(None,), parent_id=(None,)),
    }
    return {
        f"{name}, sort={'-' * descending}position": replace(
            query, sort=Sort(field="position", descending=descending)
        )
        for name, query in siblings.items()
        for descending in (True, False)
    }


def queries(big: int) -> dict[str, TaskQuery]:
    """Return, by name, the first page of every sort and of the common filters over `big` tasks."""
    middle = START + big // 2 * STEP
    found = {
        f"sort={'-' * descending}{field}": TaskQuery(sort=Sort(field=field, descending=descending))
        for field in sort_fields(Task)
        if field != "position"
        for descending in (True, False)
    }
    by_change = Sort(field="updated_at")
    overdue = TaskQuery(completed=False, due_before=NOON, time_zone="Europe/Berlin")
    today = TaskQuery(due_after=TODAY, due_before=TODAY + DAY, time_zone="Europe/Berlin")
    by_due = Sort(field="due", descending=False)
    in_order = orders()
    return {
        **found,
        **in_order,
        "list_id, completed=false, sort=position": replace(
            in_order["list_id, sort=position"], completed=False
        ),
        "list_id": TaskQuery(list_id=(list_of(BIG).id,)),
        "list_id=inbox": TaskQuery(list_id=(None,)),
        "parent_id=none": TaskQuery(parent_id=(None,)),
        "series_id": TaskQuery(series_id=series_of(BIG)),
        "series_id, completed=false": TaskQuery(series_id=series_of(BIG), completed=False),
        "overdue, sort=due": replace(overdue, sort=by_due),
        "overdue, sort=-due": replace(overdue, sort=Sort(field="due")),
        "overdue, sort=-created_at": overdue,
        "overdue, sort=-updated_at": replace(overdue, sort=by_change),
        "today, sort=due": replace(today, sort=by_due),
        "due_after, sort=due": TaskQuery(due_after=TODAY, sort=by_due),
        "has_due=true, sort=due": TaskQuery(has_due=True, sort=by_due),
        "has_due=false": TaskQuery(has_due=False),
        "has_due=true, sort=-created_at": TaskQuery(has_due=True),
        "available_at": TaskQuery(available_at=NOON),
        "status=in-process": TaskQuery(status=("in-process",)),
        "status=needs-action,in-process": TaskQuery(status=("in-process", "needs-action")),
        "priority=high,none": TaskQuery(priority=(None, 1, 2, 3, 4)),
        "labels_any": TaskQuery(labels_any=("home", "garden")),
        "labels_all": TaskQuery(labels_all=("home", "work")),
        "completed=false": TaskQuery(completed=False),
        "completed=true": TaskQuery(completed=True),
        "created_after": TaskQuery(created_after=middle),
        "created_before": TaskQuery(created_before=middle),
        "updated_after, sort=-updated_at": TaskQuery(updated_after=middle, sort=by_change),
        "completed=false, sort=-title": TaskQuery(completed=False, sort=Sort(field="title")),
        "completed=false, sort=-updated_at": TaskQuery(completed=False, sort=by_change),
    }


def fill(engine: Engine, count: int, big: int) -> None:
    """Store `count` tasks: `big` of one user, the others in hundreds; every third is completed.

    Each has a change in the log.
    """
    owners = {_owner(n, big) for n in range(count)}
    with engine.connect() as connection:
        lists = [_list_row(owner) for owner in owners]
        _insert(connection, ENTITY_TABLES[TaskList], lists)
        for first in range(0, count, BATCH):
            rows = [_row(n, big) for n in range(first, min(first + BATCH, count))]
            _insert(connection, ENTITY_TABLES[Task], rows)
            log = [_change(n, big, row) for n, row in enumerate(rows, first)]
            _insert(connection, changes, log)
        newest = dict.fromkeys(owners, 0) | {_owner(n, big): _number(n, big) for n in range(count)}
        _insert(connection, heads, [{"user_id": one, "seq": seq} for one, seq in newest.items()])
        if engine.dialect.name == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))


_NUMBERS = {
    "postgresql": "generate_series(1, {}) AS numbers(n)",
    "sqlite": "(WITH RECURSIVE several(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM several"
    " WHERE n < {}) SELECT n FROM several) AS numbers",
}
_NEW_ID = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}
_FIELDS = ", ".join(f'"{one}"' for one in fields_of(Task) if one != "id")
_EXTRAS = ", ".join(one.name for one in tasks.c if one.name not in fields_of(Task))
_MULTIPLY = f"""
    INSERT INTO trash (id, trashed_at, trashed_with, {_FIELDS})
    SELECT {{new_id}}, updated_at, series_id, {_FIELDS} FROM tasks, {{numbers}} WHERE {{own}};
    INSERT INTO tasks (id, {_EXTRAS}, {_FIELDS})
    SELECT {{new_id}}, {_EXTRAS}, {_FIELDS} FROM tasks, {{numbers}} WHERE {{own}};
    INSERT INTO changes (user_id, seq, id, type, kind, entity_id, version, at, previous)
    SELECT user_id, n * {{big}} + seq, {{new_id}}, 'task.changed', kind, entity_id, 1 + n, at,
           '{{{{}}}}' FROM changes, {{numbers}} WHERE {{own}};
    UPDATE heads SET seq = {{big}} * (1 + {{times}}) WHERE {{own}}
"""  # noqa: S608


def multiply(engine: Engine, big: int, times: int) -> None:
    """Store each of the `big` tasks of one user so many times more, and as often in the trash.

    Those of a series were deleted together. Each first one gets as many further changes.
    """
    name = engine.dialect.name
    script = _MULTIPLY.format(
        new_id=_NEW_ID[name],
        numbers=_NUMBERS[name].format(times),
        own=f"user_id = '{BIG}'",
        big=big,
        times=times,
    )
    with engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        for statement in script.split(";"):
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("COMMIT")
        if name == "postgresql":
            connection.execute(text("VACUUM ANALYZE"))


def deep(engine: Engine, query: TaskQuery) -> TaskQuery:
    """Return the query of the page at 90 % of the depth of `query`."""
    with tasks_of(SqlStorage(engine).open_workspace)(BIG) as tasks:
        total = tasks.list(replace(query, limit=1, with_total=True)).total
        assert total is not None
        last = tasks.list(replace(query, limit=max(total * 9 // 10, 1))).items[-1]
    return replace(query, after=query.sort.position(last))


def plan(engine: Engine, query: TaskQuery) -> str:
    """Return how the database answers `query`, as the role of `engine`."""
    return plan_of(engine, lambda tasks: tasks.list(query))


def plan_of(engine: Engine, ask: Callable[[TaskService], object]) -> str:
    """Return how the database answers what is asked of the tasks, as the role of `engine`."""
    return plan_in_workspace(engine, lambda workspace: ask(workspace.tasks))


def plan_in_workspace(
    engine: Engine, ask: Callable[[Workspace], object], *, atomic: bool = False
) -> str:
    """Return how the database does the last statement of what is asked."""
    sent: list[tuple[str, Any]] = []

    def keep(*args: Any) -> None:
        sent.append(args[2:4])

    event.listen(engine, "before_cursor_execute", keep)
    with SqlStorage(engine).open_workspace(BIG, atomic=atomic) as workspace:
        ask(workspace)
        event.remove(engine, "before_cursor_execute", keep)
    statement, values = sent[-1]
    values = values[0] if isinstance(values, list) else values
    with engine.connect() as connection:
        return "\n".join(str(row[-1]) for row in _explained(connection, statement, values))


def _explained(connection: Connection, statement: str, values: dict[str, Any]) -> Iterable[Any]:
    """Return the plan of a statement; on PostgreSQL that of a prepared one, as in use."""
    if connection.dialect.name == "sqlite":
        return connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    values = {name: value for name, value in values.items() if f"%({name})s" in statement}
    numbered = reduce(
        lambda text, one: text.replace(f"%({one[1]})s", f"${one[0]}"),
        enumerate(values, 1),
        statement,
    )
    driver: Any = connection.connection.driver_connection
    cursor = psycopg.ClientCursor(driver)
    cursor.execute(f"PREPARE explained AS {numbered}".encode())
    given = ", ".join(["%s"] * len(values))
    found = cursor.execute(f"EXPLAIN EXECUTE explained({given})".encode(), [*values.values()])
    plan = found.fetchall()
    cursor.execute("DEALLOCATE explained")
    return plan


def _later_fields(n: int) -> dict[str, Any]:
    """Return values of the settable fields that have come since; some are null."""
    numbers = {
        name: None if one.nullable and n % 10 == 0 else kind.minimum + n % 5
        for name, one in fields_of(NewTask).items()
        if isinstance(kind := one.kind, Integer)
    }
    labels = ("home", "work") if n % 5 == 0 else ("garden",) if n % 100 == 1 else ()
    status = {"status": "in-process"} if n % 7 == 1 and n % 3 else {}
    return {**numbers, **_dates(n), **status, "labels": labels}


def _dates(n: int) -> dict[str, Any]:
    """Return due and start: of ten tasks three have none, three a date, three a floating time.

    One is in one of five time zones.
    """
    day = TODAY + timedelta(days=n * 7919 % 365 - 200)
    at = datetime.combine(day, time(n % 24, n % 60))
    if n % 10 < 3:
        return {}
    if n % 10 < 6:
        return {"due": day, "start": day - DAY if n % 4 == 0 else None}
    return {"due": at, "time_zone": None if n % 10 < 9 else ZONES[n // 10 % 5]}


def _owner(n: int, big: int) -> str:
    return BIG if n < big else f"user-{n // 100}"


def _row(n: int, big: int) -> dict[str, Any]:
    owner, number = _owner(n, big), n if n < big else n % 100
    created = START + number * STEP
    is_in_list = n % 4 == 1
    task = Task.create(
        owner,
        created,
        lambda at: parent_of(owner) if number == 1 else _new_id(at),
        NewTask(
            title=f"Task {n * 7919 % 1_000_003}: buy milk and bread",
            description=None if n % 4 == 0 else f"A description of ordinary length, number {n}.",
            completed=n % 3 == 0,
            list_id=list_of(owner).id if is_in_list else None,
            parent_id=parent_of(owner) if is_in_list and number % 20 == 5 else None,
            **_later_fields(n),
        ),
    )
    if number % 50 == 4:
        recurring = replace(task, recurrence="FREQ=DAILY", occurrence=task.due)
        task = replace(recurring, series_id=series_of(owner))
    changed = created + timedelta(seconds=n * 104_729 % 1_000_003)
    values = mapping_of(Task).insert_parameters(task)
    return {**values, "user_id": owner, "updated_at": changed}


def _list_row(owner: str) -> dict[str, Any]:
    return {**mapping_of(TaskList).insert_parameters(list_of(owner)), "user_id": owner}


def _number(n: int, big: int) -> int:
    return n + 1 if n < big else n % 100 + 1


def _change(n: int, big: int, task: dict[str, Any]) -> dict[str, Any]:
    """Return the change that created a task."""
    return {
        "user_id": task["user_id"],
        "seq": _number(n, big),
        "id": _new_id(task["created_at"]),
        "type": "task.created",
        "kind": "task",
        "entity_id": task["id"],
        "version": 1,
        "at": task["updated_at"],
    }


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    connection.exec_driver_sql("BEGIN")
    connection.execute(table.insert(), rows)
    connection.exec_driver_sql("COMMIT")


def scanned(found: str) -> dict[str, set[str]]:
    """Return the indexes by which a plan reads each table; "" for all of its rows."""
    by_key = re.findall(r"Index(?: Only)? Scan(?: Backward)? using (\w+) on (\w+)", found)
    by_key += [
        (_PRIMARY_KEY.sub(rf"{table}_pkey", index), table)
        for table, index in re.findall(r"SEARCH (\w+) USING (?:COVERING )?INDEX (\w+)", found)
    ]
    by_key += re.findall(r"Bitmap Index Scan on ((\w+?)_\w+)", found)
    all_rows = re.findall(r"(?:Seq Scan on|SCAN) (\w+)", found)
    indexes: dict[str, set[str]] = {table: {""} for table in all_rows if table in _TABLES}
    for index, table in by_key:
        indexes.setdefault(table, set()).add(index)
    return indexes


_TABLES = {table.name for table in OWNED_TABLES}
_PRIMARY_KEY = re.compile(r"^sqlite_autoindex_\w+_1$")
