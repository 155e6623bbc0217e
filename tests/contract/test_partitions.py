"""Tables in partitions by owner: the same to the service, and one partition a statement.

Every promise of the port is tested on them as well: see `open_tasks`.
"""

import re
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import count, product
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, event
from tests.contract import batches
from tests.databases import Database, await_lock, migrated_database, service_engine, sqlite_database
from tests.keyed import add_once
from tests.postgres import Databases
from tests.processes import COMMAND, ROOT, client, run

from taskservice.adapters.sql.admin.migrate import ADVISORY_LOCK, upgrade
from taskservice.adapters.sql.admin.partition import partition
from taskservice.adapters.sql.admin.prune import prune
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.sessions import OpenSession, autocommit_session
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.heads import add_head
from taskservice.adapters.sql.storage.idempotency import is_stored
from taskservice.adapters.sql.storage.log import is_logged_after_waiting
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.changes import UNKNOWN_ORIGIN, DescribeChange
from taskservice.core.clock import system_clock
from taskservice.core.entity import Edit
from taskservice.core.errors import EntityInUse, SchemaOutdated, TaskNotFound, Unavailable
from taskservice.core.history import history
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.label_rename import LabelRename, rename_label
from taskservice.core.lists import create_list, move_list, remove_list
from taskservice.core.moves import Move
from taskservice.core.owner_data import OwnerCounts
from taskservice.core.query import Sort, sort_fields
from taskservice.core.summary import summarize
from taskservice.core.sync import sync
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import (
    Completion,
    change_task,
    complete_task,
    create_task,
    move_task,
    remove_task,
)
from taskservice.core.trash import purge_all, purge_task, restore_task
from taskservice.core.trashed_task import TrashQuery
from taskservice.core.undo import undo
from taskservice.core.workspace import OpenOwnWorkspace
from taskservice.testing import ADA, BOB, tasks_of

DUMPING = [
    "pg_dump",
    "--format=custom",
    "--data-only",
    "--load-via-partition-root",
    "--exclude-table=taskservice_schema_version",
    "--exclude-table=taskservice_zone_data",
]
RESTORING = ["pg_restore", "--exit-on-error", "--single-transaction", "--data-only"]

TABLES = ["tasks", "lists", "trash", "idempotency_keys", "heads", "changes"]

# A foreign key to a partitioned table has a constraint of its own for each partition.
STANDING = """
    SELECT conname, pg_get_constraintdef(oid)
      FROM pg_constraint WHERE conrelid = '{table}'::regclass AND conparentid = 0
    UNION ALL SELECT indexrelid::regclass::text, indkey::text || coalesce(pg_get_expr(
      indpred, indrelid), '') FROM pg_index WHERE indrelid = '{table}'::regclass
    UNION ALL SELECT policyname, qual || with_check || cmd || permissive || cardinality(roles)
      FROM pg_policies WHERE tablename = '{table}'
    UNION ALL SELECT 'grant', privilege_type FROM pg_class, aclexplode(relacl)
      WHERE oid = '{table}'::regclass AND grantee <> relowner
    UNION ALL SELECT attname, privilege_type FROM pg_attribute, aclexplode(attacl)
      WHERE attrelid = '{table}'::regclass
    UNION ALL SELECT attname, format_type(atttypid, atttypmod) || attnotnull || attcollation
      FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum > 0
    ORDER BY 1, 2
"""
HELD = """
    SELECT relname, relrowsecurity AND relforcerowsecurity, relacl IS NULL, reloptions
      FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE inhparent = %s::regclass
"""
ANALYZED = """
    SELECT relname, reltuples::int FROM pg_class
     WHERE relname IN ('changes', 'heads', 'idempotency_keys', 'lists', 'tasks', 'trash') ORDER BY 1
"""

# What later migrations do, and in which way: see CONTRIBUTING.
MIGRATION = (
    "ALTER TABLE tasks ADD COLUMN tags text[] NOT NULL DEFAULT '{}'",
    "CREATE INDEX tasks_by_tags ON tasks (user_id, tags)",
    "ALTER TABLE tasks ADD CONSTRAINT tasks_tags_check CHECK (cardinality(tags) < 9)",
    "ALTER TABLE tasks NO FORCE ROW LEVEL SECURITY",
    "UPDATE tasks SET tags = '{new}'",
    "ALTER TABLE tasks FORCE ROW LEVEL SECURITY",
    "DROP INDEX tasks_by_title",
)

_names_a_table = re.compile(rf"\b({'|'.join(TABLES)})\b").search


@pytest.mark.parametrize("table", TABLES)
def test_partitioned_tables_keep_their_definitions(
    database: Database, partitioned_database: Database, table: str
) -> None:
    """The same columns, constraints, indexes, policies and grants, under the same names.

    The serving role may change one column of the log, and no other.
    """
    found = []
    for one in (database, partitioned_database):
        with psycopg.connect(one.superuser) as connection:
            found.append(connection.execute(STANDING.format(table=table).encode()).fetchall())
    assert found[0] == found[1]
    assert (("previous", "UPDATE") in found[1]) == (table == "changes")


@pytest.mark.parametrize("table", TABLES)
def test_direct_access_to_a_partition_returns_no_rows(
    partitioned_database: Database, table: str
) -> None:
    """Each has row-level security without a policy, and no grants. `heads` has its fill factor."""
    with psycopg.connect(partitioned_database.superuser) as connection:
        parts = connection.execute(HELD, (table,)).fetchall()
    options = ["fillfactor=50"] if table == "heads" else None
    assert sorted(parts) == [(f"{table}_{number:02}", True, True, options) for number in range(16)]


def use_every_statement(engine: Engine) -> None:
    """Run every operation of the adapter, in every variant."""
    store = SqlStorage(engine)
    with tasks_of(store.open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        tasks.change(task.id, Task.complete)
        for query in every_query():
            tasks.list(query)
            tasks.list(replace(query, after=query.sort.position(task)))
        tasks.remove(task.id)
    use_a_tree(partial(store.open_workspace, ADA))
    use_a_series(partial(store.open_workspace, ADA))
    use_the_trash(partial(store.open_workspace, ADA))
    for atomic in (True, False):
        use_a_batch(partial(store.open_workspace, ADA), atomic=atomic)
    for _ in range(2):
        with store.open_workspace(ADA, atomic=True) as workspace:
            add_once(workspace, NewTask(title="Buy milk"), "a key")
    use_the_log(store, partial(autocommit_session, engine, ADA))


def use_the_log(store: SqlStorage, open_session: OpenSession) -> None:
    """Sync from the beginning, begin the numbers of an owner, and look for a lost change."""
    with store.open_workspace(ADA) as workspace:
        state, more = None, True
        while more:
            _, state, more, _ = sync(workspace.changes, state, 2)
        lost = DescribeChange(TimeOrderedIds(), UNKNOWN_ORIGIN).removal(
            workspace.tasks.add(NewTask(title="A")), system_clock()
        )
        with open_session() as session:
            assert not is_logged_after_waiting(session, lost)
            assert not is_stored(session, "another key")
            add_head(session)


def use_a_tree(open_workspace: OpenOwnWorkspace) -> None:
    """Create, move, change and delete a list with a tree of tasks."""
    a_list, other = (create_list(open_workspace, NewTaskList(name=name)) for name in "AB")
    move_list(open_workspace, a_list.id, Move(after=other.id))
    parent = create_task(open_workspace, NewTask(title="A", list_id=a_list.id))
    child = create_task(open_workspace, NewTask(title="B", parent_id=parent.id))
    change_task(open_workspace, parent.id, Edit({"list_id": other.id}))
    move_task(open_workspace, child.id, Move(place="first"))
    remove_task(open_workspace, parent.id, with_subtasks=True)
    remove_list(open_workspace, other.id, tasks="delete")
    remove_list(open_workspace, a_list.id)


def use_a_batch(open_workspace: OpenOwnWorkspace, *, atomic: bool) -> None:
    """Run each command that a batch may have, rename a label, and empty a list in steps."""
    a_list = create_list(open_workspace, NewTaskList(name="A"))
    task, parent = (create_task(open_workspace, NewTask(title=title)) for title in "AB")
    commands = [
        *(
            batches.create(labels=("a",)),
            batches.create(labels=("b",)),
            batches.create(list_id=a_list.id),
        ),
        *(batches.create(list_id=a_list.id), batches.create(parent_id=parent.id)),
        batches.edit(task, list_id=a_list.id),
        batches.command(complete_task, task.id, Completion(True)),
        batches.command(remove_task, parent.id, with_subtasks=True),
        batches.command(restore_task, parent.id),
        batches.command(remove_task, parent.id),
    ]
    assert len(batches.batch(open_workspace, *commands, atomic=atomic)) == len(commands)
    assert rename_label(open_workspace, LabelRename("a", "b", 1)).more is False
    assert remove_list(open_workspace, a_list.id, tasks="inbox", limit=1) == (1, True)
    assert remove_list(open_workspace, a_list.id, tasks="delete", limit=1) == (1, True)
    assert remove_list(open_workspace, a_list.id, tasks="delete", limit=1) == (1, False)


def use_the_trash(open_workspace: OpenOwnWorkspace) -> None:
    """Delete tasks and a tree, list and restore them, undo that, and purge them; count the rest."""
    task, parent = (create_task(open_workspace, NewTask(title=title)) for title in "AB")
    create_task(open_workspace, NewTask(title="C", parent_id=parent.id))
    remove_task(open_workspace, task.id)
    remove_task(open_workspace, parent.id, with_subtasks=True)
    restore_task(open_workspace, parent.id)
    with open_workspace() as workspace:
        query = TrashQuery(limit=1)
        (trashed,) = workspace.trash.list(query).items
        workspace.trash.list(replace(query, after=query.sort.position(trashed)))
        summarize(workspace)
        (newest, *_) = history(workspace, task.id, None, 10).changes
    undo(open_workspace, task.id, newest.sequence)
    for one in (task.id, parent.id):
        remove_task(open_workspace, one)
    purge_task(open_workspace, task.id)
    purge_all(open_workspace, system_clock())


def use_a_series(open_workspace: OpenOwnWorkspace) -> None:
    """Set a recurrence, close a task that recurs, reopen it, and reopen one before it."""
    task = create_task(open_workspace, NewTask(title="A", due=date(2026, 3, 1)))
    change_task(open_workspace, task.id, Edit({"recurrence": "FREQ=DAILY"}))
    for completed in (True, False, True):
        closed = complete_task(open_workspace, task.id, Completion(completed))
    assert closed.next_id
    change_task(open_workspace, closed.next_id, Edit({"title": "B"}))
    complete_task(open_workspace, task.id, Completion(completed=False))


def every_query() -> Iterator[TaskQuery]:
    for field in sort_fields(Task):
        for descending in (True, False):
            yield TaskQuery(sort=Sort(field=field, descending=descending), limit=1)
    now = system_clock()
    ago = now - timedelta(days=1)
    yield TaskQuery(completed=True, text="milk", with_total=True)
    yield TaskQuery(created_after=ago, created_before=now, updated_after=ago, updated_before=now)
    yield TaskQuery(list_id=(uuid4(),), parent_id=(None,))
    yield TaskQuery(list_id=(None,), parent_id=(uuid4(),))
    yield TaskQuery(series_id=uuid4())
    yield TaskQuery(series_id=uuid4(), completed=False)


@contextmanager
def recorded_parameters(engine: Engine) -> Iterator[dict[str, Any]]:
    """Yield the statements about tables that `engine` is sent meanwhile, with some parameters."""
    found: dict[str, Any] = {}

    def note(*args: Any) -> None:
        if _names_a_table(args[2]):
            found[args[2]] = args[3][0] if isinstance(args[3], list) else args[3]

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def relations(plan: Any) -> Iterator[str]:
    """Return the names of all tables that a plan touches."""
    if isinstance(plan, dict):
        yield from [plan["Relation Name"]] if "Relation Name" in plan else []
        yield from relations(list(plan.values()))
    elif isinstance(plan, list):
        for inner in plan:
            yield from relations(inner)


def test_every_statement_touches_one_partition(
    partitioned_engine: Engine, partitioned_database: Database
) -> None:
    """By EXPLAIN, as the service's role, and as a role that bypasses row-level security."""
    with recorded_parameters(partitioned_engine) as statements:
        use_every_statement(partitioned_engine)
    verbs = {"SELECT", "INSERT", "UPDATE", "WITH"}
    assert {text.split()[0] for text in statements} == verbs
    assert len(statements) > 25
    for (text, values), engine in product(
        statements.items(), (partitioned_engine, partitioned_database.superuser_engine)
    ):
        with autocommit_session(engine, ADA) as session:
            explained = session.connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {text}", values)
            plan = explained.scalar_one()
        parts = {*relations(plan)} - {*TABLES}
        # The plan of an INSERT names no partition: a row has one place.
        only_inserts = "DELETE" not in text and re.search("^INSERT|INSERT INTO (tasks|lists)", text)
        assert len({part[-3:] for part in parts}) == (0 if only_inserts else 1), (text, parts)


def test_partitioning_keeps_all_rows(postgresql: Databases) -> None:
    """Tasks and idempotency records are there for their owner, and the service goes on."""
    with migrated_database(postgresql) as database:
        engine = service_engine(database.service, prepared_statements=True)
        store = SqlStorage(engine)
        with tasks_of(store.open_workspace)(ADA) as tasks:
            before = [tasks.add(NewTask(title=f"Buy milk {number}")) for number in range(20)]
            for _ in range(10):
                tasks.list(TaskQuery())
            deleted = tasks.add(NewTask(title="Buy bread"))
            tasks.trash(deleted.id)
        with store.open_workspace(ADA, atomic=True) as workspace:
            a_list = workspace.lists.add(NewTaskList(name="Groceries"))
            new = NewTask(title="Buy milk", list_id=a_list.id)
            once = add_once(workspace, new, "a key")
        partition(database.owner_engine)
        with tasks_of(store.open_workspace)(ADA) as tasks:
            assert tasks.list(TaskQuery()).items == [once, *reversed(before)]
            assert tasks.change(before[0].id, Task.complete).completed
        with store.open_workspace(ADA, atomic=True) as workspace:
            assert add_once(workspace, NewTask(title="Buy milk"), "a key") == once
        with store.open_workspace(ADA) as workspace, pytest.raises(EntityInUse):
            workspace.lists.remove(a_list.id)
        assert restore_task(partial(store.open_workspace, ADA), deleted.id).version == 2
        with tasks_of(store.open_workspace)(BOB) as tasks, pytest.raises(TaskNotFound):
            tasks.get(once.id)
        engine.dispose()
        with psycopg.connect(database.superuser) as connection:
            assert connection.execute(ANALYZED).fetchall() == [
                ("changes", 24),
                ("heads", 1),
                ("idempotency_keys", 1),
                ("lists", 1),
                ("tasks", 21),
                ("trash", 1),
            ]


def test_partitioning_waits_for_open_transactions(postgresql: Databases) -> None:
    """A write with a key is applied; an index under construction is kept."""
    with migrated_database(postgresql) as database, ThreadPoolExecutor(1) as pool:
        engine = service_engine(database.service)
        with psycopg.connect(database.owner) as maker:
            maker.execute("CREATE INDEX tasks_by_version ON tasks (user_id, version)")
            with SqlStorage(engine).open_workspace(ADA, atomic=True) as workspace:
                assert workspace.idempotency.begin("a key", b"digest") is None
                done = pool.submit(partition, database.owner_engine)
                await_lock(database.superuser_engine)
                maker.commit()
                added = workspace.tasks.add(NewTask(title="Buy milk"))
        done.result()
        with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
            assert tasks.list(TaskQuery()).items == [added]
        engine.dispose()
        with psycopg.connect(database.superuser) as connection:
            asked = "SELECT relkind::text FROM pg_class WHERE oid = to_regclass('tasks_by_version')"
            assert connection.execute(asked).fetchone() == ("I",)


def test_partitioning_and_erasing_do_not_deadlock(postgresql: Databases) -> None:
    """Both lock the tables in the same order."""
    with migrated_database(postgresql) as database, ThreadPoolExecutor(2) as pool:
        engine, erasing = service_engine(database.service), database.owner_engine
        with SqlStorage(engine).open_workspace(ADA, atomic=True) as workspace:
            add_once(workspace, NewTask(title="Buy milk"), "a key")
        engine.dispose()
        deletions = count(1)
        splitting: list[Future[None]] = []

        def split_meanwhile(*args: Any) -> None:
            if args[2].startswith("DELETE") and next(deletions) == 2:
                splitting.append(pool.submit(partition, database.owner_engine))
                pool.submit(await_lock, database.superuser_engine).result()

        event.listen(erasing, "before_cursor_execute", split_meanwhile)
        assert SqlOwnerData(erasing, ADA).erase() == OwnerCounts(
            {"list": 0, "task": 1, "trashed-task": 0}, 1, 1
        )
        splitting[0].result()


def test_migrations_and_partitioning_exclude_one_another(postgresql: Databases) -> None:
    """The second waits for the first, up to the lock timeout."""
    with migrated_database(postgresql) as database, psycopg.connect(database.owner) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})".encode())
        with pytest.raises(Unavailable, match="lock timeout"):
            partition(database.owner_engine)


def test_maintenance_works_on_partitioned_tables(partitioned_database: Database) -> None:
    """Migrations and pruning work; a backfill lifts FORCE as on plain tables."""
    upgrade(partitioned_database.owner_engine)
    assert prune(partitioned_database.owner_engine, system_clock() + timedelta(days=2)) >= 0
    with partitioned_database.owner_engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        for statement in MIGRATION:
            connection.exec_driver_sql(statement)
        assert connection.exec_driver_sql("SELECT count(*) FROM tasks").scalar_one() == 0
        connection.exec_driver_sql("ROLLBACK")


def command(address: str, folder: Path) -> tuple[int, str]:
    """Run `taskservice db partition`; return its status, and what it says."""
    ended = run([*COMMAND, "db", "partition", "--database", address], folder)
    return ended.returncode, ended.stdout + ended.stderr


def test_db_partition_prints_the_result(postgresql: Databases, tmp_path: Path) -> None:
    """A second run changes nothing."""
    with migrated_database(postgresql) as database:
        first, again = (command(database.owner, tmp_path) for _ in range(2))
    assert first == (0, "partitioned each table into 16 partitions\n")
    assert again == (0, "the tables are already partitioned\n")


def test_db_partition_without_tables_fails(postgresql: Databases, tmp_path: Path) -> None:
    """The error has the command that creates them."""
    address = postgresql.create_database()
    status, said = command(address, tmp_path)
    assert (status, said.partition(",")[0]) == (2, "Error: the database schema is at version none")
    with pytest.raises(SchemaOutdated):
        partition(unpooled_engine(database_url(address)))
    postgresql.drop_database(address)
    name = database_url(address).database
    status, said = command(address, tmp_path)
    printed = f'Error: database error: FATAL:  database "{name}" does not exist'
    assert (status, said.partition(";")[0]) == (2, printed)


def test_sqlite_does_not_support_partitions(tmp_path: Path) -> None:
    """Exit status 2."""
    printed = command(sqlite_database(tmp_path), tmp_path)
    assert printed == (2, "Error: SQLite does not support partitions\n")


def test_the_documented_way_back_keeps_all_rows(postgresql: Databases, tmp_path: Path) -> None:
    """It copies the rows into tables without partitions."""
    page = (ROOT / "docs" / "operations.md").read_text()
    with migrated_database(postgresql) as split, migrated_database(postgresql) as whole:
        with SqlStorage(split.owner_engine).open_workspace(ADA, atomic=True) as workspace:
            a_list = workspace.lists.add(NewTaskList(name="Groceries"))
            task = add_once(workspace, NewTask(title="Buy milk", list_id=a_list.id))
            new = NewTask(title="Two liters", list_id=a_list.id, parent_id=task.id)
            below = workspace.tasks.add(new)
        partition(split.owner_engine, partitions=3)
        for words in (DUMPING, RESTORING):
            assert " ".join(words) in page
        client(tmp_path, *DUMPING, "--file=dump", split.superuser)
        client(tmp_path, *RESTORING, f"--dbname={whole.superuser}", "dump")
        with SqlStorage(whole.owner_engine).open_workspace(ADA, atomic=True) as workspace:
            assert workspace.lists.get(a_list.id) == a_list
            assert workspace.tasks.list(TaskQuery()).items == [below, task]
            assert add_once(workspace, NewTask(title="Other")) == task
