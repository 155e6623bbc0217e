"""Database errors become the exceptions of the core, and reads continue if possible."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from tests.databases import Database, migrated_database, service_engine, sqlite_database
from tests.keyed import add_once
from tests.postgres import Databases

from taskservice.adapters.sql import schema
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.errors import (
    is_disconnect,
    mark_disconnect,
    translate_errors,
)
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.core.errors import (
    AccessDenied,
    IdempotencyKeyInUse,
    InvalidEntity,
    Outcome,
    ReadOnly,
    SchemaOutdated,
    StorageFull,
    Unavailable,
)
from taskservice.core.history import history
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import remove_task
from taskservice.core.trash import purge_all, purge_task, restore_task
from taskservice.core.trashed_task import TrashQuery
from taskservice.core.undo import undo
from taskservice.core.workspace import TaskService, Workspace
from taskservice.testing import ADA, tasks_of
from taskservice.testing.contract.owner_data import some_tasks

NEVER = UUID(int=0)

FULL = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON tasks EXECUTE FUNCTION full_disk();
"""


@pytest.fixture
def own(postgresql: Databases) -> Iterator[Database]:
    """A database that may be broken."""
    with migrated_database(postgresql) as database:
        yield database


@contextmanager
def full(engine: Engine) -> Iterator[None]:
    """Let the file of an SQLite database grow no further."""
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    yield


def test_a_full_database_refuses_writes_and_serves_reads(own: Database) -> None:
    """`StorageFull`, with nothing applied; reads work as before."""
    engine = service_engine(own.service)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        with psycopg.connect(own.owner, autocommit=True) as owner:
            owner.execute(FULL)
        with pytest.raises(StorageFull) as caught:
            tasks.add(NewTask(title="Buy bread"))
        assert caught.value.outcome == "not_applied"
        with pytest.raises(StorageFull):
            tasks.change(task.id, Task.complete)
        assert tasks.list(TaskQuery()).items == [task]
    engine.dispose()


HOLDS_BACK = """
    CREATE FUNCTION hold_back() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER hold_back BEFORE {} FOR EACH ROW EXECUTE FUNCTION hold_back();
"""


@pytest.mark.parametrize("event", ["INSERT ON tasks", "UPDATE ON idempotency_keys"])
def test_a_write_that_wrote_no_row_is_not_acknowledged(own: Database, event: str) -> None:
    """A foreign trigger can skip a row without an error: 503, and nothing is stored."""
    engine = service_engine(own.service)
    with psycopg.connect(own.owner, autocommit=True) as owner:
        owner.execute(HOLDS_BACK.format(event).encode())
    opened = SqlStorage(engine).open_workspace(ADA, atomic=True)
    with pytest.raises(Unavailable, match="wrote no row") as caught, opened as workspace:
        add_once(workspace, NewTask(title="Buy milk"))
    assert caught.value.outcome == "not_applied"
    assert SqlOwnerData(engine, ADA).count().is_empty
    engine.dispose()


def test_an_import_that_wrote_no_row_is_not_acknowledged(own: Database) -> None:
    """Nor is any other row of it stored."""
    engine = service_engine(own.service)
    with psycopg.connect(own.owner, autocommit=True) as owner:
        owner.execute(HOLDS_BACK.format("INSERT ON tasks").encode())
    with pytest.raises(Unavailable, match="wrote no row"):
        SqlOwnerData(engine, ADA).import_entities(some_tasks(2))
    assert SqlOwnerData(engine, ADA).count().is_empty
    engine.dispose()


TAKE_NUMBER = """
    INSERT INTO changes
    SELECT user_id, seq + 1, id, type, kind, entity_id, version, at, NULL, NULL, NULL
      FROM changes ORDER BY seq DESC LIMIT 1
"""
"""Logs a change without a number, so that the next one cannot be logged."""


LOCAL_WRITES: dict[str, Callable[[Workspace, UUID], object]] = {
    "change": lambda own, task_id: own.tasks.change(task_id, Task.complete),
    "removal": lambda own, task_id: own.tasks.trash(task_id),
    "removal for good": lambda own, task_id: own.tasks.remove(task_id),
    "purge": lambda own, _: own.trash.remove(own.trash.list(TrashQuery()).items[0].id),
}


def dump(address: str) -> dict[str, list[Any]]:
    """Return all rows of a file, by table."""
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as other:
        names = [table.name for table in OWNED_TABLES]
        return {name: other.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608


@pytest.mark.parametrize("write", LOCAL_WRITES.values(), ids=LOCAL_WRITES)
def test_a_write_that_fails_half_way_leaves_nothing_in_its_transaction(
    tmp_path: Path, write: Callable[[Workspace, UUID], object]
) -> None:
    """On SQLite a write is several statements, and the transaction goes on without all of them."""
    address = sqlite_database(tmp_path)
    engine = service_engine(address)
    opened = partial(SqlStorage(engine).open_workspace, ADA)
    with opened() as workspace:
        task, other_task = (workspace.tasks.add(NewTask(title="Buy milk")) for _ in range(2))
        workspace.tasks.change(other_task.id, Task.complete)
        workspace.tasks.trash(other_task.id)
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as other, other:
        other.execute(TAKE_NUMBER)
    before = dump(address)
    with opened(atomic=True) as workspace:
        with pytest.raises(DBAPIError, match="UNIQUE constraint failed: changes"):
            write(workspace, task.id)
        assert workspace.tasks.get(task.id) == task
    assert dump(address) == before
    engine.dispose()


class Killed(BaseException):
    """Ends a request at any point."""


@pytest.mark.parametrize("name", ["removal", "restoration", "purge", "undo", "purge of all"])
def test_a_write_that_is_ended_at_any_statement_leaves_nothing(tmp_path: Path, name: str) -> None:
    """On SQLite, of the row, the trash, the number and the log all or none are written."""
    address = sqlite_database(tmp_path)
    engine = service_engine(address)
    open_own = partial(SqlStorage(engine).open_workspace, ADA)
    with open_own() as workspace:
        task, trashed = (workspace.tasks.add(NewTask(title="Buy milk")) for _ in range(2))
        for one in (task, trashed):
            workspace.tasks.change(one.id, partial(Task.edit, title="Buy bread"))
        workspace.tasks.trash(trashed.id)
        edited = history(workspace, task.id, None, 1).changes[0].sequence
    write: dict[str, Callable[[], object]] = {
        "removal": lambda: remove_task(open_own, task.id),
        "restoration": lambda: restore_task(open_own, trashed.id),
        "purge": lambda: purge_task(open_own, trashed.id),
        "undo": lambda: undo(open_own, task.id, edited),
        "purge of all": lambda: purge_all(open_own),
    }
    before, statements, ended_at = dump(address), iter(range(0)), -1

    def end(*_: Any) -> None:
        if next(statements, None) == 0:
            raise Killed

    event.listen(engine, "before_cursor_execute", end)
    while dump(address) == before:
        ended_at += 1
        statements = iter(range(ended_at, -1, -1))
        with suppress(Killed):
            write[name]()
    assert ended_at > 5
    engine.dispose()


def test_a_full_file_refuses_writes_and_serves_reads(sqlite: Engine) -> None:
    """The same on SQLite, with a limited file size."""
    engine = service_engine(sqlite.url.render_as_string(), pool_size=1)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        with full(engine), pytest.raises(StorageFull) as caught:
            while True:
                tasks.add(NewTask(title="Buy milk", description="x" * 10_000))
        assert caught.value.outcome == "not_applied"
        assert tasks.get(task.id) == task
    engine.dispose()


@pytest.mark.parametrize(
    "then",
    [lambda _: None, lambda tasks: tasks.add(NewTask(title="Buy bread"))],
    ids=["to the end", "and goes on"],
)
def test_an_idle_transaction_is_terminated(
    own: Database, then: Callable[[TaskService], object]
) -> None:
    """After the statement timeout, so that it holds no lock."""
    engine = service_engine(own.service, statement_timeout=0.2)
    service = SqlStorage(engine)
    with (
        pytest.raises(Unavailable) as caught,
        tasks_of(service.open_workspace)(ADA, atomic=True) as tasks,
    ):
        tasks.add(NewTask(title="Buy milk"))
        await_end_of(own, "idle in transaction")
        then(tasks)
    assert caught.value.outcome == "not_applied"
    with tasks_of(service.open_workspace)(ADA) as tasks:
        assert tasks.list(TaskQuery()).items == []
    engine.dispose()


def swallow(kind: type[Exception], operation: Callable[[], object]) -> None:
    """Ignore an expected exception."""
    with pytest.raises(kind):
        operation()


def lock_in_another_connection(workspace: Workspace, database: Database) -> None:
    """Wait in vain for a key that another transaction has."""
    engine = service_engine(database.service)
    with SqlStorage(engine).open_workspace(ADA, atomic=True) as others:
        others.idempotency.begin("key", b"digest")
        swallow(IdempotencyKeyInUse, lambda: workspace.idempotency.begin("key", b"digest"))
    engine.dispose()


def lose_the_connection(workspace: Workspace, database: Database) -> None:
    """Find that the server has ended the connection meanwhile."""
    with psycopg.connect(database.superuser, autocommit=True) as superuser:
        superuser.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %s",
            (database.role,),
        )
    swallow(Unavailable, lambda: workspace.tasks.get(NEVER))


def refer_to_nothing(workspace: Workspace, _: Database) -> None:
    """Refer to a list that the owner does not have."""
    new = NewTask(title="Buy milk", list_id=NEVER)
    swallow(InvalidEntity, lambda: workspace.tasks.add(new))


GOES_ON: dict[str, Callable[[TaskService], object]] = {
    "to the end": lambda _: None,
    "and goes on": lambda tasks: swallow(
        Unavailable, lambda: tasks.add(NewTask(title="Buy bread"))
    ),
}


@pytest.mark.parametrize(
    "fail", [lock_in_another_connection, lose_the_connection, refer_to_nothing]
)
@pytest.mark.parametrize("then", GOES_ON.values(), ids=GOES_ON)
def test_a_transaction_with_a_failed_statement_is_rolled_back(
    own: Database,
    fail: Callable[[Workspace, Database], None],
    then: Callable[[TaskService], object],
) -> None:
    """If the block ignores the error, the end of the block raises it; nothing is applied."""
    engine = service_engine(own.service, lock_timeout=0.1)
    opened = SqlStorage(engine).open_workspace(ADA, atomic=True)
    with pytest.raises(Unavailable, match="an earlier statement") as caught, opened as workspace:
        workspace.tasks.add(NewTask(title="Buy milk"))
        fail(workspace, own)
        then(workspace.tasks)
    assert caught.value.outcome == "not_applied"
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        assert tasks.list(TaskQuery()).items == []
    engine.dispose()


@pytest.mark.parametrize("then", GOES_ON.values(), ids=GOES_ON)
def test_a_transaction_that_sqlite_rolled_back_is_not_committed(
    sqlite: Engine, then: Callable[[TaskService], object]
) -> None:
    """SQLite does so on a disk error; later statements would be committed, and earlier ones not."""
    connections: list[sqlite3.Connection] = []
    event.listen(sqlite, "checkout", lambda connection, *_: connections.append(connection))
    opened = tasks_of(SqlStorage(sqlite).open_workspace)(ADA, atomic=True)
    with pytest.raises(Unavailable, match="an earlier statement") as caught, opened as tasks:
        tasks.add(NewTask(title="Buy milk"))
        connections[-1].rollback()
        then(tasks)
    assert caught.value.outcome == "not_applied"
    with tasks_of(SqlStorage(sqlite).open_workspace)(ADA) as tasks:
        assert tasks.list(TaskQuery()).items == []


def await_end_of(database: Database, state: str) -> None:
    """Return when no connection of the service is in this state."""
    seen = "SELECT state FROM pg_stat_activity WHERE application_name = 'taskservice'"
    with psycopg.connect(database.superuser, autocommit=True) as watcher:
        while (state,) in watcher.execute(seen).fetchall():
            pass


def test_a_read_only_database_serves_reads(own: Database, postgresql: Databases) -> None:
    """As after a failover to a standby: writes are an outage, reads work."""
    engine = service_engine(own.service)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        postgresql.execute(f"ALTER ROLE {own.role} SET default_transaction_read_only = on")
        engine.dispose()
        with pytest.raises(Unavailable, match="read-only") as caught:
            tasks.add(NewTask(title="Buy bread"))
        assert caught.value.outcome == "not_applied"
        assert tasks.get(task.id) == task
    engine.dispose()


OPERATIONS: list[Callable[[TaskService], Task]] = [
    lambda tasks: tasks.add(NewTask(title="Buy milk")),
    lambda tasks: tasks.get(NEVER),
]
GONE = {
    "table": ("ALTER TABLE tasks RENAME TO tasks_x", "ALTER TABLE tasks_x RENAME TO tasks"),
    "column": (
        "ALTER TABLE tasks RENAME description TO description_x",
        "ALTER TABLE tasks RENAME description_x TO description",
    ),
}


@pytest.mark.parametrize("atomic", [False, True], ids=["autocommit", "transaction"])
@pytest.mark.parametrize(("take", "give_back"), GONE.values(), ids=GONE)
def test_a_missing_table_or_column_is_an_outage(
    own: Database, take: str, give_back: str, atomic: bool
) -> None:
    """`not_applied`, with its name, until it is restored."""
    engine = service_engine(own.service)
    service = SqlStorage(engine)
    with psycopg.connect(own.owner, autocommit=True) as owner:
        owner.execute(take.encode())
        for operation in OPERATIONS:
            with (
                pytest.raises(Unavailable, match="does not exist") as caught,
                tasks_of(service.open_workspace)(ADA, atomic=atomic) as tasks,
            ):
                operation(tasks)
            assert (type(caught.value), caught.value.outcome) == (SchemaOutdated, "not_applied")
        owner.execute(give_back.encode())
    with tasks_of(service.open_workspace)(ADA, atomic=atomic) as tasks:
        assert tasks.get(tasks.add(NewTask(title="Buy milk")).id).title == "Buy milk"
    engine.dispose()


OUTAGES: dict[type[Unavailable], list[str]] = {
    Unavailable: [
        *("08P01", "25P02", "40001", "53200", "53300", "55006", "55P03", "57014", "57P03", "58030"),
        *("XX000", "XX001"),
    ],
    SchemaOutdated: ["3F000", "42P01", "42703", "42704", "42883"],
    AccessDenied: ["42501", "28P01", "3D000"],
    ReadOnly: ["25006"],
    StorageFull: ["53100"],
}
OF_SQLITE: dict[type[Unavailable], list[str]] = {
    Unavailable: [
        *("BUSY", "BUSY_SNAPSHOT", "LOCKED", "INTERRUPT", "IOERR_READ", "IOERR_FSYNC", "CORRUPT"),
        *("CANTOPEN", "NOMEM", "PROTOCOL", "NOTADB", "PERM", "SCHEMA"),
    ],
    ReadOnly: ["READONLY", "READONLY_DBMOVED"],
    StorageFull: ["FULL", "IOERR_WRITE", "IOERR_SHMSIZE", "IOERR_SHMOPEN"],
}
DEFECTS: list[psycopg.Error | sqlite3.Error] = [
    psycopg.errors.SyntaxError("at or near"),
    psycopg.errors.DatatypeMismatch("column is of type integer"),
    psycopg.errors.CheckViolation("violates check constraint"),
    psycopg.errors.ForeignKeyViolation("violates foreign key constraint"),
    psycopg.errors.NumericValueOutOfRange("out of range"),
    psycopg.errors.StatementTooComplex("stack depth limit exceeded"),
    psycopg.errors.RaiseException("by a trigger"),
    psycopg.InterfaceError("the cursor is closed"),
    sqlite3.OperationalError("Could not decode to UTF-8 column"),
]


def of_sqlite(name: str) -> sqlite3.Error:
    """Return an error as SQLite tells it, by the name of its result code."""
    error = sqlite3.OperationalError("it says")
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{name}")
    return error


def raised(error: Exception, outcome: Outcome = "unknown") -> Unavailable:
    """Return what an error of a driver is in the words of the core."""
    with pytest.raises(Unavailable) as caught, translate_errors(outcome):
        raise DBAPIError("SELECT 1", None, error)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        *((kind, psycopg.errors.lookup(one)("")) for kind in OUTAGES for one in OUTAGES[kind]),
        *((kind, of_sqlite(one)) for kind in OF_SQLITE for one in OF_SQLITE[kind]),
        (Unavailable, psycopg.OperationalError("connection refused")),
    ],
    ids=lambda value: str(getattr(value, "sqlstate", getattr(value, "sqlite_errorcode", ""))),
)
def test_each_error_code_has_its_exception(kind: type[Unavailable], error: Exception) -> None:
    """By the code that the database gives; a refused connection has none."""
    assert type(raised(error)) is kind


@pytest.mark.parametrize("error", DEFECTS, ids=lambda error: type(error).__name__)
def test_any_other_error_is_a_defect(error: Exception) -> None:
    """It passes unchanged: a 500, and a traceback in the log."""
    with pytest.raises(DBAPIError), translate_errors():
        raise DBAPIError("SELECT 1", None, error)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (of_sqlite("IOERR_FSYNC"), "unknown"),
        (of_sqlite("IOERR"), "unknown"),
        (of_sqlite("IOERR_WRITE"), "not_applied"),
        (of_sqlite("FULL"), "not_applied"),
        (psycopg.errors.IoError(""), "not_applied"),
        (psycopg.OperationalError("connection refused"), "not_applied"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_a_write_that_could_not_be_synced_is_in_doubt(error: Exception, outcome: Outcome) -> None:
    """SQLite may recover it from the WAL after a crash; any other failed write was not applied."""
    assert raised(error).outcome == outcome


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (OPERATIONS[0], StorageFull),
        (OPERATIONS[1], Unavailable),
        (lambda tasks: tasks.list(TaskQuery()), Unavailable),
    ],
    ids=["add", "get", "list"],
)
def test_a_read_on_a_full_disk_is_an_outage(
    sqlite: Engine, operation: Callable[[TaskService], object], kind: type[Unavailable]
) -> None:
    """Not `StorageFull`, which says that reads work."""

    def fail(*_: Any) -> None:
        raise OperationalError("SELECT 1", None, of_sqlite("IOERR_SHMSIZE"))

    event.listen(sqlite, "before_cursor_execute", fail)
    with (
        tasks_of(SqlStorage(sqlite).open_workspace)(ADA) as tasks,
        pytest.raises(Unavailable) as caught,
    ):
        operation(tasks)
    assert type(caught.value) is kind


@pytest.mark.parametrize("engine", ["sqlite", "role_engine"])
def test_a_syntax_error_is_a_defect(engine: str, request: pytest.FixtureRequest) -> None:
    """For example on an SQLite that is too old: retrying does not help."""
    broken = service_engine(request.getfixturevalue(engine).url.render_as_string(False))

    def slip(*args: Any) -> tuple[str, Any]:
        return args[2].replace("RETURNING", "RETURNNG"), args[3]

    event.listen(broken, "before_cursor_execute", slip, retval=True)
    opened = SqlStorage(broken).open_workspace(ADA, atomic=True)
    with pytest.raises(DBAPIError, match="RETURNNG"), opened as workspace:
        workspace.idempotency.begin("key", b"digest")
    broken.dispose()


@pytest.mark.parametrize(
    ("take", "operation", "said"),
    [
        (GONE["table"][0], OPERATIONS[1], "no such table: tasks"),
        (GONE["column"][0], OPERATIONS[1], "no such column: tasks.description"),
        (GONE["column"][0], OPERATIONS[0], "table tasks has no column named description"),
    ],
    ids=["table", "column that is read", "column that is written"],
)
def test_a_missing_table_or_column_in_a_file_is_an_outage(
    sqlite: Engine, take: str, operation: Callable[[TaskService], Task], said: str
) -> None:
    """SQLite has one code for it and for a syntax error, so the message decides."""
    with closing(sqlite3.connect(str(sqlite.url.database))) as other:
        other.execute(take)
    with (
        tasks_of(SqlStorage(sqlite).open_workspace)(ADA) as tasks,
        pytest.raises(Unavailable) as caught,
    ):
        operation(tasks)
    assert (str(caught.value), caught.value.outcome) == (f"database error: {said}", "not_applied")


@pytest.mark.parametrize(
    ("message", "redacted"),
    [
        (
            'server certificate for "*.example" does not match host name "db.example"',
            'server certificate for "..." does not match host name "..."',
        ),
        (
            'could not translate host name "db.example" to address: Name or service not known',
            'could not translate host name "..." to address: Name or service not known',
        ),
        (
            "failed to resolve host 'db.example': [Errno -2] Name or service not known",
            "its host name cannot be resolved",
        ),
        (
            'FATAL:  no pg_hba.conf entry for host "192.0.2.1", user "app", no encryption',
            'FATAL:  no pg_hba.conf entry for host "...", user "app", no encryption',
        ),
    ],
)
def test_the_host_name_is_not_in_the_error(message: str, redacted: str) -> None:
    """The log must not contain the database address."""
    with pytest.raises(Unavailable) as caught, translate_errors():
        raise OperationalError("SELECT 1", None, psycopg.OperationalError(message))
    assert str(caught.value) == f"database error: {redacted}"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda database: database.service.replace(f"//{database.role}:", "//no_such_role:"),
            "does not exist",
        ),
        (lambda database: f"{database.service}_gone", "does not exist"),
    ],
)
def test_a_refused_login_is_access_denied(own: Database, change: object, reason: str) -> None:
    """For an unknown role or database, as waiting does not help."""
    assert callable(change)
    with pytest.raises(AccessDenied, match=reason):
        schema.require_current(unpooled_engine(database_url(change(own))))


@pytest.mark.parametrize("check", [schema.require_reachable, schema.require_current])
def test_a_check_retries_after_a_lost_connection(
    own: Database, check: Callable[[Engine], None]
) -> None:
    """A terminated connection in the pool does not mean that the database is down."""
    engine = service_engine(own.service)
    with engine.connect(), engine.connect():
        pass
    with psycopg.connect(own.superuser, autocommit=True) as superuser:
        ended = superuser.execute(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity WHERE usename = %s",
            (own.role,),
        ).fetchall()
    assert ended == [(True,)] * 2
    check(engine)
    engine.dispose()


def test_a_missing_privilege_is_access_denied(own: Database) -> None:
    """The error names the table."""
    with psycopg.connect(own.owner, autocommit=True) as owner:
        owner.execute(f"REVOKE ALL ON taskservice_schema_version FROM {own.role}".encode())
    with pytest.raises(
        AccessDenied, match="permission denied for table taskservice_schema_version"
    ):
        schema.require_current(unpooled_engine(database_url(own.service)))


@pytest.mark.parametrize(
    ("state", "said", "is_lost"),
    [
        ("57P01", "terminating connection due to administrator command", True),
        ("25P03", "terminating connection due to idle-in-transaction timeout", True),
        ("25P04", "terminating connection due to transaction timeout", True),
        ("0A000", "cached plan must not change result type", True),
        ("26000", 'prepared statement "_pg3_2" does not exist', True),
        ("42P05", 'prepared statement "_pg3_2" already exists', True),
        ("08P01", "server conn crashed?", True),
        (None, "cannot exit pipeline mode while busy", True),
        ("08P01", "server login has been failing, try again later", False),
        ("57014", "canceling statement due to statement timeout", False),
        ("55P03", "canceling statement due to lock timeout", False),
    ],
)
def test_disconnects_are_recognized(state: str | None, said: str, is_lost: bool) -> None:
    """The outcome of a statement is open if a server or pooler shuts down."""
    kind = psycopg.errors.lookup(state) if state else psycopg.OperationalError
    sent: Any = SimpleNamespace(
        original_exception=kind(said), connection=object(), is_disconnect=False
    )
    mark_disconnect(sent)
    assert sent.is_disconnect is is_lost
    never: Any = SimpleNamespace(
        original_exception=kind(said), connection=None, is_disconnect=False
    )
    mark_disconnect(never)
    assert never.is_disconnect is False


def test_other_errors_are_not_disconnects() -> None:
    """A defect of the service, or an error in the statement."""
    assert not is_disconnect(psycopg.NotSupportedError("pipeline mode not supported"))
    assert not is_disconnect(psycopg.errors.SyntaxError("at or near"))
