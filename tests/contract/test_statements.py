"""What the SQL adapter sends: counted, not timed."""

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
from tests.homes import Home, await_lock, served, served_engine
from tests.postgres import Databases

from taskservice.adapters.sql.connection import sessions
from taskservice.adapters.sql.connection.errors import translate_errors
from taskservice.adapters.sql.connection.sessions import (
    PREPARE_THRESHOLD,
    Timeouts,
    autocommit_session,
    configure_session,
    with_deadline,
)
from taskservice.adapters.sql.engine import pooled_engine
from taskservice.adapters.sql.storage import changes, rows
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.adapters.sql.tables import UtcDateTime
from taskservice.core.errors import Unavailable
from taskservice.core.query import TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Task
from taskservice.testing import ADA
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


def test_one_statement_for_one_operation_and_two_for_a_change(engine: Engine) -> None:
    """Get, list and create are one statement each; a change and a delete two; no count unasked."""
    with SqlTasks(engine).open_tasks(ADA) as tasks:
        task = tasks.add(title="Buy milk")
        expected: dict[Any, int] = {
            partial(tasks.add, title="Buy bread"): 1,
            partial(tasks.get, task.id): 1,
            partial(tasks.list, TaskQuery()): 1,
            partial(tasks.change, task.id, Task.complete): 2,
            partial(tasks.remove, task.id): 2,
        }
        for operation, count in expected.items():
            with sent(engine) as statements:
                operation()
            assert len(statements) == count
            assert not any("count(" in statement for statement in statements)
            assert all("user_id" in statement for statement in statements)


def use(tasks: TaskService) -> None:
    """Do everything that there is to do, once."""
    task = tasks.add(title="Buy milk")
    for query in (TaskQuery(), TaskQuery(text="milk", with_total=True), TaskQuery(completed=False)):
        assert task in tasks.list(query).tasks
    tasks.change(task.id, Task.complete)
    assert tasks.get(task.id).completed
    tasks.remove(task.id)


def test_a_statement_is_compiled_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked before is sent as it was written then."""
    compiled: list[ClauseElement] = []
    compile_it = ClauseElement.compile

    def note(core: ClauseElement, *args: Any, **kwargs: Any) -> Any:
        compiled.append(core)
        return compile_it(core, *args, **kwargs)

    with SqlTasks(engine).open_tasks(ADA) as tasks:
        use(tasks)
        monkeypatch.setattr(ClauseElement, "compile", note)
        use(tasks)
    assert compiled == []


def test_who_listens_hears_of_a_statement_before_and_after(engine: Engine) -> None:
    """Each once, with its parameters, as one execution of one set, and without a context."""
    heard: list[tuple[Any, ...]] = []

    def hear(name: str, *args: Any) -> None:
        heard.append((name, *args[2:]))

    listeners = {
        name: partial(hear, name) for name in ("before_cursor_execute", "after_cursor_execute")
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    with SqlTasks(engine).open_tasks(ADA) as tasks:
        tasks.list(TaskQuery())
    for name, listener in listeners.items():
        event.remove(engine, name, listener)
    (before, *asked), (after, *answered) = heard
    assert (before, after, answered) == (*listeners, asked)
    _, values, *rest = asked
    assert (values["owner"], rest) == (ADA, [None, False])


def test_a_count_is_a_statement_of_its_own(engine: Engine) -> None:
    """Whoever asks for a count pays for it."""
    with SqlTasks(engine).open_tasks(ADA) as tasks, sent(engine) as statements:
        tasks.list(TaskQuery(with_total=True))
    assert sum("count(" in statement for statement in statements) == 1


def test_a_reading_that_takes_too_long_is_stopped(engine: Engine) -> None:
    """A search is bounded by the statement timeout, on either engine."""
    # Each ends by itself, after seconds: what nobody stops must not run for ever.
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


def test_a_change_that_postgresql_undoes_is_tried_again(
    home: Home, owner_engine: Engine, role_engine: Engine
) -> None:
    """Under an isolation that undoes one change for the sake of another, it is retried."""
    isolation = "options=-c%20default_transaction_isolation%3Dserializable"
    strict = served_engine(f"{home.service}?{isolation}")
    with SqlTasks(strict).open_tasks(ADA) as tasks:
        task = tasks.add(title="Buy milk")
    with ThreadPoolExecutor(1) as pool:
        with SqlTasks(role_engine).open_tasks(ADA, atomic=True) as tasks:
            tasks.change(task.id, partial(Task.edit, title="Buy oat milk"))
            waiting = pool.submit(complete, strict, task.id)
            await_lock(owner_engine)
        after = waiting.result()
    assert (after.title, after.completed, after.version) == ("Buy oat milk", True, 3)
    strict.dispose()


def complete(engine: Engine, task_id: UUID) -> Task:
    with SqlTasks(engine).open_tasks(ADA) as tasks:
        return tasks.change(task_id, Task.complete)


def test_a_write_that_is_cut_short_is_done_or_was_not_applied(
    postgresql: Databases, home: Home
) -> None:
    """A statement alone is asked for again; in a transaction, nothing was applied before COMMIT."""
    cut = served_engine(f"{home.service}?application_name=cut")
    with SqlTasks(cut).open_tasks(ADA) as tasks:
        tasks.list(TaskQuery())
        terminate(postgresql, "cut")
        task = tasks.add(title="Buy milk")
        assert tasks.get(task.id) == task
    opened = SqlTasks(cut).open_tasks(ADA, atomic=True)
    with sent(cut) as statements:
        with pytest.raises(Unavailable) as caught, opened as tasks:
            terminate(postgresql, "cut")
            statements.clear()
            tasks.add(title="Buy bread")
        assert caught.value.outcome == "not_applied"
        assert len(statements) == 1
    cut.dispose()


def terminate(postgresql: Databases, name: str) -> None:
    """End the connections of the application called `name`."""
    chosen = f"application_name = '{name}'"
    postgresql.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {chosen}")  # noqa: S608


DOORS: dict[str, Callable[[TaskService, UUID], object]] = {
    "add": lambda tasks, _: tasks.add(title="Buy milk"),
    "get": lambda tasks, task_id: tasks.get(task_id),
    "list": lambda tasks, _: tasks.list(TaskQuery()),
    "change": lambda tasks, task_id: tasks.change(task_id, Task.complete),
    "remove": lambda tasks, task_id: tasks.remove(task_id),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("atomic", [True, False])
def test_whoever_cannot_begin_is_told_of_an_outage(home: Home, atomic: bool, door: str) -> None:
    """Without a connection nothing is opened, and nothing was applied."""
    full = served_engine(home.service, pool_size=1, pool_timeout=0.05)
    opened = SqlTasks(full).open_tasks(ADA, atomic=atomic)
    with full.connect(), pytest.raises(Unavailable, match="in time") as caught, opened as tasks:
        DOORS[door](tasks, uuid4())
    assert caught.value.outcome == "not_applied"
    full.dispose()


def edit_elsewhere(engine: Engine, task_id: UUID) -> None:
    """Change a task, as somebody else does meanwhile."""
    with SqlTasks(engine).open_tasks(ADA) as tasks:
        tasks.change(task_id, partial(Task.edit, title=f"{uuid4()}"))


def test_a_guard_looks_at_the_very_task_that_goes(engine: Engine) -> None:
    """A task that changes between the look and the deletion is looked at again."""
    seen: list[int] = []

    def guard(task: Task) -> None:
        seen.append(task.version)
        if len(seen) == 1:
            edit_elsewhere(engine, task.id)

    with SqlTasks(engine).open_tasks(ADA) as tasks:
        tasks.remove(tasks.add(title="Buy milk").id, guard)
    assert seen == [1, 2]


def test_who_is_always_overtaken_gives_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """After as many attempts as there may be: an outage, and no endless loop."""
    monkeypatch.setattr(changes, "MAX_CAS_ATTEMPTS", 3)

    def step(task: Task, now: datetime) -> Task:
        edit_elsewhere(engine, task.id)
        return task.complete(now)

    with SqlTasks(engine).open_tasks(ADA) as tasks:
        task = tasks.add(title="Buy milk")
        with pytest.raises(Unavailable, match="too many concurrent"):
            tasks.change(task.id, step)
        with pytest.raises(Unavailable, match="too many concurrent"):
            tasks.remove(task.id, lambda seen: edit_elsewhere(engine, seen.id))
        assert tasks.get(task.id).version == 7


def test_ids_are_those_that_the_adapter_is_given(engine: Engine) -> None:
    """A test that needs to know its ids makes them."""
    known = uuid4()
    with SqlTasks(engine, new_id=lambda _: known).open_tasks(ADA) as tasks:
        assert tasks.add(title="Buy milk").id == known


def test_an_id_that_is_taken_is_no_success(engine: Engine) -> None:
    """What was not stored is not told to be: that an id comes twice is a defect."""
    known = uuid4()
    with SqlTasks(engine, new_id=lambda _: known).open_tasks(ADA) as tasks:
        task = tasks.add(title="Buy milk")
        with pytest.raises(IntegrityError):
            tasks.add(title="Buy bread")
        assert tasks.get(known) == task


def test_a_change_that_changes_nothing_writes_nothing(engine: Engine) -> None:
    """It is one statement: the look."""
    with SqlTasks(engine).open_tasks(ADA) as tasks:
        task = tasks.add(title="Buy milk", completed=True)
        with sent(engine) as statements:
            assert tasks.change(task.id, Task.complete) == task
    assert len(statements) == 1


@pytest.mark.parametrize("query", [TaskQuery(), TaskQuery(text="i"), TaskQuery(with_total=True)])
@pytest.mark.parametrize("looks", [1, 50, 150])
@pytest.mark.parametrize("atomic", [False, True])
def test_a_list_from_a_file_is_stopped_whenever_its_time_is_over(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch, query: TaskQuery, looks: int, atomic: bool
) -> None:
    """Before it has found anything, and while it fetches; the connection works on."""
    monkeypatch.setattr(sessions, "PROGRESS_HANDLER_INSTRUCTIONS", 1)
    service = SqlTasks(sqlite)
    with service.open_tasks(ADA) as tasks:
        found = [tasks.add(title="Buy milk") for _ in range(20)]
    times = iter([0.0] * looks)
    monkeypatch.setattr(sessions, "monotonic", lambda: next(times, inf))
    with service.open_tasks(ADA, atomic=atomic) as tasks:
        with pytest.raises(Unavailable, match="interrupted"):
            tasks.list(query)
        monkeypatch.undo()
        assert tasks.list(query).tasks == found[::-1]


def test_the_time_is_looked_at_often(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within 200 tasks of a search, each of which takes under a millisecond."""
    SqlOwnerData(sqlite, ADA).import_tasks(some_tasks(2000))
    looks = count()
    monkeypatch.setattr(sessions, "monotonic", lambda: next(looks) * 0.0)
    with SqlTasks(sqlite).open_tasks(ADA) as tasks:
        assert tasks.list(TaskQuery(text="not there")).tasks == []
    assert next(looks) >= 2000 / 200


@pytest.mark.parametrize("letter", ["ﬀ", "ΐ"])
def test_a_search_for_what_nearly_matches_everywhere_is_quick(engine: Engine, letter: str) -> None:
    """The longest texts, each letter of which folds to two or three: a millisecond for each."""
    with SqlTasks(engine).open_tasks(f"nearly-{ord(letter)}") as tasks:
        for _ in range(60):
            tasks.add(title="Buy milk", description=letter * 10_000)
        began = monotonic()
        assert tasks.list(TaskQuery(text=letter * 254 + "x", with_total=True)).total == 0
        assert monotonic() - began < 0.5


ALWAYS_UNDONE = """
    CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'undone' USING ERRCODE = 'serialization_failure'; END $$;
    CREATE TRIGGER undo BEFORE INSERT ON tasks EXECUTE FUNCTION undo();
"""


@pytest.mark.parametrize(("atomic", "tries"), [(False, 4), (True, 1)])
def test_what_is_undone_every_time_is_tried_three_times_more(
    owner_engine: Engine,
    role_engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    atomic: bool,
    tries: int,
) -> None:
    """Then it is an outage, and nothing was applied; inside a transaction there is no retry.

    Whoever tries again pauses before, for a time that differs from the others'.
    """
    pauses: list[float] = []
    monkeypatch.setattr(rows, "sleep", pauses.append)
    with owner_engine.connect() as connection:
        connection.exec_driver_sql(ALWAYS_UNDONE)
    opened = SqlTasks(role_engine).open_tasks(ADA, atomic=atomic)
    with sent(role_engine) as statements, pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(title="Buy milk")
    with owner_engine.connect() as connection:
        connection.exec_driver_sql("DROP FUNCTION undo CASCADE")
    assert sum("INSERT" in statement for statement in statements) == tries
    assert caught.value.outcome == "not_applied"
    assert len(set(pauses)) == tries - 1
    assert all(0 <= pause <= rows.MAX_PAUSE for pause in pauses)


def test_a_row_that_is_refused_is_not_taken_for_one_that_is_there(role_engine: Engine) -> None:
    """What is inserted again may be there already; whatever else stands against it is told."""
    with SqlTasks(role_engine).open_tasks(ADA) as tasks:
        task = tasks.add(title="Buy milk")
        with autocommit_session(role_engine, ADA) as session:
            own = rows.TaskRows(session, max_retries=0)
            own.insert_if_absent(task)
            with pytest.raises(IntegrityError, match="tasks_version_check"):
                own.insert_if_absent(replace(task, id=uuid4(), version=0))


def test_a_session_of_ours_is_taken_over(role_engine: Engine) -> None:
    """What lasts is set once there, and statements are prepared."""
    with autocommit_session(role_engine, ADA) as session:
        driver: Any = session.connection.connection.driver_connection
        assert session.is_direct
        assert driver.prepare_threshold == PREPARE_THRESHOLD
        assert driver.execute("SHOW statement_timeout").fetchone() == ("3s",)


def test_a_reading_or_a_new_task_takes_one_statement_on_it(
    role_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells of the owner itself: nothing goes ahead of it. A change does have it go ahead."""
    with SqlTasks(role_engine).open_tasks(ADA) as tasks:
        monkeypatch.delattr(psycopg.Connection, "pipeline")
        task = tasks.add(title="Buy milk")
        assert tasks.get(task.id) == task
        assert tasks.list(TaskQuery(limit=1)).tasks
        with pytest.raises(AttributeError, match="pipeline"):
            tasks.change(task.id, Task.complete)


def test_a_session_that_others_have_too_is_not_taken_over(role_engine: Engine) -> None:
    """A pooler tells another process id than PostgreSQL does: nothing stays set or prepared."""
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
def test_a_column_that_becomes_another_is_noticed_by_nobody(
    postgresql: Databases, change: str
) -> None:
    """What was prepared before is prepared anew: a migration may widen a column under old code."""
    with served(postgresql) as home:
        engine = served_engine(home.service, pool_size=1)
        store = SqlTasks(engine)
        with store.open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
            for turn in range(2 * PREPARE_THRESHOLD):
                task = tasks.change(task.id, partial(Task.edit, title=f"Buy {turn} litres"))
                assert tasks.list(TaskQuery()).tasks == [task]
            with home.inspected.connect() as superuser:
                superuser.execute(text(f"ALTER TABLE tasks ALTER {change}"))
            assert tasks.get(task.id) == task
            assert tasks.list(TaskQuery()).tasks == [task]
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
    tasks.remove(task_id, lambda _: lock())


@pytest.mark.parametrize("write", [change_locked, remove_locked])
def test_a_statement_that_could_not_be_prepared_is_prepared_again(
    home: Home, write: Callable[[TaskService, UUID, Callable[[], None]], None]
) -> None:
    """A lock timeout, as the driver has it prepared: one 503, and all is well for the next."""
    engine = served_engine(home.service, pool_size=1, lock_timeout=0.1)
    with (
        SqlTasks(engine).open_tasks(ADA) as tasks,
        psycopg.connect(home.superuser) as holder,
        ThreadPoolExecutor(1) as elsewhere,
    ):

        def lock() -> None:
            elsewhere.submit(lambda: holder.execute("LOCK TABLE tasks")).result()

        *before, locked, after = [tasks.add(title="Buy milk") for _ in range(PREPARE_THRESHOLD + 2)]
        for task in before:
            write(tasks, task.id, lambda: None)
        with pytest.raises(Unavailable, match="lock timeout") as caught:
            write(tasks, locked.id, lock)
        assert caught.value.outcome == "not_applied"
        holder.rollback()
        assert tasks.get(locked.id) == locked
        write(tasks, after.id, lambda: None)
        assert after not in tasks.list(TaskQuery()).tasks
    engine.dispose()


@pytest.mark.usefixtures("far_from_utc")
def test_a_moment_without_a_zone_is_utc_wherever_the_machine_is() -> None:
    """SQLite keeps moments without one; one with another zone comes in UTC."""
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
