"""Row-level security works by itself: against SQL without an owner, or with a wrong one."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege
from sqlalchemy import Engine
from tests.benchmarks import row_security
from tests.databases import Database, migrated_database, simulate_pooler
from tests.keyed import add_once
from tests.postgres import Databases, program
from tests.system.conftest import command

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES, changes
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskListQuery
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import TaskService
from taskservice.testing import ADA, BOB, tasks_of

SAY = "SELECT set_config('taskservice.owner', %s, true)"

STATEMENTS = [
    "SELECT * FROM tasks",
    "SELECT * FROM lists",
    "SELECT * FROM trash",
    "SELECT * FROM idempotency_keys",
    "SELECT * FROM heads",
    "SELECT * FROM changes WHERE seq = 1",
    "UPDATE tasks SET version = 7",
    "UPDATE lists SET version = 7",
    "UPDATE idempotency_keys SET fingerprint = ''",
    "UPDATE heads SET seq = 7",
    "UPDATE changes SET previous = NULL WHERE seq = 1",
    "DELETE FROM tasks",
    "DELETE FROM lists",
    "DELETE FROM trash",
]
NO_PRIVILEGE = [
    "DELETE FROM changes",
    "DELETE FROM heads",
    "TRUNCATE changes",
    "TRUNCATE heads",
    "TRUNCATE trash",
    "UPDATE trash SET title = title",
    *(
        f"UPDATE changes SET {column.name} = {column.name}"  # noqa: S608
        for column in changes.c
        if column is not changes.c.previous
    ),
    "UPDATE changes SET previous = NULL, version = 7",
]


@pytest.fixture(autouse=True)
def task(engine: Engine) -> Task:
    """Bob's task, the idempotency record of its creation, an empty list, a task in his trash."""
    with SqlStorage(engine).open_workspace(BOB, atomic=True) as workspace:
        workspace.lists.add(NewTaskList(name="Bob's secret list"))
        task = add_once(workspace, NewTask(title="Bob's secret"))
        workspace.tasks.trash(workspace.tasks.add(NewTask(title="Bob's old secret")).id)
        return task


@pytest.mark.parametrize("owner", [None, "", ADA, "BOB", f"{BOB} ", f"' OR '{BOB}' = '{BOB}"])
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement_without_owner_condition_finds_no_foreign_row(
    service: Connection, owner: str | None, statement: str
) -> None:
    """Without an owner, or as another one, there is nothing to read, change or delete."""
    with service.transaction():
        if owner is not None:
            service.execute(SAY, (owner,))
        assert service.execute(statement.encode()).rowcount == 0


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_owner_finds_the_row(service: Connection, statement: str) -> None:
    """The same statements find the owner's row, so the policy caused the result above."""
    with service.transaction(force_rollback=True):
        service.execute(SAY, (BOB,))
        assert service.execute(statement.encode()).rowcount == 1


@pytest.mark.parametrize("statement", NO_PRIVILEGE)
def test_the_role_that_serves_cannot_rewrite_the_log(service: Connection, statement: str) -> None:
    """Not even of the owner: it adds changes, and removes what a purged task was.

    Nor does it edit what is in the trash.
    """
    with pytest.raises(InsufficientPrivilege, match="permission denied"), service.transaction():
        service.execute(SAY, (BOB,))
        service.execute(statement.encode())


def test_no_row_is_written_for_another_owner(service: Connection) -> None:
    """A row can be neither inserted for another owner nor given to one."""
    with pytest.raises(InsufficientPrivilege), service.transaction():
        service.execute(SAY, (ADA,))
        service.execute(
            "INSERT INTO idempotency_keys (user_id, key, fingerprint, created_at)"
            " VALUES (%s, 'k', '', now())",
            (BOB,),
        )
    with pytest.raises(InsufficientPrivilege), service.transaction():
        service.execute(SAY, (BOB,))
        service.execute("UPDATE tasks SET user_id = %s", (ADA,))
    with pytest.raises(InsufficientPrivilege), service.transaction():
        service.execute(SAY, (ADA,))
        service.execute("INSERT INTO heads (user_id, seq) VALUES (%s, 9)", ("carol",))
    with pytest.raises(InsufficientPrivilege), service.transaction():
        service.execute(SAY, (ADA,))
        service.execute(
            "INSERT INTO changes (user_id, seq, id, type, kind, entity_id, version, at)"
            " VALUES (%s, 9, gen_random_uuid(), '', '', gen_random_uuid(), 1, now())",
            (BOB,),
        )
    with pytest.raises(InsufficientPrivilege), service.transaction():
        service.execute(SAY, (BOB,))
        service.execute(COPY_OF_TRASH.encode(), (ADA, timedelta()))


COPY_OF_TRASH = """
    INSERT INTO trash (id, user_id, title, completed, created_at, updated_at, version, trashed_at)
    SELECT gen_random_uuid(), %s, title, completed, created_at, updated_at, version, now() - %s
      FROM trash LIMIT 1
"""


@pytest.mark.parametrize(
    ("column", "statement"),
    [
        ("list_id", "UPDATE tasks SET list_id = %s"),
        ("parent_id", "UPDATE tasks SET parent_id = %s"),
    ],
)
def test_no_row_refers_to_another_owners(
    engine: Engine, service: Connection, task: Task, column: str, statement: str
) -> None:
    """A foreign key is checked without policies, but it has the owner: a foreign id is missing."""
    with SqlStorage(engine).open_workspace(BOB) as workspace:
        ids = {"parent_id": task.id, "list_id": workspace.lists.list(TaskListQuery()).items[0].id}
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.add(NewTask(title="Ada's own"))
    for known in (ids[column], UUID(int=0)):
        with pytest.raises(ForeignKeyViolation), service.transaction():
            service.execute(SAY, (ADA,))
            service.execute(statement.encode(), (known,))


OPERATIONS: dict[str, Callable[[TaskService, UUID], object]] = {
    "get": lambda tasks, known: tasks.get(known),
    "list": lambda tasks, _: tasks.list(TaskQuery(with_total=True)),
    "search": lambda tasks, _: tasks.list(TaskQuery(text="secret")),
    "add": lambda tasks, _: tasks.add(NewTask(title="Buy milk")),
    "descendants": lambda tasks, known: tasks.descendants([known]),
    "change": lambda tasks, known: tasks.change(known, Task.complete),
    "remove": lambda tasks, known: tasks.remove(known),
    "trash": lambda tasks, known: tasks.trash(known),
    "count by list": lambda tasks, _: tasks.count_by_list(TaskQuery()),
}


@pytest.mark.parametrize("whose", [lambda engine: engine, simulate_pooler], ids=["ours", "pooler"])
@pytest.mark.parametrize("atomic", [False, True], ids=["autocommit", "transaction"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_owner_setting_ends_with_the_transaction(
    engine: Engine, task: Task, whose: Callable[[Engine], Engine], atomic: bool, operation: str
) -> None:
    """Committed or rolled back, the next client of the connection has no owner."""
    asked = "SELECT pg_backend_pid(), current_setting('taskservice.owner', true)"
    engine.dispose()
    port = tasks_of(SqlStorage(whose(engine)).open_workspace)
    with engine.connect() as connection:
        mine = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with port(BOB, atomic=atomic) as tasks:
        OPERATIONS[operation](tasks, task.id)
    with pytest.raises(ZeroDivisionError), port(BOB, atomic=atomic) as tasks:
        tasks.add(NewTask(title="Buy milk"))
        raise ZeroDivisionError
    with engine.connect() as connection:
        assert connection.exec_driver_sql(asked).one() == (mine, "")
        assert connection.exec_driver_sql("SELECT count(*) FROM tasks").scalar() == 0


def test_row_level_security_applies_to_the_tables_owner(database: Database) -> None:
    """It sees no task, no list, no number, and nothing new of trash, log and idempotency keys."""
    with psycopg.connect(database.owner, autocommit=True) as owner:
        for table in OWNED_TABLES:
            counted = owner.execute(f"SELECT count(*) FROM {table.name}".encode())  # noqa: S608
            assert (table.name, counted.fetchone()) == (table.name, (0,))


def test_the_tables_owner_can_only_delete_expired_records(database: Database) -> None:
    """It can read and delete expired idempotency records, and insert none."""
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute(
            "UPDATE idempotency_keys SET created_at = now() - INTERVAL '24 hours 1 second'"
        )
    with psycopg.connect(database.owner, autocommit=True) as owner:
        assert owner.execute("SELECT user_id FROM idempotency_keys").fetchone() == (BOB,)
        with pytest.raises(InsufficientPrivilege):
            owner.execute("UPDATE idempotency_keys SET key = 'other'")


def test_the_tables_owner_can_only_delete_old_changes(database: Database) -> None:
    """It can read and delete changes older than 8 days, and neither insert nor edit any."""
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute(
            "UPDATE changes SET at = now() - (seq % 2) * INTERVAL '2 minutes'"
            " - INTERVAL '7 days 23 hours 59 minutes'"
        )
    with psycopg.connect(database.owner, autocommit=True) as owner:
        found = owner.execute("SELECT user_id, seq FROM changes ORDER BY seq").fetchall()
        assert found == [(BOB, 1), (BOB, 3)]
        with pytest.raises(InsufficientPrivilege):
            owner.execute("UPDATE changes SET previous = NULL")
        assert owner.execute("DELETE FROM changes").rowcount == 2


def test_the_tables_owner_can_only_read_old_trash(database: Database) -> None:
    """It can read what is older than a day, and neither delete it nor restore or edit it."""
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute("UPDATE trash SET trashed_at = now() - INTERVAL '23 hours 59 minutes'")
        with psycopg.connect(database.owner, autocommit=True) as owner:
            assert owner.execute("SELECT user_id FROM trash").fetchall() == []
        superuser.execute("UPDATE trash SET trashed_at = now() - INTERVAL '24 hours 1 second'")
    with psycopg.connect(database.owner, autocommit=True) as owner:
        assert owner.execute("SELECT user_id FROM trash").fetchall() == [(BOB,)]
        assert owner.execute("DELETE FROM trash").rowcount == 0
        assert owner.execute("UPDATE trash SET title = 'Not mine'").rowcount == 0
        with pytest.raises(InsufficientPrivilege):
            owner.execute(COPY_OF_TRASH.encode(), (ADA, timedelta()))


def test_the_maintenance_role_prunes(database: Database, tmp_path: Path) -> None:
    """`db prune` deletes idempotency records after a day and no sooner, and no task.

    Each user's trash is pruned in their name: after 30 days and no sooner.
    """
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        for n, hours in enumerate((23.9, 24.1, 100)):
            superuser.execute(
                "INSERT INTO idempotency_keys VALUES (%s, 'k', '', NULL, now() - %s)",
                (f"user-{n}", timedelta(hours=hours)),
            )
        for user, days in ((ADA, 29), (ADA, 31), (BOB, 31)):
            superuser.execute(COPY_OF_TRASH.encode(), (user, timedelta(days=days)))
        said = command(tmp_path, "db", "prune", DATABASE_URL=database.owner)
        assert said == (
            "removed 2 tasks from the trash\n"
            "removed 2 expired idempotency records\n"
            "removed 0 expired changes\n"
        )
        kept = superuser.execute("SELECT user_id FROM idempotency_keys ORDER BY 1").fetchall()
        assert kept == [(BOB,), ("user-0",)]
        assert superuser.execute("SELECT count(*) FROM tasks").fetchone() == (1,)
        kept = superuser.execute("SELECT user_id FROM trash ORDER BY 1").fetchall()
        assert kept == [(ADA,), (BOB,)]


def dump(address: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program("pg_dump"), "--data-only", "--table=tasks", address],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_a_dump_is_complete_or_fails(database: Database) -> None:
    """The tables' owner cannot dump, with an error; a role with BYPASSRLS dumps every row."""
    refused = dump(database.owner)
    assert refused.returncode != 0
    assert "row-level security" in refused.stderr
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute(f"ALTER ROLE {database.role} BYPASSRLS".encode())
        try:
            assert "Bob's secret" in dump(database.service).stdout
        finally:
            superuser.execute(f"ALTER ROLE {database.role} NOBYPASSRLS".encode())


@pytest.mark.parametrize("pooler", [False, True], ids=["ours", "pooler"])
def test_the_benchmark_of_row_level_security_sets_no_owner(
    postgresql: Databases, monkeypatch: pytest.MonkeyPatch, pooler: bool
) -> None:
    """Its other variant runs every operation without an owner setting."""
    monkeypatch.setattr(row_security, "TASKS", 1)
    sent: list[str] = []
    execute = psycopg.Cursor.execute

    def record(cursor: psycopg.Cursor, statement: str, *rest: Any, **how: Any) -> Any:
        sent.append(statement)
        return execute(cursor, statement, *rest, **how)

    with (
        migrated_database(postgresql) as database,
        row_security.without_policies(database, pooler=pooler) as engine,
        row_security.operations(engine) as operations,
    ):
        monkeypatch.setattr(psycopg.Cursor, "execute", record)
        assert len(operations) == 8
        for operation in operations.values():
            operation()
    assert sent
    assert [statement for statement in sent if "taskservice.owner" in str(statement)] == []
