"""The outcome of writes whose response is lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from functools import partial
from itertools import chain, count, repeat
from time import monotonic
from typing import Any, NamedTuple
from unittest.mock import Mock
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, text
from tests.databases import Database, await_lock, service_engine
from tests.keyed import add_once
from tests.postgres import Databases
from tests.tcp_proxy import TcpProxy, tcp_proxy

from taskservice.adapters.sql import engine as engines
from taskservice.adapters.sql.connection import commit_outcome, retries
from taskservice.adapters.sql.connection.errors import ConnectionLost
from taskservice.adapters.sql.connection.timeouts import ReadTimeout, TimeoutConnection
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.errors import ReadOnly, StaleEntity, TaskNotFound, Unavailable
from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.ids import NewId, TimeOrderedIds
from taskservice.core.moves import Move
from taskservice.core.operations.metrics import Metrics, WriteOutcome
from taskservice.core.preconditions import at_version, with_precondition
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, complete_task, move_task, remove_task
from taskservice.core.workspace import TaskService, Workspace
from taskservice.testing import ADA, START, tasks_of
from taskservice.testing.contract.owner_data import some_tasks

OWNER = "lost-answers"
COMMIT = b"COMMIT\0"  # As a query of its own; "READ COMMITTED" is none.


class Write(NamedTuple):
    """A write, the start of its statement, and the version after it."""

    operation: Callable[[TaskService, Task], object]
    statement: bytes
    leaves: int | None


WRITES = {
    "change": Write(lambda tasks, task: tasks.change(task.id, Task.complete), b"UPDATE tasks", 2),
    "change of a version": Write(
        lambda tasks, task: tasks.change(
            task.id, with_precondition(at_version({1}), Task.complete)
        ),
        b"UPDATE tasks",
        2,
    ),
    "remove": Write(lambda tasks, task: tasks.trash(task.id), b"DELETE FROM tasks", None),
    "remove of a version": Write(
        lambda tasks, task: tasks.trash(task.id, at_version({1})), b"DELETE FROM tasks", None
    ),
}


class ResolvedCommits(Metrics):
    """Records the outcomes of COMMITs whose response was lost."""

    def __init__(self) -> None:
        self.outcomes: list[WriteOutcome] = []

    def commit_resolved(self, outcome: WriteOutcome) -> None:
        self.outcomes.append(outcome)


class Fragile(NamedTuple):
    """A service behind a wire that may lose an answer."""

    engine: Engine
    proxy: TcpProxy
    resolved: ResolvedCommits

    def create(self, key: str) -> str:
        """Create a task with a key; return its title."""
        with SqlStorage(self.engine).open_workspace(OWNER, atomic=True) as workspace:
            return add_once(workspace, NewTask(title=f"under {key}"), key).title

    def add(self, title: str) -> Task:
        with tasks_of(SqlStorage(self.engine).open_workspace)(OWNER) as tasks:
            return tasks.add(NewTask(title=title))

    def write(self, write: Write, task: Task) -> int | None:
        """Do it to the task, and return the task's version after it, None where it is gone."""
        with tasks_of(SqlStorage(self.engine).open_workspace)(OWNER) as tasks:
            write.operation(tasks, task)
            versions = {task.id: task.version for task in tasks.list(TaskQuery()).items}
        return versions.get(task.id)

    def titles(self) -> list[str]:
        with tasks_of(SqlStorage(self.engine).open_workspace)(OWNER) as tasks:
            return [task.title for task in tasks.list(TaskQuery()).items]


@pytest.fixture
def fragile(database: Database) -> Iterator[Fragile]:
    with tcp_proxy(database.service) as (proxy, through):
        resolved = ResolvedCommits()
        engine = service_engine(
            through, pool_size=1, statement_timeout=20, lock_timeout=10, metrics=resolved
        )
        yield Fragile(engine, proxy, resolved)
        engine.dispose()


def test_a_lost_response_to_commit_is_resolved(fragile: Fragile) -> None:
    """The write succeeds as if the response had come, and is counted once as resolved."""
    fragile.create("before")
    fragile.proxy.lose_answer_to = COMMIT
    assert fragile.create("lost") == "under lost"
    assert fragile.proxy.lost == 1
    assert fragile.resolved.outcomes == ["applied"]
    assert fragile.titles()[0] == "under lost"
    assert fragile.create("lost") == "under lost"
    assert fragile.titles().count("under lost") == 1


def test_a_lost_commit_of_a_key_alone_is_applied(fragile: Fragile) -> None:
    """Without a change its record is looked for, which a retry has."""
    title = fragile.create("used")

    def replay() -> str:
        with SqlStorage(fragile.engine).open_workspace(OWNER, atomic=True) as workspace:
            if begin(workspace.idempotency, IdempotencyKey("alone", b"fingerprint")) is None:
                workspace.idempotency.complete("alone", title.encode())
            found = begin(workspace.idempotency, IdempotencyKey("alone", b"fingerprint"))
        assert found is not None
        return found.decode()

    fragile.proxy.lose_answer_to = COMMIT
    assert replay() == title
    assert fragile.resolved.outcomes == ["applied"]
    assert replay() == title


def test_an_import_whose_commit_got_no_response_is_applied(fragile: Fragile) -> None:
    """By its last change. One of nothing new has nothing to lose."""
    owner_data = SqlOwnerData(fragile.engine, ADA)
    entities = some_tasks(2)
    fragile.add("before")
    before = owner_data.count().changes
    fragile.proxy.lose_answer_to = COMMIT
    assert (owner_data.import_entities(entities), fragile.proxy.lost) == ([], 1)
    assert owner_data.count().changes == before + 2
    fragile.proxy.lose_answer_to = COMMIT
    assert (owner_data.import_entities(entities), fragile.proxy.lost) == ([], 2)


def test_a_move_whose_commit_got_no_response_is_applied(fragile: Fragile) -> None:
    """It has no key; the log decides."""
    first, second = (fragile.add(title) for title in "AB")
    open_own = partial(SqlStorage(fragile.engine).open_workspace, OWNER)
    fragile.proxy.lose_answer_to = COMMIT
    moved = move_task(open_own, second.id, Move(before=first.id))
    assert fragile.resolved.outcomes == ["applied"]
    with open_own() as workspace:
        assert workspace.tasks.get(second.id) == moved


class Series(NamedTuple):
    """A series of tasks, changed over a wire that may lose an answer, and read over another."""

    engine: Engine
    whole: Engine

    def add(self, *, closed: bool) -> Task:
        """Add a task that recurs, and close it."""
        open_own = partial(SqlStorage(self.whole).open_workspace, OWNER)
        with open_own() as workspace:
            task = workspace.tasks.add(
                NewTask(title="series", due=date(2026, 3, 1), recurrence="FREQ=DAILY")
            )
        return complete_task(open_own, task.id, Completion(True)) if closed else task

    def set_completed(self, task: Task, completed: bool, key: str | None) -> bool:
        """Close or reopen a task, with a key if there is one; return whether it is closed then."""
        open_own = partial(SqlStorage(self.engine).open_workspace, OWNER)
        if key is None:
            return complete_task(open_own, task.id, Completion(completed)).completed
        with open_own(atomic=True) as workspace:
            return _set_completed_once(workspace, task, completed, key)

    def is_closed(self, task: Task) -> bool:
        """Return whether a task is closed, and has one successor, or is open without one."""
        with SqlStorage(self.whole).open_workspace(OWNER) as workspace:
            found = workspace.tasks.list(TaskQuery(series_id=task.series_id)).items
        left = {one.id: one for one in found}
        closed = left.pop(task.id)
        assert [*left] == ([closed.next_id] if closed.completed else [])
        assert all(one.recurrence for one in found)
        return closed.completed


def _set_completed_once(workspace: Workspace, task: Task, completed: bool, key: str) -> bool:
    if begin(workspace.idempotency, IdempotencyKey(key, b"fingerprint")) is None:
        joined: Any = lambda **_: nullcontext(workspace)  # noqa: E731
        changed = complete_task(joined, task.id, Completion(completed))
        workspace.idempotency.complete(key, b"closed" if changed.completed else b"open")
    return begin(workspace.idempotency, IdempotencyKey(key, b"fingerprint")) == b"closed"


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize("loss", ["lose", "lose_answer_to"])
def test_a_closing_is_whole_whichever_statement_is_lost(
    fragile: Fragile, role_engine: Engine, loss: str, completed: bool, keyed: bool
) -> None:
    """It has made its successor, and an undo has removed it, or neither; the outcome says which.

    A retry does the rest.
    """
    series = Series(fragile.engine, role_engine)
    remaining = count()
    fragile.add("before")

    def lose(*_: object) -> None:
        if next(remaining) == 0:
            setattr(fragile.proxy, loss, b"")

    event.listen(fragile.engine, "before_cursor_execute", lose)
    for number in count():
        task = series.add(closed=not completed)
        key = str(task.id) if keyed else None
        remaining = count(-number)
        try:
            outcome = "applied"
            assert series.set_completed(task, completed, key) == completed
        except Unavailable as error:
            outcome = error.outcome
        sent = next(remaining) + number
        assert outcome == ("applied" if series.is_closed(task) == completed else "not_applied")
        assert series.set_completed(task, completed, key) == completed
        assert series.is_closed(task) == completed
        if fragile.proxy.lost == number:
            break
    assert sent == number > 8


def test_a_closing_is_applied_if_its_successor_is_gone(
    fragile: Fragile, role_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The closing itself shows that the transaction was committed."""
    series = Series(fragile.engine, role_engine)
    task = series.add(closed=False)
    open_own = partial(SqlStorage(role_engine).open_workspace, OWNER)

    def remove_successor(_: float) -> None:
        with open_own() as workspace:
            while (next_id := workspace.tasks.get(task.id).next_id) is None:
                pass
        remove_task(open_own, next_id)

    monkeypatch.setattr(commit_outcome, "sleep", remove_successor)
    fragile.add("before")
    fragile.proxy.lose_answer_to = COMMIT
    assert series.set_completed(task, True, None)
    assert fragile.resolved.outcomes == ["applied"]


def test_a_commit_without_a_response_in_time_is_unknown(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been applied."""
    monkeypatch.setattr(
        engines, "READ_TIMEOUT_MARGIN_SECONDS", -2.5
    )  # Before the server ends what is idle.
    with tcp_proxy(database.service) as (proxy, through):
        engine = service_engine(through, pool_size=1, statement_timeout=3)
        opened = tasks_of(SqlStorage(engine).open_workspace)(OWNER, atomic=True)
        with pytest.raises(Unavailable, match="in time") as caught, opened as tasks:
            tasks.add(NewTask(title="swallowed"))
            proxy.is_silent = True
        assert caught.value.outcome == "unknown"
        engine.dispose()


def test_a_transaction_terminated_before_its_commit_was_not_applied(
    fragile: Fragile, postgresql: Databases
) -> None:
    """The outcome is `not_applied`, and the rows are absent."""
    opened = tasks_of(SqlStorage(fragile.engine).open_workspace)(OWNER, atomic=True)
    with pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(NewTask(title="never"))
        postgresql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'"
        )
    assert caught.value.outcome == "not_applied"
    assert "never" not in fragile.titles()


def test_a_lost_connection_at_the_key_was_not_applied(fragile: Fragile) -> None:
    """The key can be used again."""
    fragile.create("before it breaks")
    fragile.proxy.lose = b"INSERT INTO idempotency_keys"
    with pytest.raises(Unavailable) as caught:
        fragile.create("broken off")
    assert caught.value.outcome == "not_applied"
    assert fragile.create("broken off") == "under broken off"


def test_without_a_database_the_outcome_is_unknown(
    fragile: Fragile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the retry timeout."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.2)
    fragile.create("first of all")
    fragile.proxy.lose_answer_to = COMMIT
    opened = tasks_of(SqlStorage(fragile.engine).open_workspace)(OWNER, atomic=True)
    with pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(NewTask(title="who knows"))
        fragile.proxy.is_cut = True
    assert [caught.value.outcome] == fragile.resolved.outcomes == ["unknown"]


LOSSES = ["lose", "lose_answer_to"]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_create_is_applied_once_if_request_or_response_is_lost(
    fragile: Fragile, loss: str
) -> None:
    """The retry uses the same id, in a list too."""
    with SqlStorage(fragile.engine).open_workspace(OWNER) as workspace:
        a_list = workspace.lists.add(NewTaskList(name="before"))
        setattr(fragile.proxy, loss, b"INSERT INTO tasks")
        task = workspace.tasks.add(NewTask(title=f"once: {loss}", list_id=a_list.id))
        assert fragile.proxy.lost == 1
        assert workspace.tasks.get(task.id) == task
    assert fragile.titles().count(f"once: {loss}") == 1


@contextmanager
def only_read_after_a_loss(fragile: Fragile, role: str, server: Databases) -> Iterator[None]:
    """Have the next loss on the wire leave a database that takes no write any more."""
    setting = "default_transaction_read_only"
    fragile.proxy.on_loss = lambda: server.execute(f"ALTER ROLE {role} SET {setting} = on")
    try:
        yield
    finally:
        server.execute(f"ALTER ROLE {role} RESET {setting}")


def test_a_create_is_resolved_on_a_database_that_became_read_only(
    fragile: Fragile, database: Database, postgresql: Databases
) -> None:
    """The second INSERT fails, as after a failover, and the row of the first is found."""
    fragile.add("before")
    fragile.proxy.lose_answer_to = b"INSERT INTO tasks"
    with only_read_after_a_loss(fragile, database.role, postgresql):
        task = fragile.add("found")
        assert fragile.proxy.lost == 1
        assert fragile.titles().count("found") == 1
        with pytest.raises(ReadOnly):
            fragile.add("refused")
    assert task.title == "found"


def test_a_create_is_unknown_if_its_row_is_missing_on_a_read_only_database(
    fragile: Fragile, database: Database, postgresql: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first INSERT may still be applied."""
    monkeypatch.setattr(retries, "RETRY_TIMEOUT", 0.2)
    fragile.add("before")
    fragile.proxy.lose = b"INSERT INTO tasks"
    with (
        only_read_after_a_loss(fragile, database.role, postgresql),
        pytest.raises(Unavailable, match="read-only") as caught,
    ):
        fragile.add("nowhere")
    assert (caught.value.outcome, fragile.proxy.lost) == ("unknown", 1)
    assert "nowhere" not in fragile.titles()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_change_is_applied_once_if_request_or_response_is_lost(
    fragile: Fragile, loss: str, write: Write
) -> None:
    """A retry does not fail its own precondition."""
    task = fragile.add("to be changed")
    setattr(fragile.proxy, loss, write.statement)
    assert fragile.write(write, task) == write.leaves
    assert fragile.proxy.lost == 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_retry_waits_for_a_first_attempt_in_progress(
    fragile: Fragile, superuser_engine: Engine, write: Write
) -> None:
    """Both are the same change."""
    with superuser_engine.connect() as holder, ThreadPoolExecutor(1) as pool:
        task = fragile.add("held")
        holder.exec_driver_sql("BEGIN")
        holder.execute(text("SELECT 1 FROM tasks WHERE id = :id FOR UPDATE"), {"id": task.id})
        fragile.proxy.lose_answer_to = write.statement
        changing = pool.submit(fragile.write, write, task)
        await_lock(superuser_engine, 2)
        holder.exec_driver_sql("ROLLBACK")
        assert changing.result() == write.leaves


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_read_is_retried(fragile: Fragile, loss: str, write: Write) -> None:
    """A connection lost before any write is no reason to fail."""
    task = fragile.add("to be read")
    setattr(fragile.proxy, loss, b"SELECT tasks.id")
    assert fragile.write(write, task) == write.leaves
    assert fragile.proxy.lost == 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_change_whose_read_fails_was_not_applied(
    fragile: Fragile, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    """The database does not respond in time, and nothing was written."""
    monkeypatch.setattr(retries, "RETRY_TIMEOUT", 0.2)
    task = fragile.add("out of reach")
    fragile.proxy.lose, fragile.proxy.is_cut = b"SELECT tasks.id", True
    with pytest.raises(Unavailable) as caught:
        fragile.write(write, task)
    assert caught.value.outcome == "not_applied"


def test_beginning_a_transaction_is_retried(fragile: Fragile, postgresql: Databases) -> None:
    """If an idle connection in the pool was terminated."""
    fragile.create("before the end")
    postgresql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
    )
    assert fragile.create("after the end") == "under after the end"


EDIT = "changed by others"


def edit_twice(tasks: TaskService, task_id: UUID) -> None:
    """Change a task and reopen it."""
    tasks.change(task_id, partial(Task.edit, title=EDIT))
    tasks.change(task_id, partial(Task.edit, completed=False, description=EDIT))


MEANWHILE: dict[str, Callable[[TaskService, UUID], object]] = {
    "changed": edit_twice,
    "removed": lambda tasks, task_id: tasks.trash(task_id),
}


class Overtaken(NamedTuple):
    """A write of which something is lost, what others do meanwhile, and what comes of it.

    The result is a version or an error; the changes of the task are those in the log.
    """

    loss: str
    write: str
    meanwhile: str
    result: int | type[Exception] | None
    changes: str


OVERTAKEN = [
    Overtaken("lose", "change", "changed", 4, "created changed changed completed"),
    Overtaken("lose", "change", "removed", TaskNotFound, "created removed"),
    Overtaken("lose", "change of a version", "changed", StaleEntity, "created changed changed"),
    Overtaken("lose", "change of a version", "removed", TaskNotFound, "created removed"),
    Overtaken("lose", "remove", "changed", None, "created changed changed removed"),
    Overtaken("lose", "remove", "removed", TaskNotFound, "created removed"),
    Overtaken("lose", "remove of a version", "changed", StaleEntity, "created changed changed"),
    Overtaken("lose", "remove of a version", "removed", TaskNotFound, "created removed"),
    Overtaken("lose_answer_to", "change", "changed", 2, "created completed changed reopened"),
    Overtaken("lose_answer_to", "change", "removed", 2, "created completed removed"),
    Overtaken(
        "lose_answer_to", "change of a version", "changed", 2, "created completed changed reopened"
    ),
    Overtaken("lose_answer_to", "change of a version", "removed", 2, "created completed removed"),
    Overtaken("lose_answer_to", "create", "changed", 1, "created changed changed"),
    Overtaken("lose_answer_to", "create", "removed", 1, "created removed"),
]


def types_of_changes(engine: Engine, ids: UUID) -> str:
    """Return what has happened to a task, in the order of the log."""
    query = text("SELECT type FROM changes WHERE entity_id = :id ORDER BY seq")
    with engine.connect() as connection:
        types = connection.execute(query, {"id": ids}).scalars().all()
    return " ".join(one.removeprefix("task.") for one in types)


@pytest.mark.parametrize("case", OVERTAKEN, ids=lambda one: " ".join(one[:3]))
def test_a_lost_write_of_a_task_that_others_write_has_one_effect(
    fragile: Fragile, role_engine: Engine, superuser_engine: Engine, case: Overtaken
) -> None:
    """It is found in the log if it was applied; else it is done on what others have left."""
    known = TimeOrderedIds()(START)
    storage = SqlStorage(fragile.engine, new_id=ids_of(known))
    is_creation = case.write == "create"
    write = CREATE if is_creation else WRITES[case.write]
    task = None if is_creation else storage_add(storage)

    def write_elsewhere() -> None:
        if case.loss == "lose_answer_to":
            applied = "created" if is_creation else "created completed"
            while types_of_changes(superuser_engine, known) != applied:
                pass
        with tasks_of(SqlStorage(role_engine).open_workspace)(OWNER) as tasks:
            MEANWHILE[case.meanwhile](tasks, known)

    def overtake(*_: object) -> None:
        if fragile.proxy.lost == 1:
            fragile.proxy.lost = 2
            with ThreadPoolExecutor(1) as pool:
                pool.submit(write_elsewhere).result()

    fragile.add("before")
    event.listen(fragile.engine, "before_cursor_execute", overtake)
    setattr(fragile.proxy, case.loss, write.statement)
    found: Any
    try:
        with tasks_of(storage.open_workspace)(OWNER) as tasks:
            found = write.operation(tasks, task)  # type: ignore[arg-type]
    except (TaskNotFound, StaleEntity) as error:
        found = type(error)
    assert fragile.proxy.lost == 2
    assert getattr(found, "version", found) == case.result
    assert types_of_changes(superuser_engine, known) == case.changes


CREATE = Write(lambda tasks, _: tasks.add(NewTask(title="contended")), b"INSERT INTO tasks", 1)


def ids_of(known: UUID) -> NewId:
    """Return a function that generates a known id, and others after it."""
    ids = chain([known], map(TimeOrderedIds(), repeat(START)))
    return lambda _: next(ids)


def storage_add(storage: SqlStorage) -> Task:
    """Add the task of the first id."""
    with storage.open_workspace(OWNER) as workspace:
        return workspace.tasks.add(NewTask(title="contended"))


def test_a_creation_that_is_lost_twice_has_one_effect(
    fragile: Fragile, superuser_engine: Engine
) -> None:
    """First its request, then the response to the retry."""
    fragile.add("before")

    def lose_next() -> None:
        fragile.proxy.on_loss = lambda: None
        fragile.proxy.lose_answer_to = CREATE.statement

    fragile.proxy.lose, fragile.proxy.on_loss = CREATE.statement, lose_next
    task = fragile.add("lost twice")
    assert fragile.proxy.lost == 2
    assert fragile.titles().count("lost twice") == 1
    assert types_of_changes(superuser_engine, task.id) == "created"


def test_a_create_in_flight_is_waited_for(
    fragile: Fragile, role_engine: Engine, superuser_engine: Engine
) -> None:
    """While the first attempt still waits for the owner's lock, the retry inserts nothing."""
    with ThreadPoolExecutor(1) as pool:
        with SqlStorage(role_engine).open_workspace(OWNER, atomic=True) as workspace:
            workspace.lock()
            adding = pool.submit(fragile.add, "in flight")
            await_lock(superuser_engine)
            fragile.proxy.cut()
            await_lock(superuser_engine, 2)
        task = adding.result()
    assert task.title == "in flight"
    assert fragile.titles().count("in flight") == 1


def test_a_lost_change_overtaken_by_another_is_retried(
    fragile: Fragile, database: Database
) -> None:
    """One version later, with other content: the lost write cannot be applied any more."""
    other = service_engine(database.service)
    steps: list[int] = []
    with tasks_of(SqlStorage(fragile.engine).open_workspace)(OWNER) as tasks:
        task = tasks.add(NewTask(title="contended"))
        fragile.proxy.lose = b"UPDATE tasks"
        fragile.proxy.on_loss = lambda: overtake(other, task.id)

        def step(task: Task, now: datetime) -> Task:
            steps.append(task.version)
            return task.edit(now, description="second")

        after = tasks.change(task.id, step)
    assert steps == [1, 2]
    assert (after.title, after.description, after.version) == ("overtaken", "second", 3)
    other.dispose()


def test_a_lost_removal_of_an_old_version_was_not_applied(
    fragile: Fragile, role_engine: Engine
) -> None:
    """If another request removes the changed task then, it is not found."""
    task = fragile.add("contended")

    def remove_elsewhere(seen: Task) -> None:
        if seen.version == 2:
            with tasks_of(SqlStorage(role_engine).open_workspace)(OWNER) as tasks:
                tasks.trash(task.id)

    fragile.proxy.lose = b"DELETE FROM tasks"
    fragile.proxy.on_loss = lambda: overtake(role_engine, task.id)
    with (
        tasks_of(SqlStorage(fragile.engine).open_workspace)(OWNER) as tasks,
        pytest.raises(TaskNotFound),
    ):
        tasks.trash(task.id, remove_elsewhere)
    assert fragile.proxy.lost == 1


def overtake(engine: Engine, task_id: UUID) -> None:
    """Change the task under way."""
    with tasks_of(SqlStorage(engine).open_workspace)(OWNER) as tasks:
        tasks.change(task_id, partial(Task.edit, title="overtaken"))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record pauses instead of pausing."""
    found: list[float] = []
    monkeypatch.setattr(retries, "sleep", found.append)
    return found


def test_a_lost_connection_is_retried_until_success(pauses: list[float]) -> None:
    """After a random pause each time but the first."""
    ask = Mock(
        side_effect=[
            ConnectionLost("1"),
            ConnectionLost("2", "unknown"),
            Unavailable("3"),
            "an answer",
        ]
    )
    assert retries.retry_on_disconnect(ask) == "an answer"
    assert len(set(pauses)) == 2
    assert all(0 <= pause <= retries.MAX_PAUSE for pause in pauses)


def test_retries_end_after_the_timeout(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the outcome of the first attempt, and the message of the last."""
    monkeypatch.setattr(retries, "RETRY_TIMEOUT", -1)
    ask = Mock(side_effect=[ConnectionLost("first", "unknown"), Unavailable("last"), "too late"])
    with pytest.raises(Unavailable, match="last") as caught:
        retries.retry_on_disconnect(ask)
    assert (caught.value.outcome, pauses) == ("unknown", [])


def test_a_read_timeout_makes_a_write_unknown(database: Database) -> None:
    """A second after the statement timeout."""
    with tcp_proxy(database.service) as (proxy, through):
        engine = service_engine(through, pool_size=1, statement_timeout=0.5)
        with tasks_of(SqlStorage(engine).open_workspace)(OWNER) as tasks:
            tasks.add(NewTask(title="answered"))
            proxy.is_silent = True
            began = monotonic()
            with pytest.raises(Unavailable, match="did not respond in time") as caught:
                tasks.add(NewTask(title="swallowed"))
        assert 1 < monotonic() - began < 3
        assert caught.value.outcome == "unknown"
        engine.dispose()


def test_a_connection_is_closed_after_a_read_timeout(database: Database) -> None:
    """A late response must not be taken for that to the next statement."""
    with tcp_proxy(database.service) as (proxy, through):
        engine = service_engine(through, pool_size=1, statement_timeout=0.5)
        pooled = engine.raw_connection()
        driver = pooled.driver_connection
        assert isinstance(driver, TimeoutConnection)
        proxy.is_silent = True
        with pytest.raises(ReadTimeout):
            driver.execute("SELECT 1")
        assert driver.closed
        pooled.invalidate()
        engine.dispose()
