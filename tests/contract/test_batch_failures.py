"""A batch that a failure ends at any statement: all that it reported is kept, or nothing is."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from typing import Any, NamedTuple, NoReturn
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from tests.contract.batches import batch, command, create, edit
from tests.contract.test_failures import (
    FULL,
    HOLDS_BACK,
    TAKE_NUMBER,
    dump,
    of_sqlite,
    swallow,
)
from tests.contract.test_outcomes import ResolvedCommits
from tests.databases import Database, migrated_database, service_engine, sqlite_database
from tests.postgres import Databases
from tests.tcp_proxy import TcpProxy, tcp_proxy

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.batch import Command
from taskservice.core.entity import Edit
from taskservice.core.errors import (
    StorageFull,
    TaskNotFound,
    TaskServiceError,
    Unavailable,
)
from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.lists import create_list
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import change_task, create_task, remove_task
from taskservice.core.trash import restore_task
from taskservice.core.trashed_task import TrashQuery
from taskservice.core.workspace import OpenOwnWorkspace, joining
from taskservice.testing import ADA

NEVER = UUID(int=0)
MODES = {"atomic": True, "each": False}
_numbers = count()

is_atomic = pytest.mark.parametrize("atomic", MODES.values(), ids=MODES)


class Given(NamedTuple):
    """An owner with a list, and a task of each kind that a batch works on."""

    open_own: OpenOwnWorkspace
    list_id: UUID
    changed: Task
    parent: Task
    trashed: Task

    @classmethod
    def to(cls, open_own: OpenOwnWorkspace) -> "Given":
        """Create them."""
        list_id = create_list(open_own, NewTaskList(name="list")).id
        tasks = [create_task(open_own, NewTask(title="given")) for _ in range(3)]
        create_task(open_own, NewTask(title="given", parent_id=tasks[1].id))
        remove_task(open_own, tasks[2].id)
        return cls(open_own, list_id, *tasks)

    def commands(self, *, atomic: bool) -> list[Command]:
        """Return commands that send every kind of statement; in mode `each` some fail."""
        failing = [command(change_task, NEVER, Edit({"title": "x"})), wrong(self.changed)]
        return [
            create("one"),
            create("two"),
            *([] if atomic else failing),
            edit(self.changed, title="three"),
            create("four", list_id=self.list_id),
            command(remove_task, self.parent.id, with_subtasks=True),
            command(restore_task, self.trashed.id),
            create("five"),
        ]

    def state(self) -> list[Any]:
        """Return all that the owner has: titles, versions, the trash and the log."""
        with self.open_own() as workspace:
            tasks = workspace.tasks.list(TaskQuery(limit=100)).items
            trashed = workspace.trash.list(TrashQuery(limit=100)).items
            log = workspace.changes.of_entity(self.changed.id, None, 10)
        found = [(one.title, one.version, one.list_id) for one in tasks]
        return [found, [one.task.title for one in trashed], len(log)]


def wrong(task: Task) -> Command:
    """Return a command that has changed a task, and created one, when it fails."""

    def change(open_own: OpenOwnWorkspace) -> NoReturn:
        change_task(open_own, task.id, Edit({"priority": 1}))
        create_task(open_own, NewTask(title="wrong"))
        raise TaskNotFound(NEVER)

    return command(change)


class Wire(NamedTuple):
    """A service behind a wire that may break."""

    engine: Engine
    proxy: TcpProxy
    resolved: ResolvedCommits
    owner: str

    @property
    def open_own(self) -> OpenOwnWorkspace:
        """The workspace of the owner, over the wire."""
        return partial(SqlStorage(self.engine).open_workspace, self.owner)


@pytest.fixture
def wire(database: Database) -> Iterator[Wire]:
    with tcp_proxy(database.service) as (proxy, through):
        resolved = ResolvedCommits()
        engine = service_engine(
            through, pool_size=1, statement_timeout=20, lock_timeout=10, metrics=resolved
        )
        yield Wire(engine, proxy, resolved, f"batch-{next(_numbers)}")
        engine.dispose()


@contextmanager
def at_statement(engine: Engine, number: int, act: Callable[..., Any]) -> Iterator[Iterator[int]]:
    """Call `act` at a statement, which may return another one. Yield a counter of them."""
    counter = count(-number)

    def at(*args: Any) -> tuple[str, Any]:
        return (next(counter) == 0 and act(*args)) or (args[2], args[3])

    event.listen(engine, "before_cursor_execute", at, retval=True)
    try:
        yield counter
    finally:
        event.remove(engine, "before_cursor_execute", at)


def outcome_of(given: Given, commands: list[Command], *, atomic: bool) -> str:
    """Run a batch, and return its outcome."""
    try:
        results = batch(given.open_own, *commands, atomic=atomic)
    except Unavailable as error:
        return error.outcome
    failed = [type(one) for one in results if isinstance(one, TaskServiceError)]
    assert failed == ([] if atomic else [TaskNotFound, TaskNotFound])
    return "applied"


AFTER = [
    [
        ("five", 1, None),
        ("four", 1, True),
        ("two", 1, None),
        ("one", 1, None),
        ("given", 2, None),
        ("three", 2, None),
    ],
    ["given", "given"],
    2,
]
"""The state after the batch, with whether a task is in the list."""


def is_done(given: Given, before: list[Any]) -> bool:
    """Return whether the batch was done: as a whole, or not at all."""
    tasks, *others = given.state()
    if [tasks, *others] == before:
        return False
    assert [[(*one, list_id and list_id == given.list_id) for *one, list_id in tasks], *others] == (
        AFTER
    )
    return True


def failed_statements(
    engine: Engine, given: Given, fail: Callable[..., Any], *, atomic: bool
) -> int:
    """Fail each statement of a batch in turn, and return how many there are.

    Nothing is kept of a batch whose statement fails, and all of it once none does.
    """
    commands, before = given.commands(atomic=atomic), given.state()
    for number in count():
        with at_statement(engine, number, fail) as counter:
            outcome = outcome_of(given, commands, atomic=atomic)
            sent = next(counter) + number
        if outcome == "applied":
            break
        assert (outcome, given.state()) == ("not_applied", before)
    assert is_done(given, before)
    assert sent == number
    return number


@is_atomic
@pytest.mark.parametrize("loss", ["lose", "lose_answer_to"])
def test_a_batch_is_whole_whichever_statement_is_lost(wire: Wire, loss: str, atomic: bool) -> None:
    """Also what waits, a savepoint and its ends; if the response to COMMIT is, the log tells."""
    for number in count():
        given = Given.to(partial(SqlStorage(wire.engine).open_workspace, f"{wire.owner}-{number}"))
        commands, before = given.commands(atomic=atomic), given.state()
        losses = wire.proxy.lost
        with at_statement(
            wire.engine, number, lambda *_: setattr(wire.proxy, loss, b"")
        ) as counter:
            outcome = outcome_of(given, commands, atomic=atomic)
            sent = next(counter) + number
        assert outcome == ("applied" if is_done(given, before) else "not_applied")
        if wire.proxy.lost == losses:
            break
    assert (sent, outcome) == (number, "applied")
    assert number > (13 if atomic else 25)
    resolved = "not_applied" if loss == "lose" else "applied"
    assert wire.resolved.outcomes == [resolved]


RAISE = """
    DO $$ BEGIN RAISE EXCEPTION 'broken' USING ERRCODE = '{}'; END $$
"""
CODES = {"lock timeout": "55P03", "deadlock": "40P01"}


@is_atomic
@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_a_batch_with_a_failed_statement_keeps_nothing(
    database: Database, code: str, atomic: bool
) -> None:
    """Whichever it is, in either mode: 503. The connection has nothing left of it."""
    engine = service_engine(database.service, pool_size=1)
    given = Given.to(partial(SqlStorage(engine).open_workspace, f"batch-{next(_numbers)}"))

    def broken(*args: Any) -> tuple[str, Any]:
        return RAISE.format(code), [()] if isinstance(args[3], list) else ()

    assert failed_statements(engine, given, broken, atomic=atomic) > (13 if atomic else 25)
    engine.dispose()


@is_atomic
def test_a_batch_that_sqlite_rolls_back_keeps_nothing(sqlite: Engine, atomic: bool) -> None:
    """SQLite does so on a disk error, of the whole transaction, also in a savepoint."""
    given = Given.to(partial(SqlStorage(sqlite).open_workspace, ADA))

    def roll_back(connection: Any, *_: Any) -> NoReturn:
        connection.connection.driver_connection.rollback()
        raise OperationalError("", None, of_sqlite("IOERR_WRITE"))

    assert failed_statements(sqlite, given, roll_back, atomic=atomic) > 25


@is_atomic
def test_a_statement_that_is_too_slow_ends_a_batch(database: Database, atomic: bool) -> None:
    """The statement timeout holds for each; also the savepoint of its command does not save it."""
    engine = service_engine(database.service, pool_size=1, statement_timeout=0.2)
    given = Given.to(partial(SqlStorage(engine).open_workspace, f"batch-{next(_numbers)}"))
    commands, before = given.commands(atomic=atomic), given.state()

    def slow(*args: Any) -> tuple[str, Any]:
        is_change = args[2].startswith("WITH held")
        return ("SELECT pg_sleep(60)", ()) if is_change else (args[2], args[3])

    event.listen(engine, "before_cursor_execute", slow, retval=True)
    with pytest.raises(Unavailable, match="statement timeout") as caught:
        batch(given.open_own, *commands, atomic=atomic)
    assert caught.value.outcome == "not_applied"
    assert given.state() == before
    engine.dispose()


@is_atomic
def test_a_batch_waits_for_the_lock_of_its_owner(database: Database, atomic: bool) -> None:
    """Up to the lock timeout. Case 7: another owner's is not held up."""
    engine = service_engine(database.service, lock_timeout=0.1)
    storage = SqlStorage(engine)
    owner, other = (f"batch-{next(_numbers)}" for _ in range(2))
    with storage.open_workspace(owner, atomic=True) as workspace:
        workspace.tasks.add(NewTask(title="slow"))
        with pytest.raises(Unavailable, match="lock timeout") as caught:
            batch(partial(storage.open_workspace, owner), create(), atomic=atomic)
        assert caught.value.outcome == "not_applied"
        assert len(batch(partial(storage.open_workspace, other), create(), atomic=atomic)) == 1
    with storage.open_workspace(owner) as workspace:
        assert [one.title for one in workspace.tasks.list(TaskQuery()).items] == ["slow"]
    engine.dispose()


@pytest.fixture
def own(postgresql: Databases) -> Iterator[Database]:
    """A database that may be broken."""
    with migrated_database(postgresql) as database:
        yield database


BREAKS: dict[str, tuple[str, type[Unavailable], str]] = {
    "a full disk": (FULL, StorageFull, "could not extend file"),
    "a trigger that skips rows": (HOLDS_BACK.format("INSERT ON tasks"), Unavailable, "no row"),
}


@is_atomic
@pytest.mark.parametrize(("breaks", "kind", "said"), BREAKS.values(), ids=BREAKS)
def test_creations_that_cannot_be_stored_are_not_acknowledged(
    own: Database, breaks: str, kind: type[Unavailable], said: str, atomic: bool
) -> None:
    """What waits to be sent was reported as created, so the whole batch fails."""
    engine = service_engine(own.service, pool_size=1)
    open_own = partial(SqlStorage(engine).open_workspace, ADA)
    with psycopg.connect(own.owner, autocommit=True) as owner:
        owner.execute(breaks.encode())
    with pytest.raises(Unavailable, match=said) as caught:
        batch(open_own, create(), create(), atomic=atomic)
    assert (type(caught.value), caught.value.outcome) == (kind, "not_applied")
    with open_own() as workspace:
        assert workspace.tasks.list(TaskQuery()).items == []
    engine.dispose()


class Lost(NamedTuple):
    """A batch whose response to COMMIT is lost."""

    commands: Callable[[Given], list[Command]]
    titles: list[str]
    """The titles of the tasks after it, the newest first."""


GIVEN = ["given"] * 2
LOST = {
    "creations alone": Lost(lambda _: [create("A"), create("B")], ["B", "A", *GIVEN]),
    "a change that was undone last": Lost(
        lambda given: [create("A"), wrong(given.changed)], ["A", *GIVEN]
    ),
    "a creation that was undone last": Lost(
        lambda given: [edit(given.changed, title="B"), late(NewTask(title="x"))], ["given", "B"]
    ),
    "changes that were all undone": Lost(lambda given: [wrong(given.changed)], GIVEN),
    "a change behind one that was undone": Lost(
        lambda given: [wrong(given.changed), edit(given.changed, title="B")], ["given", "B"]
    ),
    "nothing": Lost(lambda given: [edit(given.changed, title="given")], GIVEN),
}


def late(new: NewTask) -> Command:
    """Return a command that fails when it has created a task."""

    def fail(open_own: OpenOwnWorkspace) -> NoReturn:
        create_task(open_own, new)
        raise TaskNotFound(NEVER)

    return command(fail)


@pytest.mark.parametrize("key", [None, "key"])
@pytest.mark.parametrize("loss", ["lose", "lose_answer_to"])
@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
def test_a_lost_commit_of_a_batch_is_resolved(
    wire: Wire, lost: Lost, loss: str, key: str | None
) -> None:
    """By its last change that was not undone; without one by its key, if it has one."""
    given = Given.to(wire.open_own)
    setattr(wire.proxy, loss, b"COMMIT\0")
    try:
        run_keyed(given, key, lost.commands(given))
        outcome = "applied"
    except Unavailable as error:
        outcome = error.outcome
    assert wire.proxy.lost == 1
    assert wire.resolved.outcomes == [outcome]
    with given.open_own() as workspace:
        tasks = workspace.tasks.list(TaskQuery(parent_id=(None,))).items
    found = [one.title for one in tasks]
    is_nothing = sorted(lost.titles) == GIVEN
    if loss == "lose_answer_to":
        assert (outcome, sorted(found)) == ("applied", sorted(lost.titles))
    else:
        assert sorted(found) == GIVEN
        assert outcome == ("applied" if is_nothing and key is None else "not_applied")


def run_keyed(given: Given, key: str | None, commands: list[Command]) -> None:
    """Run a batch in mode `each`, with a key if there is one."""
    if key is None:
        batch(given.open_own, *commands, atomic=False)
        return
    with given.open_own(atomic=True) as workspace:
        assert begin(workspace.idempotency, IdempotencyKey(key, b"fingerprint")) is None
        batch(joining(workspace), *commands, atomic=False)
        workspace.idempotency.complete(key, b"result")


def test_what_could_not_be_sent_is_not_forgotten(tmp_path: Any) -> None:
    """If a block ignores the error, its end raises another one. SQLite would commit the rest."""
    address = sqlite_database(tmp_path)
    engine = service_engine(address)
    open_own = partial(SqlStorage(engine).open_workspace, ADA)
    create_task(open_own, NewTask(title="given"))
    with closing(sqlite3.connect(address.removeprefix("sqlite:///"))) as other, other:
        other.execute(TAKE_NUMBER)
    before = dump(address)
    with pytest.raises(Exception, match="UNIQUE"), open_own(atomic=True) as workspace:
        workspace.lock()
        workspace.tasks.add(NewTask(title="x"))
        swallow(Exception, lambda: workspace.tasks.list(TaskQuery()))
    assert dump(address) == before
    engine.dispose()
