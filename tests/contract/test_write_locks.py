"""The lock that orders an owner's changes: readers, writers and open transactions at once.

`TASKSERVICE_TEST_SECONDS` sets how long writers and a reader run.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from random import Random
from threading import Barrier, Event
from time import monotonic
from typing import NamedTuple
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete
from tests.databases import Database, await_lock, migrated_database, service_engine, simulate_pooler
from tests.pgbouncer import pooled
from tests.postgres import Databases

from taskservice.adapters.sql.storage import repository
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import changes, heads
from taskservice.core.changes import LogEntry, Position
from taskservice.core.entity import Edit
from taskservice.core.errors import Unavailable
from taskservice.core.moves import Move
from taskservice.core.sync import FIRST
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import change_task, create_task, move_task, remove_task
from taskservice.core.trash import purge_task, restore_task
from taskservice.core.workspace import OpenOwnWorkspace, Workspace
from taskservice.testing import ADA, BOB

WRITERS = 8
SECONDS = float(os.environ.get("TASKSERVICE_TEST_SECONDS", "3"))
RACES = 300
START = Position(0, 0)

_numbers = count()


class Undone(Exception):
    """Ends a block that must leave nothing."""


@pytest.fixture(scope="module")
def own_database(postgresql: Databases) -> Iterator[Database]:
    """A database of these tests."""
    with migrated_database(postgresql) as database:
        yield database


@pytest.fixture(
    params=["direct", "pooler mode", pytest.param("pgbouncer", marks=pytest.mark.pooler)]
)
def engine(request: pytest.FixtureRequest, own_database: Database) -> Iterator[Engine]:
    """An engine with more connections than there are writers, through a pooler with fewer."""
    size = 2 * WRITERS
    if request.param == "pgbouncer":
        with pooled(own_database.service, servers=WRITERS + 4) as address:
            engine = service_engine(address, pool_size=size, lock_timeout=30, statement_timeout=60)
            yield engine
            engine.dispose()
        return
    engine = service_engine(
        own_database.service, pool_size=size, lock_timeout=30, statement_timeout=60
    )
    yield simulate_pooler(engine) if request.param == "pooler mode" else engine
    engine.dispose()


@pytest.fixture
def storage(engine: Engine) -> SqlStorage:
    return SqlStorage(engine)


@pytest.fixture
def owner() -> str:
    """An owner who has nothing yet."""
    return f"writer-{next(_numbers)}"


class Writer(NamedTuple):
    """Writes at random until `is_over`, in blocks that pause and that fail, and outside of them."""

    storage: SqlStorage
    owner: str
    random: Random
    is_over: Event

    def run(self) -> list[list[Task]]:
        """Return the tasks that were committed, those of one block together."""
        committed = []
        while not self.is_over.is_set():
            write = self.random.choice([self.write_one, self.write_block])
            with suppress(Undone):
                committed.append(write())
        return committed

    def write_one(self) -> list[Task]:
        with self.storage.open_workspace(self.owner) as workspace:
            return [workspace.tasks.add(NewTask(title="one"))]

    def write_block(self) -> list[Task]:
        with self.storage.open_workspace(self.owner, atomic=True) as workspace:
            tasks = []
            for _ in range(self.random.randrange(1, 5)):
                tasks.append(workspace.tasks.add(NewTask(title="several")))
                self.is_over.wait(self.random.choice([0, 0, 0.002, 0.01]))
            if self.random.random() < 0.4:
                raise Undone
            return tasks


def follow(storage: SqlStorage, owner: str, is_over: Event) -> list[LogEntry]:
    """Read the log by number until the end; what was read is never read again."""
    read: list[LogEntry] = []
    while True:
        is_last = is_over.is_set()
        position = read[-1].position if read else START
        with storage.open_workspace(owner) as workspace:
            page = workspace.changes.since(position, position, 5)
        read += page.entries
        if is_last and not page.entries:
            return read


def test_a_reader_by_number_misses_nothing_and_sees_nothing_taken_back(
    storage: SqlStorage, owner: str
) -> None:
    """Each committed change once, in order, without a gap; those of a block are together."""
    are_done, is_read = Event(), Event()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        reading = pool.submit(follow, storage, owner, is_read)
        chance = [Random(seed) for seed in range(WRITERS)]  # noqa: S311
        writing = [pool.submit(Writer(storage, owner, one, are_done).run) for one in chance]
        try:
            are_done.wait(SECONDS)
        finally:
            are_done.set()
            committed = [block for one in writing for block in one.result()]
            is_read.set()
        read = reading.result()
    assert [one.position.sequence for one in read] == [*range(1, len(read) + 1)]
    place = {one.entity_id: one.position.sequence for one in read}
    assert len(place) == len(read) == sum(map(len, committed)) > WRITERS
    for block in committed:
        first = place[block[0].id]
        assert [place[task.id] for task in block] == [*range(first, first + len(block))]


FIRST_WRITES: dict[str, Callable[[OpenOwnWorkspace, UUID], object]] = {
    "creation": lambda open_own, _: create_task(open_own, NewTask(title="A")),
    "change": lambda open_own, task_id: change_task(open_own, task_id, Edit({"title": "A"})),
    "removal": remove_task,
    "restoration": restore_task,
    "purge": purge_task,
    "move": lambda open_own, task_id: move_task(open_own, task_id, Move(place="last")),
}


@pytest.mark.parametrize("name", ["sqlite", "role_engine", "partitioned_engine"])
@pytest.mark.parametrize("write", FIRST_WRITES)
def test_an_owner_without_a_number_begins_with_one(
    request: pytest.FixtureRequest, owner: str, name: str, write: str
) -> None:
    """As one whose tasks an older version has written; each kind of write makes the number."""
    engine = request.getfixturevalue(name)
    open_own = partial(SqlStorage(engine).open_workspace, f"{owner}-{name}")
    with open_own() as workspace:
        task, other = add(workspace), add(workspace)
    if write in {"restoration", "purge"}:
        remove_task(open_own, task.id)
    forget_number(request, name, f"{owner}-{name}")
    FIRST_WRITES[write](open_own, task.id)
    with open_own() as workspace:
        (entry,) = workspace.changes.since(START, START, 10).entries
        assert entry.position.sequence == 1
        assert workspace.tasks.get(other.id) == other


def forget_number(request: pytest.FixtureRequest, name: str, owner: str) -> None:
    """Remove the number and the log of an owner."""
    databases = {"role_engine": "database", "partitioned_engine": "partitioned_database"}
    engine = request.getfixturevalue(name)
    if name in databases:
        engine = request.getfixturevalue(databases[name]).superuser_engine
    with engine.connect() as connection:
        for table in (heads, changes):
            connection.execute(delete(table).where(table.c.user_id == owner))


def add(workspace: Workspace) -> Task:
    """Add a task."""
    return workspace.tasks.add(NewTask(title="Buy milk"))


def edit(storage: SqlStorage, owner: str, task: Task, **fields: object) -> Task:
    """Change a task in a statement of its own."""
    with storage.open_workspace(owner) as workspace:
        return workspace.tasks.change(task.id, Edit(fields))


def test_a_block_that_wants_what_another_changes_does_not_deadlock(
    storage: SqlStorage, owner: str, own_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds one task and changes another one, which a single change has wanted meanwhile.

    Nothing is retried after a deadlock here.
    """
    monkeypatch.setattr(repository, "MAX_RETRIES", 0)
    with storage.open_workspace(owner) as workspace:
        first, second = add(workspace), add(workspace)
    with ThreadPoolExecutor(1) as pool:
        with storage.open_workspace(owner, atomic=True) as workspace:
            workspace.tasks.change(first.id, Edit({"title": "block"}))
            single = pool.submit(edit, storage, owner, second, description="single")
            await_lock(own_database.superuser_engine)
            workspace.tasks.change(second.id, Edit({"title": "block"}))
        changed = single.result()
    assert (changed.title, changed.description, changed.version) == ("block", "single", 3)


@pytest.mark.lengthy
def test_races_of_blocks_and_single_changes_do_not_deadlock(
    storage: SqlStorage, owner: str
) -> None:
    """300 of each two: both succeed, and no update is lost."""
    with storage.open_workspace(owner) as workspace:
        first, second = add(workspace), add(workspace)

    def write_both(barrier: Barrier) -> None:
        with storage.open_workspace(owner, atomic=True) as workspace:
            for number, task in enumerate((first, second)):
                workspace.tasks.change(task.id, Edit({"title": "block"}))
                if number == 0:
                    barrier.wait(30)

    def write_one(barrier: Barrier) -> None:
        barrier.wait(30)
        edit(storage, owner, second, description=f"{next(_numbers)}")

    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            edit(storage, owner, first, title="before")
            edit(storage, owner, second, title="before")
            barrier = Barrier(2)
            for one in [pool.submit(write, barrier) for write in (write_both, write_one)]:
                one.result()
            with storage.open_workspace(owner) as workspace:
                assert workspace.tasks.get(second.id).title == "block"


def test_an_open_silent_transaction_holds_up_its_owner_alone(own_database: Database) -> None:
    """Another write of the owner is not applied after the lock timeout, nor lost: 503."""
    engine = service_engine(own_database.service, lock_timeout=0.3)
    storage = SqlStorage(engine)
    writes: list[Callable[[Workspace, Task], object]] = [
        lambda own, _: add(own),
        lambda own, task: own.tasks.change(task.id, Task.complete),
        lambda own, task: own.tasks.trash(task.id),
    ]
    with storage.open_workspace(ADA) as workspace:
        task = add(workspace)
        before = workspace.changes.entities(Task, FIRST, None, 1).end
    with suppress(Undone), storage.open_workspace(ADA, atomic=True) as silent:
        add(silent)
        for write in writes:
            opened = storage.open_workspace(ADA)
            with pytest.raises(Unavailable, match="lock timeout") as caught, opened as workspace:
                write(workspace, task)
            assert caught.value.outcome == "not_applied"
        began = monotonic()
        with storage.open_workspace(BOB) as workspace:
            write(workspace, add(workspace))
        assert monotonic() - began < 0.3
        with storage.open_workspace(ADA) as workspace:
            assert workspace.tasks.get(task.id) == task
        raise Undone
    with storage.open_workspace(ADA) as workspace:
        assert workspace.changes.entities(Task, FIRST, None, 1).end == before
        add(workspace)
        assert len(workspace.changes.since(before, before, 10).entries) == 1
    engine.dispose()
