"""The statements that the SQL adapter sends: counted, not timed."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from itertools import count
from math import inf
from time import monotonic
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import ClauseElement, Engine, event, text
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.exc import IntegrityError
from tests.databases import (
    Database,
    await_lock,
    migrated_database,
    service_engine,
    simulate_pooler,
)
from tests.postgres import Databases

from taskservice.adapters.sql.column_types import UtcDateTime
from taskservice.adapters.sql.connection import sessions
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import (
    PREPARE_THRESHOLD,
    autocommit_session,
    configure_session,
    with_deadline,
)
from taskservice.adapters.sql.connection.timeouts import Timeouts
from taskservice.adapters.sql.engine import pooled_engine
from taskservice.adapters.sql.storage import queries, retryable_writes
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.storage.rows import Rows
from taskservice.core.changes import UNKNOWN_ORIGIN, DescribeChange
from taskservice.core.entity import Edit
from taskservice.core.errors import Unavailable
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.kinds import Boolean
from taskservice.core.sync import sync
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashQuery
from taskservice.core.workspace import OpenWorkspace, TaskService
from taskservice.testing import ADA, BOB, tasks_of
from taskservice.testing.contract.owner_data import some_tasks


@contextmanager
def sent(engine: Engine) -> Iterator[list[str]]:
    """Gather the statements that go to the database."""
    statements: list[str] = []

    def gather(*args: Any) -> None:
        statements.append(args[2])

    event.listen(engine, "before_cursor_execute", gather)
    yield statements
    event.remove(engine, "before_cursor_execute", gather)


@pytest.fixture(params=["sqlite", "role_engine"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


def test_no_operation_counts_or_leaves_out_the_owner(engine: Engine) -> None:
    """Each statement on a table has the owner; `tests/contract/test_round_trips.py` counts them."""
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks, sent(engine) as statements:
        use(tasks, with_total=False)
    assert not any("count(" in one for one in statements)
    assert all("user_id" in one for one in statements if one not in {"BEGIN IMMEDIATE", "COMMIT"})


def use(tasks: TaskService, *, with_total: bool = True) -> None:
    """Do everything that there is to do, once."""
    task = tasks.add(NewTask(title="Buy milk"))
    search = TaskQuery(text="milk", with_total=with_total)
    for query in (TaskQuery(), search, TaskQuery(completed=False)):
        assert task in tasks.list(query).items
    tasks.change(task.id, Task.complete)
    assert tasks.get(task.id).completed
    tasks.trash(task.id)
    tasks.remove(tasks.add(NewTask(title="Buy milk")).id)


def test_a_statement_is_compiled_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later executions use the compiled SQL."""
    compiled: list[ClauseElement] = []
    compile_it = ClauseElement.compile

    def note(core: ClauseElement, *args: Any, **kwargs: Any) -> Any:
        compiled.append(core)
        return compile_it(core, *args, **kwargs)

    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        use(tasks)
        monkeypatch.setattr(ClauseElement, "compile", note)
        use(tasks)
    assert compiled == []


def test_listeners_are_called_before_and_after_a_statement(engine: Engine) -> None:
    """Once each, with the parameters, as one execution, and without a context."""
    calls: list[tuple[Any, ...]] = []

    def record(name: str, *args: Any) -> None:
        calls.append((name, *args[2:]))

    listeners = {
        name: partial(record, name) for name in ("before_cursor_execute", "after_cursor_execute")
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.list(TaskQuery())
    for name, listener in listeners.items():
        event.remove(engine, name, listener)
    (before, *asked), (after, *answered) = calls
    assert (before, after, answered) == (*listeners, asked)
    _, values, *rest = asked
    assert (values["owner"], rest) == (ADA, [None, False])


def test_a_count_is_a_statement_of_its_own(engine: Engine) -> None:
    """Only requests for a count pay for it."""
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks, sent(engine) as statements:
        tasks.list(TaskQuery(with_total=True))
    assert sum("count(" in statement for statement in statements) == 1


def test_a_slow_query_is_interrupted(engine: Engine) -> None:
    """The statement timeout limits a search on either engine."""
    # Each ends by itself, after seconds, in case nothing interrupts it.
    slow = {
        "sqlite": "WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n LIMIT 9999999) "
        "SELECT max(i) FROM n",
        "postgresql": "SELECT pg_sleep(10)",
    }[engine.dialect.name]
    impatient = pooled_engine(
        engine.url,
        pool_size=1,
        pool_timeout=1,
        prepared_statements=False,
        timeouts=Timeouts(statement=0.2, lock=1),
        allow_privileged_role=False,
    )
    reading = with_deadline(partial(autocommit_session, impatient, ADA), impatient)
    with pytest.raises(Unavailable), translate_errors(), reading() as session:
        session.connection.execute(text(slow))
    with reading() as session:
        assert session.connection.execute(text("SELECT 1")).scalar() == 1
    impatient.dispose()


SERIALIZABLE = "options=-c%20default_transaction_isolation%3Dserializable"


def test_a_change_is_retried_after_a_serialization_failure(
    database: Database, superuser_engine: Engine, role_engine: Engine
) -> None:
    """With isolation level serializable, which a session behind a pooler cannot set itself."""
    strict = simulate_pooler(service_engine(f"{database.service}?{SERIALIZABLE}"))
    with tasks_of(SqlStorage(strict).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
    with ThreadPoolExecutor(1) as pool:
        with tasks_of(SqlStorage(role_engine).open_workspace)(ADA, atomic=True) as tasks:
            tasks.change(task.id, partial(Task.edit, title="Buy oat milk"))
            waiting = pool.submit(complete, strict, task.id)
            await_lock(superuser_engine)
        after = waiting.result()
    assert (after.title, after.completed, after.version) == ("Buy oat milk", True, 3)
    strict.dispose()


def test_a_direct_session_chooses_its_isolation(database: Database) -> None:
    """Writes of one user change the same row, and would fail at a stricter one."""
    strict = service_engine(f"{database.service}?{SERIALIZABLE}")
    with autocommit_session(strict, ADA) as session:
        level = session.connection.exec_driver_sql("SHOW transaction_isolation").scalar_one()
    assert level == "read committed"
    strict.dispose()


def complete(engine: Engine, task_id: UUID) -> Task:
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        return tasks.change(task_id, Task.complete)


def test_a_write_is_retried_or_was_not_applied_after_a_disconnect(
    postgresql: Databases, database: Database
) -> None:
    """With autocommit it is retried; in a transaction nothing is applied before COMMIT."""
    cut = service_engine(f"{database.service}?application_name=cut")
    with tasks_of(SqlStorage(cut).open_workspace)(ADA) as tasks:
        tasks.list(TaskQuery())
        terminate(postgresql, "cut")
        task = tasks.add(NewTask(title="Buy milk"))
        assert tasks.get(task.id) == task
    opened = tasks_of(SqlStorage(cut).open_workspace)(ADA, atomic=True)
    with sent(cut) as statements:
        with pytest.raises(Unavailable) as caught, opened as tasks:
            terminate(postgresql, "cut")
            statements.clear()
            tasks.add(NewTask(title="Buy bread"))
        assert caught.value.outcome == "not_applied"
        assert len(statements) == 1
    cut.dispose()


def terminate(postgresql: Databases, name: str) -> None:
    """End the connections of the application called `name`."""
    chosen = f"application_name = '{name}'"
    postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {chosen}")  # noqa: S608


OPERATIONS: dict[str, Callable[[TaskService, UUID], object]] = {
    "add": lambda tasks, _: tasks.add(NewTask(title="Buy milk")),
    "get": lambda tasks, task_id: tasks.get(task_id),
    "list": lambda tasks, _: tasks.list(TaskQuery()),
    "change": lambda tasks, task_id: tasks.change(task_id, Task.complete),
    "remove": lambda tasks, task_id: tasks.trash(task_id),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("atomic", [True, False])
def test_without_a_free_connection_an_operation_is_an_outage(
    database: Database, atomic: bool, operation: str
) -> None:
    """Nothing was applied."""
    full = service_engine(database.service, pool_size=1, pool_timeout=0.05)
    opened = tasks_of(SqlStorage(full).open_workspace)(ADA, atomic=atomic)
    with full.connect(), pytest.raises(Unavailable, match="in time") as caught, opened as tasks:
        OPERATIONS[operation](tasks, uuid4())
    assert caught.value.outcome == "not_applied"
    full.dispose()


def edit_elsewhere(engine: Engine, task_id: UUID) -> None:
    """Change a task concurrently."""
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.change(task_id, partial(Task.edit, title=f"{uuid4()}"))


def test_a_precondition_is_checked_on_the_version_that_is_deleted(engine: Engine) -> None:
    """If the task changes meanwhile, it is checked again."""
    seen: list[int] = []

    def guard(task: Task) -> None:
        seen.append(task.version)
        if len(seen) == 1:
            edit_elsewhere(engine, task.id)

    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        tasks.trash(tasks.add(NewTask(title="Buy milk")).id, guard)
    assert seen == [1, 2]


def test_a_compare_and_swap_gives_up_after_its_attempts(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage, and no endless loop."""
    monkeypatch.setattr(retryable_writes, "MAX_CAS_ATTEMPTS", 3)

    def step(task: Task, now: datetime) -> Task:
        edit_elsewhere(engine, task.id)
        return task.complete(now)

    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        with pytest.raises(Unavailable, match="too many concurrent"):
            tasks.change(task.id, step)
        with pytest.raises(Unavailable, match="too many concurrent"):
            tasks.trash(task.id, lambda seen: edit_elsewhere(engine, seen.id))
        assert tasks.get(task.id).version == 7


def test_ids_come_from_the_given_function(engine: Engine) -> None:
    """So that a test can know them."""
    known = uuid4()
    with tasks_of(SqlStorage(engine, new_id=lambda _: known).open_workspace)(ADA) as tasks:
        assert tasks.add(NewTask(title="Buy milk")).id == known


def test_a_duplicate_id_is_a_defect(engine: Engine) -> None:
    """The stored task stays."""
    known = uuid4()
    with tasks_of(SqlStorage(engine, new_id=lambda _: known).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        with pytest.raises(IntegrityError):
            tasks.add(NewTask(title="Buy bread"))
        assert tasks.get(known) == task


def test_a_change_that_changes_nothing_writes_nothing(engine: Engine) -> None:
    """It is one statement: the read."""
    with tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk", completed=True))
        with sent(engine) as statements:
            assert tasks.change(task.id, Task.complete) == task
    assert len(statements) == 1


@pytest.mark.parametrize("query", [TaskQuery(), TaskQuery(text="i"), TaskQuery(with_total=True)])
@pytest.mark.parametrize("looks", [1, 50, 150])
@pytest.mark.parametrize("atomic", [False, True])
def test_a_list_from_a_file_is_interrupted_at_its_deadline(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch, query: TaskQuery, looks: int, atomic: bool
) -> None:
    """Before the first row, and while fetching; the connection stays usable."""
    monkeypatch.setattr(sessions, "PROGRESS_HANDLER_INSTRUCTIONS", 1)
    service = SqlStorage(sqlite)
    with tasks_of(service.open_workspace)(ADA) as tasks:
        found = [tasks.add(NewTask(title="Buy milk")) for _ in range(20)]
    times = iter([0.0] * looks)
    monkeypatch.setattr(sessions, "monotonic", lambda: next(times, inf))
    with tasks_of(service.open_workspace)(ADA, atomic=atomic) as tasks:
        with pytest.raises(Unavailable, match="interrupted"):
            tasks.list(query)
        monkeypatch.undo()
        assert tasks.list(query).items == found[::-1]


def test_the_deadline_is_checked_often(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least every 200 tasks of a search, each of which takes under a millisecond."""
    SqlOwnerData(sqlite, ADA).import_entities(some_tasks(2000))
    looks = count()
    monkeypatch.setattr(sessions, "monotonic", lambda: next(looks) * 0.0)
    with tasks_of(SqlStorage(sqlite).open_workspace)(ADA) as tasks:
        assert tasks.list(TaskQuery(text="not there")).items == []
    assert next(looks) >= 2000 / 200


@pytest.mark.parametrize("letter", ["ﬀ", "ΐ"])
def test_a_search_that_nearly_matches_everywhere_is_fast(engine: Engine, letter: str) -> None:
    """The longest texts, whose letters fold to two or three: a millisecond each."""
    with tasks_of(SqlStorage(engine).open_workspace)(f"nearly-{ord(letter)}") as tasks:
        for _ in range(60):
            tasks.add(NewTask(title="Buy milk", description=letter * 10_000))
        began = monotonic()
        assert tasks.list(TaskQuery(text=letter * 254 + "x", with_total=True)).total == 0
        assert monotonic() - began < 0.5


ALWAYS_UNDONE = """
    CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'undone' USING ERRCODE = 'serialization_failure'; END $$;
    CREATE TRIGGER undo BEFORE INSERT ON tasks EXECUTE FUNCTION undo();
"""


@pytest.mark.parametrize(("atomic", "tries"), [(False, 4), (True, 1)])
def test_a_serialization_failure_is_retried_three_times(
    superuser_engine: Engine,
    role_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    atomic: bool,
    tries: int,
) -> None:
    """With random pauses. In a transaction there is no retry. Then it is an outage."""
    pauses: list[float] = []
    monkeypatch.setattr(retryable_writes, "sleep", pauses.append)
    with superuser_engine.connect() as connection:
        connection.exec_driver_sql(ALWAYS_UNDONE)
    opened = tasks_of(SqlStorage(role_engine).open_workspace)(ADA, atomic=atomic)
    with sent(role_engine) as statements, pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(NewTask(title="Buy milk"))
    with superuser_engine.connect() as connection:
        connection.exec_driver_sql("DROP FUNCTION undo CASCADE")
    assert sum("INSERT" in statement for statement in statements) == tries
    assert caught.value.outcome == "not_applied"
    assert len(set(pauses)) == tries - 1
    assert all(0 <= pause <= retryable_writes.MAX_PAUSE for pause in pauses)


def test_a_retried_insert_accepts_only_its_own_change(role_engine: Engine) -> None:
    """Another's row with the same id is a violation, as any other one is."""
    with tasks_of(SqlStorage(role_engine).open_workspace)(ADA) as tasks:
        task = tasks.add(NewTask(title="Buy milk"))
        describe = DescribeChange(TimeOrderedIds(), UNKNOWN_ORIGIN)
        with autocommit_session(role_engine, ADA) as session:
            own: Rows[Task] = Rows(mapping_of(Task), session, max_retries=0)
            other = replace(task, id=uuid4())
            retried = retryable_writes.Insert(other, describe)
            for _ in range(2):
                retried.unacknowledged = other
                assert retried(own) == other
        with autocommit_session(role_engine, ADA) as session:
            own = own._replace(session=session)
            retried = retryable_writes.Insert(task, describe)
            retried.unacknowledged = task
            with pytest.raises(IntegrityError, match="tasks_pkey"):
                retried(own)


def test_a_nullable_sort_needs_a_greatest_value() -> None:
    """A kind without one is refused when the statement is built."""
    with pytest.raises(TypeError, match="cannot be sorted by"):
        queries._greatest(Boolean())


def test_a_direct_session_is_configured(role_engine: Engine) -> None:
    """Its settings last, and statements are prepared."""
    with autocommit_session(role_engine, ADA) as session:
        driver: Any = session.connection.connection.driver_connection
        assert session.is_direct
        assert driver.prepare_threshold == PREPARE_THRESHOLD
        assert driver.execute("SHOW statement_timeout").fetchone() == ("3s",)


def use_everything(open_workspace: OpenWorkspace, owner: str = ADA) -> None:
    """Do everything that there is to do outside a transaction, once."""
    with open_workspace(owner) as workspace:
        use(workspace.tasks)
        a_list = workspace.lists.add(NewTaskList(name="Food"))
        workspace.lists.change(a_list.id, Edit({"name": "Drinks"}))
        state = sync(workspace.changes, None, 1).next
        assert sync(workspace.changes, state, 200).full
        workspace.lists.remove(a_list.id)
        (trashed,) = workspace.trash.list(TrashQuery(limit=1)).items
        assert workspace.trash.get(trashed.id) == trashed
        assert workspace.changes.of_entity(trashed.id, None, 1)
        workspace.tasks.count_by_list(TaskQuery())
        workspace.trash.remove(trashed.id)


def test_no_operation_on_a_direct_session_needs_a_preamble(
    role_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is one plain statement that sets the owner itself, and no pipeline."""
    monkeypatch.delattr(psycopg.Connection, "pipeline")
    use_everything(SqlStorage(role_engine).open_workspace)


@pytest.mark.parametrize("name", ["database", "partitioned_database"])
def test_an_operation_sets_the_owner_before_it_reads_a_table(
    request: pytest.FixtureRequest, name: str
) -> None:
    """On a new connection, and on one on which another user was, before and after `PREPARE`."""
    engine = service_engine(request.getfixturevalue(name).service, pool_size=1)
    for owner in [ADA, BOB] * (PREPARE_THRESHOLD + 1):
        use_everything(SqlStorage(engine).open_workspace, owner)
        with engine.connect() as connection:
            setting = connection.exec_driver_sql("SELECT current_setting('taskservice.owner')")
            assert setting.scalar_one() == ""
    engine.dispose()


def test_a_session_through_a_pooler_is_not_configured(role_engine: Engine) -> None:
    """A pooler reports a process id of its own: nothing stays set or prepared."""
    with role_engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        through: Any = SimpleNamespace(
            info=SimpleNamespace(backend_pid=0), execute=driver.execute, prepare_threshold=None
        )
        entry: Any = SimpleNamespace(info={})
        configure_session(Timeouts(0.7, lock=0.7), through, entry)
        assert (entry.info, through.prepare_threshold) == ({}, None)
        assert driver.execute("SHOW statement_timeout").fetchone() == ("3s",)


@pytest.mark.parametrize("change", ["title TYPE varchar(1000)", "version TYPE bigint"])
def test_an_altered_column_does_not_break_prepared_statements(
    postgresql: Databases, change: str
) -> None:
    """They are prepared again: a migration may widen a column under old code."""
    with migrated_database(postgresql) as database:
        engine = service_engine(database.service, pool_size=1)
        store = SqlStorage(engine)
        with tasks_of(store.open_workspace)(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
            for turn in range(2 * PREPARE_THRESHOLD):
                task = tasks.change(task.id, partial(Task.edit, title=f"Buy {turn} litres"))
                assert tasks.list(TaskQuery()).items == [task]
            with database.superuser_engine.connect() as superuser:
                superuser.execute(text(f"ALTER TABLE tasks ALTER {change}"))
            assert tasks.get(task.id) == task
            assert tasks.list(TaskQuery()).items == [task]
            assert tasks.change(task.id, Task.complete).completed
        engine.dispose()


def change_locked(tasks: TaskService, task_id: UUID, lock: Callable[[], None]) -> None:
    """Change a task, with something done between the look and the change."""

    def step(task: Task, now: datetime) -> Task:
        lock()
        return task.complete(now)

    tasks.change(task_id, step)


def remove_locked(tasks: TaskService, task_id: UUID, lock: Callable[[], None]) -> None:
    """Remove a task, with something done between the look and the removal."""
    tasks.trash(task_id, lambda _: lock())


@pytest.mark.parametrize("write", [change_locked, remove_locked])
def test_a_statement_that_could_not_be_prepared_is_prepared_again(
    database: Database, write: Callable[[TaskService, UUID, Callable[[], None]], None]
) -> None:
    """After a lock timeout during PREPARE: one 503, and the next request works."""
    engine = service_engine(database.service, pool_size=1, lock_timeout=0.1)
    with (
        tasks_of(SqlStorage(engine).open_workspace)(ADA) as tasks,
        psycopg.connect(database.superuser) as holder,
        ThreadPoolExecutor(1) as elsewhere,
    ):

        def lock() -> None:
            elsewhere.submit(lambda: holder.execute("LOCK TABLE tasks")).result()

        *before, locked, after = [
            tasks.add(NewTask(title="Buy milk")) for _ in range(PREPARE_THRESHOLD + 2)
        ]
        for task in before:
            write(tasks, task.id, lambda: None)
        with pytest.raises(Unavailable, match="lock timeout") as caught:
            write(tasks, locked.id, lock)
        assert caught.value.outcome == "not_applied"
        holder.rollback()
        assert tasks.get(locked.id) == locked
        write(tasks, after.id, lambda: None)
        assert after not in tasks.list(TaskQuery()).items
    engine.dispose()


@pytest.mark.usefixtures("far_from_utc")
def test_a_naive_timestamp_is_utc_in_any_time_zone() -> None:
    """SQLite stores timestamps without a zone; others are converted to UTC."""
    read = UtcDateTime().process_result_value
    noon = datetime(2026, 1, 2, 12)
    assert read(noon, DefaultDialect()) == noon.replace(tzinfo=UTC)
    there = UtcDateTime().process_bind_param(noon.astimezone(), DefaultDialect())
    assert there is not None
    assert (there, there.tzinfo) == (noon.astimezone(), UTC)
    elsewhere = noon.replace(tzinfo=timezone(timedelta(hours=2)))
    found = read(elsewhere, DefaultDialect())
    assert found is not None
    assert (found, found.tzinfo) == (elsewhere, UTC)
