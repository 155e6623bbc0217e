"""The schema: what the migrations make, who may use it, and what the engines are set to."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, inspect, text, update
from sqlalchemy.exc import IntegrityError
from tests.databases import migrated_database, service_engine
from tests.postgres import Databases
from tests.processes import COMMAND, run
from tests.system.conftest import command

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.admin.migrate import MIGRATIONS, upgrade
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.adapters.sql.engine import pooled_engine, unpooled_engine
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.tables import metadata, tasks
from taskservice.core.errors import SchemaOutdated, Unavailable
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.testing import ADA, BOB, START

CATALOGUE = """
    SELECT 'column', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
           coalesce(c.collname, ''), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
      FROM pg_attribute a
      LEFT JOIN pg_collation c ON c.oid = a.attcollation
      LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
     WHERE a.attrelid = CAST(CAST(:name AS text) AS regclass) AND a.attnum > 0
    UNION ALL
    SELECT 'constraint', conname, pg_get_constraintdef(oid), '', '', ''
      FROM pg_constraint WHERE conrelid = CAST(CAST(:name AS text) AS regclass)
    UNION ALL
    SELECT 'index', indexname, indexdef, '', '', '' FROM pg_indexes WHERE tablename = :name
    UNION ALL
    SELECT 'options', coalesce(reloptions::text, ''), '', '', '', ''
      FROM pg_class WHERE oid = CAST(CAST(:name AS text) AS regclass)
    ORDER BY 1, 2
"""
FILE = "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = :name ORDER BY 1, 2"
CUT = (
    "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
    " WHERE application_name = 'taskservice'"
)

TASK = Task.create(ADA, START, TimeOrderedIds(), NewTask(title="Straße"))


@pytest.fixture
def addresses(
    request: pytest.FixtureRequest, postgresql: Databases, tmp_path: Path
) -> Iterator[list[URL]]:
    """Two empty databases of one engine."""
    if request.param == "sqlite":
        yield [database_url(f"sqlite:///{tmp_path}/{name}.db") for name in "ab"]
    else:
        made = [postgresql.create_database() for _ in range(2)]
        yield [database_url(address) for address in made]
        for address in made:
            postgresql.drop_database(address)


def described(engine: Engine, table: str) -> list[tuple[str, ...]]:
    """Return all that the engine's own catalogue knows of a table."""
    query = FILE if engine.dialect.name == "sqlite" else CATALOGUE
    with engine.connect() as connection:
        rows = connection.execute(text(query), {"name": table}).all()
    assert rows
    found = [[re.sub(r"\s+", " ", str(value)).lower() for value in row] for row in rows]
    # `ADD COLUMN` puts a column behind all others.
    return [tuple(", ".join(sorted(value.split(", "))) for value in row) for row in found]


@pytest.mark.parametrize("addresses", ["sqlite", "postgresql"], indirect=True)
def test_the_migrations_make_the_tables(addresses: list[URL]) -> None:
    """Types, collations, constraints and indexes are those of `tables.py`, on both engines."""
    migrated, declared = map(unpooled_engine, addresses)
    upgrade(migrated)
    metadata.create_all(declared)
    tables = set(inspect(migrated).get_table_names()) - {
        schema.VERSION_TABLE,
        schema.ZONE_DATA_TABLE,
    }
    assert tables == set(metadata.tables)
    for table in tables:
        assert described(migrated, table) == described(declared, table)


@pytest.mark.parametrize("addresses", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("task", "status"), [(TASK, "cancelled"), (TASK.complete(START), "in-process")]
)
def test_the_database_refuses_a_status_that_does_not_agree(
    addresses: list[URL], task: Task, status: str
) -> None:
    """Not the service alone: a row is completed if its status is a closed one."""
    engine = unpooled_engine(addresses[0])
    upgrade(engine)
    assert SqlOwnerData(engine, ADA).import_entities([task]) == []
    with engine.connect() as connection, pytest.raises(IntegrityError, match="status_check"):
        connection.execute(text("UPDATE tasks SET status = :status"), {"status": status})


@pytest.mark.parametrize("addresses", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("reference", ["list_id", "parent_id"])
def test_the_database_refuses_a_reference_to_another_owners_row(
    addresses: list[URL], reference: str
) -> None:
    """Not the service alone: the keys that refer to lists and tasks have the owner."""
    engine = unpooled_engine(addresses[0])
    upgrade(engine)
    new_id = TimeOrderedIds()
    others = {
        "list_id": TaskList.create(BOB, START, new_id, NewTaskList(name="Groceries")),
        "parent_id": Task.create(BOB, START, new_id, NewTask(title="Straße")),
    }
    assert SqlOwnerData(engine, ADA).import_entities([TASK]) == []
    assert SqlOwnerData(engine, BOB).import_entities([*others.values()]) == []
    own_task = update(tasks).where(tasks.c.user_id == ADA)
    with engine.connect() as connection, pytest.raises(IntegrityError):
        connection.execute(own_task.values({reference: others[reference].id}))


def test_the_known_versions_are_the_migrations() -> None:
    """`schema.VERSIONS` names every migration, oldest first."""
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    assert tuple(script.revision for script in scripts)[::-1] == schema.VERSIONS


@pytest.mark.parametrize("addresses", ["sqlite", "postgresql"], indirect=True)
def test_upgrades_take_turns(addresses: list[URL], tmp_path: Path) -> None:
    """Several upgrades at once all succeed, and one of them did the work."""
    address = addresses[0].render_as_string(hide_password=False).replace("+psycopg", "")
    arguments = [*COMMAND, "db", "upgrade", "--database", address]
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(run, arguments, tmp_path) for _ in range(4)]
    assert [result.result().returncode for result in results] == [0] * 4
    engine = unpooled_engine(addresses[0])
    assert schema.current(engine) == schema.VERSIONS[-1]
    schema.require_current(engine)


@pytest.mark.parametrize("addresses", ["sqlite", "postgresql"], indirect=True)
def test_an_older_schema_is_an_error_and_a_newer_one_is_served(addresses: list[URL]) -> None:
    """Behind is refused with the command to run; what this version does not know is newer."""
    engine = unpooled_engine(addresses[0])
    expect_behind(engine, "none")
    upgrade(engine)
    for older in schema.VERSIONS[:-1]:
        move_to(engine, older)
        expect_behind(engine, older)
    move_to(engine, "9999")
    schema.require_current(engine)


def expect_behind(engine: Engine, version: str) -> None:
    """Expect an error that names where the schema stands and what to do."""
    with pytest.raises(SchemaOutdated) as caught:
        schema.require_current(engine)
    assert str(caught.value) == (
        f"the database schema is at version {version}, taskservice needs {schema.VERSIONS[-1]}: "
        "run `taskservice db upgrade`"
    )


def move_to(engine: Engine, version: str) -> None:
    """Have the database say that its schema is at `version`."""
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE taskservice_schema_version SET version_num = :v"), {"v": version}
        )


def test_a_migration_that_waits_for_a_lock_gives_up(postgresql: Databases) -> None:
    """A migration gives up in time where another holds the lock, and leaves nothing behind."""
    address = postgresql.create_database()
    engine = unpooled_engine(database_url(address))
    with psycopg.connect(address) as holder:
        holder.execute(f"SELECT pg_advisory_xact_lock({0x7461736B})")
        with pytest.raises(Unavailable, match="lock timeout"):
            upgrade(engine)
    assert schema.current(engine) is None
    postgresql.drop_database(address)


def test_the_commands_say_where_the_schema_stands(tmp_path: Path) -> None:
    """`db current` before and after `db upgrade`."""
    address = f"sqlite:///{tmp_path}/tasks.db"
    newest = schema.VERSIONS[-1]
    said = command(tmp_path, "db", "current", DATABASE_URL=address)
    assert said == f"the schema is at version none, the newest is {newest}\n"
    assert (
        command(tmp_path, "db", "upgrade", DATABASE_URL=address)
        == f"the schema is at version {newest}\n"
    )
    said = command(tmp_path, "db", "current", DATABASE_URL=address)
    assert said == f"the schema is at version {newest}, the newest is {newest}\n"


def test_the_granted_role_may_do_no_more_than_serve(tmp_path: Path, postgresql: Databases) -> None:
    """`db grant` gives rows and no tables: no TRUNCATE, no DDL, no change of the version."""
    address = postgresql.create_database()
    role = f'Odd role; "{uuid4().hex}"'
    postgresql.execute(f'CREATE ROLE "{role.replace(chr(34), chr(34) * 2)}"')
    with pytest.raises(SchemaOutdated):
        schema.grant(unpooled_engine(database_url(address)), role)
    command(tmp_path, "db", "upgrade", DATABASE_URL=address)
    command(tmp_path, "db", "grant", role, DATABASE_URL=address)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'SET ROLE "{role.replace(chr(34), chr(34) * 2)}"')
        connection.execute("DELETE FROM tasks")
        connection.execute("DELETE FROM lists")
        connection.execute("DELETE FROM trash")
        for statement in (
            "TRUNCATE tasks",
            "TRUNCATE trash",
            "UPDATE trash SET title = title",
            "DROP TABLE tasks",
            "CREATE TABLE more ()",
            "UPDATE taskservice_schema_version SET version_num = '0'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    result = run([*COMMAND, "db", "grant", "nobody at all"], tmp_path, DATABASE_URL=address)
    assert (result.returncode, result.stderr) == (
        2,
        "Error: role nobody at all does not exist: create it with CREATE ROLE\n",
    )
    postgresql.drop_database(address)
    postgresql.execute(f'DROP ROLE "{role.replace(chr(34), chr(34) * 2)}"')


@pytest.fixture
def impatient(postgresql: Databases) -> Iterator[Engine]:
    """A small pool for which nobody waits."""
    with migrated_database(postgresql) as database:
        engine = service_engine(database.service, pool_size=2, pool_timeout=0.05)
        yield engine
        engine.dispose()


@pytest.mark.parametrize("able", [False, True])
def test_statements_are_prepared_on_a_server_of_our_own(postgresql: Databases, able: bool) -> None:
    """A direct connection needs no setting for it; `tests/system/test_pooler.py` has the others."""
    engine = pooled_engine(
        database_url(postgresql.url()),
        pool_size=1,
        pool_timeout=1,
        prepared_statements=able,
        timeouts=Timeouts(statement=3, lock=1),
        allow_privileged_role=True,
    )
    raw = engine.raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.Connection)
    assert (driver.prepare_threshold, driver.autocommit) == (5, True)
    assert driver.info.get_parameters()["application_name"] == "taskservice"
    raw.close()
    engine.dispose()


def test_a_connection_closed_while_idle_causes_no_error(
    impatient: Engine, postgresql: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a rest a connection is pinged, and one that died is replaced."""
    now = [0.0]
    monkeypatch.setattr("taskservice.adapters.sql.engine.monotonic", lambda: now[0])
    schema.require_reachable(impatient)
    postgresql.execute(CUT)
    now[0] += 1.5
    schema.require_reachable(impatient)


def test_a_connection_alone_is_no_answer(impatient: Engine, postgresql: Databases) -> None:
    """A database that lets nobody in any more is noticed right after it was found well."""
    schema.require_reachable(impatient)
    postgresql.execute(f"ALTER DATABASE {impatient.url.database} ALLOW_CONNECTIONS false")
    postgresql.execute(CUT)
    with pytest.raises(Unavailable, match="not currently accepting connections"):
        schema.require_reachable(impatient)


def test_a_full_pool_is_an_outage(impatient: Engine) -> None:
    """Whoever gets no connection in time is told so, and nothing was applied."""
    one, other = impatient.connect(), impatient.connect()
    with one, other, pytest.raises(Unavailable, match="in time") as caught:
        schema.require_reachable(impatient)
    assert caught.value.outcome == "not_applied"


def test_sqlite_is_set_to_lose_nothing(tmp_path: Path) -> None:
    """Every connection waits for a lock, syncs each commit, and holds foreign keys."""
    engine = service_engine(f"sqlite:///{tmp_path}/tasks.db")
    expected = {"journal_mode": "wal", "synchronous": 2, "busy_timeout": 5000, "foreign_keys": 1}
    with engine.connect() as one, engine.connect() as other:
        for connection in (one, other):
            for pragma, value in expected.items():
                assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value
    engine.dispose()
