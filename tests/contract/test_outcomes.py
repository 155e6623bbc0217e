"""The truth about a write whose COMMIT was not answered."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from time import monotonic
from typing import NamedTuple
from unittest.mock import Mock, create_autospec
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from tests.homes import Home, await_lock, served_engine
from tests.postgres import Databases
from tests.proxy import Wire, wired

from taskservice.adapters.sql import engine as engines
from taskservice.adapters.sql.connection import commit_outcome, retries
from taskservice.adapters.sql.connection.errors import ConnectionLost
from taskservice.adapters.sql.connection.read_timeout import ReadTimeout, TimeoutConnection
from taskservice.adapters.sql.storage.changes import Delete
from taskservice.adapters.sql.storage.idempotency import SqlIdempotencyStore
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.rows import TaskRows
from taskservice.adapters.sql.storage.task_service import SqlTasks
from taskservice.core.errors import ReadOnly, TaskNotFound, Unavailable
from taskservice.core.idempotency import IdempotencyKey
from taskservice.core.idempotent_tasks import IdempotentTasks
from taskservice.core.preconditions import at_version, with_precondition
from taskservice.core.query import TaskQuery
from taskservice.core.service import TaskService
from taskservice.core.task import Task
from taskservice.testing import ADA, START
from taskservice.testing.contract.owner_data import some_tasks

OWNER = "lost-answers"
COMMIT = b"COMMIT\0"  # As a query of its own; "READ COMMITTED" is none.


class Write(NamedTuple):
    """A door that writes, what its statement begins with, and the version that it leaves."""

    door: Callable[[TaskService, Task], object]
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
    "remove": Write(lambda tasks, task: tasks.remove(task.id), b"DELETE FROM tasks", None),
    "remove of a version": Write(
        lambda tasks, task: tasks.remove(task.id, at_version({1})), b"DELETE FROM tasks", None
    ),
}


class Fragile(NamedTuple):
    """A service behind a wire that may lose an answer."""

    engine: Engine
    wire: Wire

    def create(self, key: str) -> str:
        """Create a task with a key; return its title."""
        with SqlTasks(self.engine).open_tasks(OWNER, atomic=True) as tasks:
            return (
                IdempotentTasks(tasks, IdempotencyKey(key, b"digest"))
                .add(title=f"under {key}")
                .title
            )

    def add(self, title: str) -> Task:
        with SqlTasks(self.engine).open_tasks(OWNER) as tasks:
            return tasks.add(title=title)

    def write(self, write: Write, task: Task) -> int | None:
        """Do it to the task, and return the task's version after it, None where it is gone."""
        with SqlTasks(self.engine).open_tasks(OWNER) as tasks:
            write.door(tasks, task)
            versions = {task.id: task.version for task in tasks.list(TaskQuery()).tasks}
        return versions.get(task.id)

    def titles(self) -> list[str]:
        with SqlTasks(self.engine).open_tasks(OWNER) as tasks:
            return [task.title for task in tasks.list(TaskQuery()).tasks]


@pytest.fixture
def fragile(home: Home) -> Iterator[Fragile]:
    with wired(home.service) as (wire, through):
        engine = served_engine(through, pool_size=1)
        yield Fragile(engine, wire)
        engine.dispose()


def test_a_commit_whose_answer_was_lost_is_found_out(fragile: Fragile) -> None:
    """The write succeeds as if it had been answered: the database knows the transaction."""
    fragile.create("before")
    fragile.wire.lose_answer_to = COMMIT
    assert fragile.create("lost") == "under lost"
    assert fragile.wire.lost == 1
    assert fragile.titles()[0] == "under lost"
    assert fragile.create("lost") == "under lost"
    assert fragile.titles().count("under lost") == 1


def test_a_commit_counts_where_what_it_wrote_is_there(
    fragile: Fragile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may know the number of the transaction as that of another."""
    fragile.create("before that")
    fragile.wire.lose_answer_to = COMMIT
    monkeypatch.setattr(SqlIdempotencyStore, "is_committed", lambda *_: False)
    with pytest.raises(Unavailable) as caught:
        fragile.create("somebody else's")
    assert caught.value.outcome == "not_applied"


def test_a_commit_is_believed_where_nobody_looks_for_what_it_wrote(fragile: Fragile) -> None:
    """Its number is all that there is: the block ends as if the answer had come."""
    fragile.add("before")
    fragile.wire.lose_answer_to = COMMIT
    restored = SqlOwnerData(fragile.engine, ADA).import_tasks(some_tasks(1))
    assert (restored, fragile.wire.lost) == ([], 1)


def test_a_commit_that_is_never_answered_is_unknown(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence tells nothing: what was written may be there."""
    monkeypatch.setattr(
        engines, "READ_TIMEOUT_MARGIN_SECONDS", -2.5
    )  # Before the server ends what is idle.
    with wired(home.service) as (wire, through):
        engine = served_engine(through, pool_size=1, statement_timeout=3)
        opened = SqlTasks(engine).open_tasks(OWNER, atomic=True)
        with pytest.raises(Unavailable, match="in time") as caught, opened as tasks:
            tasks.add(title="swallowed")
            wire.is_silent = True
        assert caught.value.outcome == "unknown"
        engine.dispose()


def test_a_transaction_that_died_before_its_commit_was_not_applied(
    fragile: Fragile, postgresql: Databases
) -> None:
    """The server had ended it: `not_applied`, and it is not."""
    opened = SqlTasks(fragile.engine).open_tasks(OWNER, atomic=True)
    with pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(title="never")
        postgresql.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'"
        )
    assert caught.value.outcome == "not_applied"
    assert "never" not in fragile.titles()


def test_a_key_that_cannot_be_claimed_is_an_outage(fragile: Fragile) -> None:
    """Where the connection breaks at it, nothing was applied, and the key is free."""
    fragile.create("before it breaks")
    fragile.wire.lose = b"INSERT INTO receipts"
    with pytest.raises(Unavailable) as caught:
        fragile.create("broken off")
    assert caught.value.outcome == "not_applied"
    assert fragile.create("broken off") == "under broken off"


def test_what_nobody_can_tell_is_unknown(fragile: Fragile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the database cannot be asked in time: `unknown`, after a bounded wait."""
    monkeypatch.setattr(commit_outcome, "RETRY_TIMEOUT", 0.2)
    fragile.create("first of all")
    fragile.wire.lose_answer_to = COMMIT
    opened = SqlTasks(fragile.engine).open_tasks(OWNER, atomic=True)
    with pytest.raises(Unavailable) as caught, opened as tasks:
        tasks.add(title="who knows")
        fragile.wire.is_cut = True
    assert caught.value.outcome == "unknown"


LOSSES = ["lose", "lose_answer_to"]


@pytest.mark.parametrize("loss", LOSSES)
def test_a_task_is_created_once_whatever_is_lost(fragile: Fragile, loss: str) -> None:
    """The request or its answer: it is asked for again under the same id."""
    with SqlTasks(fragile.engine).open_tasks(OWNER) as tasks:
        tasks.add(title="before")
        setattr(fragile.wire, loss, b"INSERT INTO tasks")
        task = tasks.add(title=f"once: {loss}")
        assert fragile.wire.lost == 1
        assert tasks.get(task.id) == task
    assert fragile.titles().count(f"once: {loss}") == 1


@contextmanager
def only_read_after_a_loss(fragile: Fragile, role: str, server: Databases) -> Iterator[None]:
    """Have the next loss on the wire leave a database that takes no write any more."""
    setting = "default_transaction_read_only"
    fragile.wire.on_loss = lambda: server.execute(f"ALTER ROLE {role} SET {setting} = on")
    try:
        yield
    finally:
        server.execute(f"ALTER ROLE {role} RESET {setting}")


def test_a_task_that_was_created_is_found_where_nothing_is_written_any_more(
    fragile: Fragile, home: Home, postgresql: Databases
) -> None:
    """The second insertion is refused, as after a failover: the row tells of the first."""
    fragile.add("before")
    fragile.wire.lose_answer_to = b"INSERT INTO tasks"
    with only_read_after_a_loss(fragile, home.role, postgresql):
        task = fragile.add("found")
        assert fragile.wire.lost == 1
        assert fragile.titles().count("found") == 1
        with pytest.raises(ReadOnly):
            fragile.add("refused")
    assert task.title == "found"


def test_a_task_that_is_not_there_and_cannot_be_created_is_unknown(
    fragile: Fragile, home: Home, postgresql: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it is not there yet does not say that it never will be."""
    monkeypatch.setattr(retries, "RETRY_TIMEOUT", 0.2)
    fragile.add("before")
    fragile.wire.lose = b"INSERT INTO tasks"
    with (
        only_read_after_a_loss(fragile, home.role, postgresql),
        pytest.raises(Unavailable, match="read-only") as caught,
    ):
        fragile.add("nowhere")
    assert (caught.value.outcome, fragile.wire.lost) == ("unknown", 1)
    assert "nowhere" not in fragile.titles()


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_task_is_changed_once_whatever_is_lost(fragile: Fragile, loss: str, write: Write) -> None:
    """It is found to be as it was sent, or sent again; a precondition is not failed by itself."""
    task = fragile.add("to be changed")
    setattr(fragile.wire, loss, write.statement)
    assert fragile.write(write, task) == write.leaves
    assert fragile.wire.lost == 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_is_still_under_way_is_waited_for(
    fragile: Fragile, owner_engine: Engine, write: Write
) -> None:
    """The first sending may be done after the second has been sent: it is the same change."""
    with owner_engine.connect() as holder, ThreadPoolExecutor(1) as pool:
        task = fragile.add("held")
        holder.exec_driver_sql("BEGIN")
        holder.execute(text("SELECT 1 FROM tasks WHERE id = :id FOR UPDATE"), {"id": task.id})
        fragile.wire.lose_answer_to = write.statement
        changing = pool.submit(fragile.write, write, task)
        await_lock(owner_engine, 2)
        holder.exec_driver_sql("ROLLBACK")
        assert changing.result() == write.leaves


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_reading_is_asked_for_again(fragile: Fragile, loss: str, write: Write) -> None:
    """What breaks off before anything was written is no reason to fail."""
    task = fragile.add("to be read")
    setattr(fragile.wire, loss, b"SELECT tasks.id")
    assert fragile.write(write, task) == write.leaves
    assert fragile.wire.lost == 1


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_change_of_what_could_not_be_read_was_not_applied(
    fragile: Fragile, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    """Where nobody answers in time, and nothing was written before."""
    monkeypatch.setattr(retries, "RETRY_TIMEOUT", 0.2)
    task = fragile.add("out of reach")
    fragile.wire.lose, fragile.wire.is_cut = b"SELECT tasks.id", True
    with pytest.raises(Unavailable) as caught:
        fragile.write(write, task)
    assert caught.value.outcome == "not_applied"


def test_a_transaction_begins_on_a_connection_that_lives(
    fragile: Fragile, postgresql: Databases
) -> None:
    """One that died while it rested is no reason to fail."""
    fragile.create("before the end")
    postgresql.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'"
    )
    assert fragile.create("after the end") == "under after the end"


MEANWHILE: dict[str, Callable[[TaskService, UUID], object]] = {
    "changed twice": lambda tasks, task_id: [
        tasks.change(task_id, partial(Task.edit, title=title)) for title in ("one", "two")
    ],
    "deleted": lambda tasks, task_id: tasks.remove(task_id),
}


@pytest.mark.parametrize("meanwhile", MEANWHILE.values(), ids=MEANWHILE)
def test_what_others_have_changed_meanwhile_is_unknown(
    fragile: Fragile,
    home: Home,
    pauses: list[float],
    meanwhile: Callable[[TaskService, UUID], object],
) -> None:
    """Two versions on, or gone: nobody can tell whether the lost one came first, now or later."""
    other = served_engine(home.service)
    task = fragile.add("contended")

    def overtake() -> None:
        with SqlTasks(other).open_tasks(OWNER) as tasks:
            meanwhile(tasks, task.id)

    fragile.wire.lose, fragile.wire.on_loss = b"UPDATE tasks", overtake
    with (
        SqlTasks(fragile.engine).open_tasks(OWNER) as tasks,
        pytest.raises(Unavailable, match="changed by another request") as caught,
    ):
        tasks.change(task.id, Task.complete)
    assert (caught.value.outcome, pauses) == ("unknown", [])
    other.dispose()


def test_what_another_has_changed_meanwhile_was_not_applied(fragile: Fragile, home: Home) -> None:
    """One version on, with other content: the lost one can never be done, and is decided anew."""
    other = served_engine(home.service)
    steps: list[int] = []
    with SqlTasks(fragile.engine).open_tasks(OWNER) as tasks:
        task = tasks.add(title="contended")
        fragile.wire.lose = b"UPDATE tasks"
        fragile.wire.on_loss = lambda: overtake(other, task.id)

        def step(task: Task, now: datetime) -> Task:
            steps.append(task.version)
            return task.edit(now, description="second")

        after = tasks.change(task.id, step)
    assert steps == [1, 2]
    assert (after.title, after.description, after.version) == ("overtaken", "second", 3)
    other.dispose()


def test_a_deletion_of_a_version_that_is_past_was_not_done() -> None:
    """The lost one cannot have been: where another deletes the task then, there is none."""
    task = Task.create(OWNER, START, lambda _: UUID(int=1), title="contended")
    changed = task.complete(START)
    rows = create_autospec(TaskRows, instance=True)
    rows.find.side_effect = [task, changed, TaskNotFound(task.id)]
    rows.delete.side_effect = [ConnectionLost("lost"), False]
    removal = Delete(task.id, None)
    with pytest.raises(ConnectionLost):
        removal(rows)
    with pytest.raises(TaskNotFound):
        removal(rows)


def overtake(engine: Engine, task_id: UUID) -> None:
    """Change the task under way."""
    with SqlTasks(engine).open_tasks(OWNER) as tasks:
        tasks.change(task_id, partial(Task.edit, title="overtaken"))


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was paused, instead of pausing."""
    found: list[float] = []
    monkeypatch.setattr(retries, "sleep", found.append)
    return found


def test_what_breaks_off_is_asked_until_it_answers(pauses: list[float]) -> None:
    """Each time but the first after a pause that differs from the others'."""
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


def test_when_its_time_is_over_it_is_asked_no_more(
    pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is what was known of the first; why there is no answer says the last."""
    monkeypatch.setattr(retries, "RETRY_TIMEOUT", -1)
    ask = Mock(side_effect=[ConnectionLost("first", "unknown"), Unavailable("last"), "too late"])
    with pytest.raises(Unavailable, match="last") as caught:
        retries.retry_on_disconnect(ask)
    assert (caught.value.outcome, pauses) == ("unknown", [])


def test_a_database_that_falls_silent_is_given_up(home: Home) -> None:
    """Nothing is heard for a second longer than a statement may take: a write is unknown."""
    with wired(home.service) as (wire, through):
        engine = served_engine(through, pool_size=1, statement_timeout=0.5)
        with SqlTasks(engine).open_tasks(OWNER) as tasks:
            tasks.add(title="heard")
            wire.is_silent = True
            began = monotonic()
            with pytest.raises(Unavailable, match="did not respond in time") as caught:
                tasks.add(title="swallowed")
        assert 1 < monotonic() - began < 3
        assert caught.value.outcome == "unknown"
        engine.dispose()


def test_a_connection_that_is_given_up_is_closed(home: Home) -> None:
    """An answer that comes after all is taken by nobody for that to the next question."""
    with wired(home.service) as (wire, through):
        engine = served_engine(through, pool_size=1, statement_timeout=0.5)
        pooled = engine.raw_connection()
        driver = pooled.driver_connection
        assert isinstance(driver, TimeoutConnection)
        wire.is_silent = True
        with pytest.raises(ReadTimeout):
            driver.execute("SELECT 1")
        assert driver.closed
        pooled.invalidate()
        engine.dispose()
