"""An upgrade from the version before lists, by the tables' owner, whom the policies hold."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, text
from tests.compatibility.conftest import PARTITIONS, partition
from tests.compatibility.samples import Sample, in_current_form, insert_rows
from tests.contract.test_partitions import HELD, STANDING, TABLES
from tests.databases import Database, service_engine
from tests.postgres import Databases

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.admin import partition as partitioning
from taskservice.adapters.sql.admin.migrate import upgrade
from taskservice.adapters.sql.checks.row_security import require_row_security
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.sessions import transaction
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.entity import Edit
from taskservice.core.errors import TaskNotFound
from taskservice.core.history import find_task
from taskservice.core.query import Sort
from taskservice.core.sync import sync
from taskservice.core.task import NewTask
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, complete_task, create_task, remove_task
from taskservice.core.trash import purge_task, restore_task
from taskservice.testing import ADA

BEFORE = "0007"
SAMPLE = Sample.of(3)
OLDEST_FIRST = Sort(field="created_at", descending=False)
GRANTS = (
    "GRANT SELECT, INSERT, UPDATE, DELETE ON tasks TO {}",
    "GRANT SELECT, INSERT, UPDATE ON idempotency_keys TO {}",
    "GRANT SELECT ON taskservice_schema_version TO {}",
)
"""What `db grant` granted before there were lists."""


@pytest.fixture
def before(postgresql: Databases) -> Iterator[Database]:
    """A database of the version before, with tasks and a role that serves."""
    address = postgresql.create_database()
    name = address.rpartition("/")[2].partition("?")[0]
    owner, role = f"{name}_owner", f'Odd role; "{uuid4().hex}"'
    with psycopg.connect(address, autocommit=True) as superuser:
        superuser.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
        superuser.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(owner)))
        superuser.execute(
            SQL("ALTER DATABASE {} OWNER TO {}").format(*map(Identifier, (name, owner)))
        )
    found = Database(address, postgresql.url(name, owner), postgresql.url(name, role), role)
    upgrade(found.owner_engine, BEFORE)
    with transaction(found.superuser_engine) as connection:
        insert_rows(connection, "tasks", SAMPLE.rows)
    with psycopg.connect(found.owner) as connection:
        for grant in GRANTS:
            connection.execute(SQL(grant).format(Identifier(role)))
    yield found
    postgresql.drop_database(address)
    for one in (role, owner):
        postgresql.execute(SQL("DROP ROLE {}").format(Identifier(one)).as_string())


def definitions(database: Database) -> list[object]:
    """Return the definitions of all tables, and of their partitions."""
    with psycopg.connect(database.superuser) as connection:
        return [
            connection.execute(query.encode(), parameters).fetchall()
            for table in TABLES
            for query, parameters in ((STANDING.format(table=table), ()), (HELD, (table,)))
        ]


def versions_of_rows(database: Database) -> Sequence[object]:
    """Return where each row of the tasks is, and which transaction wrote it."""
    with psycopg.connect(database.superuser) as connection:
        query = "SELECT tableoid, ctid, xmin::text FROM tasks ORDER BY id"
        return connection.execute(query).fetchall()


def test_the_owner_of_the_tables_fills_the_positions(before: Database) -> None:
    """Its policies let it see no task, and apply again after the upgrade."""
    upgrade(before.owner_engine)
    engine = service_engine(before.service)
    with SqlStorage(engine).open_workspace(ADA) as workspace:
        tasks = workspace.tasks.list(TaskQuery(sort=OLDEST_FIRST)).items
    engine.dispose()
    assert [task.dump() for task in tasks] == [in_current_form(task) for task in SAMPLE.tasks]
    require_row_security(before.owner_engine)


@pytest.mark.parametrize("partitions", [0, PARTITIONS])
def test_recurrence_is_added_without_writing_a_row(before: Database, partitions: int) -> None:
    """And a role that serves may use it, without `db grant`."""
    with transaction(before.owner_engine) as connection:
        partition(connection, ("idempotency_keys", "tasks"), partitions)
    upgrade(before.owner_engine, "0008")
    rows = versions_of_rows(before)
    upgrade(before.owner_engine)
    assert (len(rows), versions_of_rows(before)) == (len(SAMPLE.tasks), rows)
    engine = service_engine(before.service)
    open_own = partial(SqlStorage(engine).open_workspace, ADA)
    task = create_task(open_own, NewTask(title="A", due=date(2026, 3, 1), recurrence="FREQ=DAILY"))
    assert complete_task(open_own, task.id, Completion(completed=True)).next_id
    engine.dispose()


@pytest.mark.parametrize("partitions", [0, PARTITIONS])
def test_the_log_begins_behind_what_there_is(before: Database, partitions: int) -> None:
    """The number before is the time. Who serves may write without `db grant`."""
    with transaction(before.owner_engine) as connection:
        partition(connection, ("idempotency_keys", "tasks"), partitions)
    upgrade(before.owner_engine, "0009")
    with transaction(before.superuser_engine) as connection:
        connection.execute(text(LIST), {"user_id": "lists alone"})
    upgrade(before.owner_engine)
    with before.superuser_engine.connect() as connection:
        seeded = connection.execute(text("SELECT user_id, seq FROM heads ORDER BY user_id")).all()
        assert connection.execute(text("SELECT count(*) FROM changes")).scalar_one() == 0
    assert [owner for owner, _ in seeded] == [ADA, "lists alone"]
    engine = service_engine(before.service)
    assert_a_log_goes_on(engine)
    engine.dispose()


def test_the_log_begins_behind_what_there_is_on_sqlite(tmp_path: Path) -> None:
    """The same in a file."""
    engine = unpooled_engine(database_url(f"sqlite:///{tmp_path}/tasks.db"))
    upgrade(engine, BEFORE)
    with transaction(engine) as connection:
        insert_rows(connection, "tasks", SAMPLE.rows)
    upgrade(engine, "0009")
    with transaction(engine) as connection:
        connection.execute(text(LIST), {"user_id": "lists alone"})
    upgrade(engine)
    with engine.connect() as connection:
        seeded = connection.execute(text("SELECT user_id, seq FROM heads ORDER BY user_id")).all()
    assert [owner for owner, _ in seeded] == [ADA, "lists alone"]
    engine.dispose()
    served = service_engine(f"sqlite:///{tmp_path}/tasks.db")
    assert_a_log_goes_on(served)
    served.dispose()


@pytest.mark.parametrize("partitions", [0, 16])
def test_the_trash_is_added_without_writing_a_row(before: Database, partitions: int) -> None:
    """Who may delete tasks may use it, without `db grant`, and who may not has no part in it.

    Another upgrade changes nothing, and the policies hold.
    """
    with transaction(before.owner_engine) as connection:
        partition(connection, ("idempotency_keys", "tasks"), partitions)
    upgrade(before.owner_engine, "0010")
    rows, reader = versions_of_rows(before), f"reader_{uuid4().hex}"
    with psycopg.connect(before.superuser, autocommit=True) as superuser:
        superuser.execute(f"CREATE ROLE {reader}".encode())
        superuser.execute(f"GRANT SELECT, INSERT, UPDATE ON tasks TO {reader}".encode())
        upgrade(before.owner_engine)
        upgrade(before.owner_engine)
        granted = superuser.execute(GRANTED).fetchall()
        superuser.execute(f"DROP OWNED BY {reader}; DROP ROLE {reader}".encode())
    assert granted == [
        (SQL("{}").format(Identifier(before.role)).as_string(), ["DELETE", "INSERT", "SELECT"])
    ]
    assert (len(rows), versions_of_rows(before)) == (len(SAMPLE.tasks), rows)
    require_row_security(before.owner_engine)
    engine = service_engine(before.service)
    assert_the_trash_works(engine)
    engine.dispose()


GRANTED = """
    SELECT grantee::regrole::text, array_agg(privilege_type ORDER BY privilege_type)
      FROM pg_class, aclexplode(relacl) WHERE pg_class.oid = 'trash'::regclass
       AND grantee <> relowner GROUP BY 1
"""


def test_the_trash_is_added_on_sqlite(tmp_path: Path) -> None:
    """Beside the tasks of before, which stay as they are. Another upgrade changes nothing."""
    engine = unpooled_engine(database_url(f"sqlite:///{tmp_path}/tasks.db"))
    upgrade(engine, BEFORE)
    with transaction(engine) as connection:
        insert_rows(connection, "tasks", SAMPLE.rows)
    upgrade(engine, "0010")
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM tasks ORDER BY id")).all()
    upgrade(engine)
    upgrade(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT * FROM tasks ORDER BY id")).all() == rows
    engine.dispose()
    served = service_engine(f"sqlite:///{tmp_path}/tasks.db")
    assert_the_trash_works(served)
    served.dispose()


def assert_the_trash_works(engine: Engine) -> None:
    """Assert that a task of before is deleted, restored as the next version, and purged."""
    open_own = partial(SqlStorage(engine).open_workspace, ADA)
    with open_own() as workspace:
        task, *_ = workspace.tasks.list(TaskQuery(sort=OLDEST_FIRST)).items
    remove_task(open_own, task.id)
    restored = restore_task(open_own, task.id)
    assert restored == replace(task, updated_at=restored.updated_at, version=task.version + 1)
    remove_task(open_own, task.id)
    purge_task(open_own, task.id)
    with open_own() as workspace, pytest.raises(TaskNotFound):
        find_task(workspace, task.id)


LIST = """
    INSERT INTO lists (id, user_id, name, position, created_at, updated_at, version)
    VALUES ('01932d0e-0000-7000-8000-000000000000', :user_id, 'A', 'a',
            '2026-01-01 00:00:00+00:00', '2026-01-01 00:00:00+00:00', 1)
"""


NOVEMBER_2023 = 1_700_000_000_000
"""A time in milliseconds."""


def assert_a_log_goes_on(engine: Engine) -> None:
    """Assert that a client that synced right after the upgrade hears of each write."""
    with SqlStorage(engine).open_workspace(ADA) as workspace:
        page = sync(workspace.changes, None, 200)
        while page.more:
            page = sync(workspace.changes, page.next, 200)
        number, mark = page.next.position
        assert (number > NOVEMBER_2023, mark) == (True, 0)
        oldest, *_ = workspace.tasks.list(TaskQuery(sort=OLDEST_FIRST)).items
        added = workspace.tasks.add(NewTask(title="Buy milk"))
        changed = workspace.tasks.change(added.id, Edit({"title": "Buy bread"}))
        workspace.tasks.remove(oldest.id)
        page = sync(workspace.changes, page.next, 200)
        assert [one.entity for one in page.entries] == [changed, None]
        assert page.next.position.sequence == number + 3


def test_a_role_that_serves_may_use_lists_after_the_upgrade(before: Database) -> None:
    """Without `db grant`, which changes nothing then."""
    upgrade(before.owner_engine)
    engine = service_engine(before.service)
    with SqlStorage(engine).open_workspace(ADA) as workspace:
        a_list = workspace.lists.add(NewTaskList(name="Groceries"))
        task = workspace.tasks.add(NewTask(title="Buy milk", list_id=a_list.id))
        workspace.tasks.remove(task.id)
        workspace.lists.remove(a_list.id)
    engine.dispose()
    granted = definitions(before)
    schema.grant(before.owner_engine, before.role)
    assert definitions(before) == granted


def test_partitions_are_the_same_before_and_after_the_upgrade(
    before: Database, postgresql: Databases
) -> None:
    """Also those of lists, with all keys, indexes, policies and grants, under the same names."""
    later = before._replace(superuser=postgresql.create_database(template=before.superuser))
    later = later._replace(owner=later.superuser)
    with transaction(before.owner_engine) as connection:
        partition(connection, ("idempotency_keys", "tasks"), PARTITIONS)
    upgrade(before.owner_engine)
    upgrade(later.owner_engine)
    partitioning.partition(later.owner_engine, PARTITIONS)
    assert definitions(before) == definitions(later)
    postgresql.drop_database(later.superuser)
