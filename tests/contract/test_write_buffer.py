"""What waits in a locked transaction to be sent together, and what a savepoint undoes of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event
from tests.contract.batches import batch, command, create
from tests.contract.test_statements import sent

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.batch import COMMANDS_LIMIT
from taskservice.core.changes import Position
from taskservice.core.entity import Edit
from taskservice.core.errors import InvalidEntity, TaskNotFound
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskListQuery
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import change_task, create_task, remove_task
from taskservice.core.trashed_task import TrashQuery
from taskservice.core.workspace import OpenOwnWorkspace, Workspace

NEVER = UUID(int=0)
START = Position(0, 0)
_numbers = count()


@pytest.fixture(params=["sqlite", "role_engine", "pooled_role_engine"])
def engine(request: pytest.FixtureRequest) -> Engine:
    found: Engine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def open_own(engine: Engine) -> OpenOwnWorkspace:
    """The workspace of an owner who has one task."""
    open_own = partial(SqlStorage(engine).open_workspace, f"buffer-{next(_numbers)}")
    with open_own() as workspace:
        workspace.tasks.add(NewTask(title="first"))
    return open_own


def add(workspace: Workspace, title: str, **fields: Any) -> Task:
    """Add a task."""
    return workspace.tasks.add(NewTask(title=title, **fields))


def titles(open_own: OpenOwnWorkspace) -> list[str]:
    """Return what the tasks and lists are called, in the order of the log.

    Each is there with one change, the numbers of which have no gap.
    """
    with open_own() as workspace:
        page = workspace.changes.since(START, START, 1000)
    assert [one.position.sequence for one in page.entries] == [*range(1, len(page.entries) + 1)]
    return [getattr(one.entity, "title", None) or one.entity.name for one in page.entries]  # type: ignore[union-attr]


@contextmanager
def recorded(engine: Engine) -> Iterator[list[tuple[str, int]]]:
    """Yield how each statement begins that is sent meanwhile, and how often it is executed."""
    found: list[tuple[str, int]] = []

    def note(*args: Any) -> None:
        times = len(args[3]) if isinstance(args[3], list) else 1
        found.append((" ".join(args[2].split()[:2]), times))

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


READS: dict[str, Callable[[Workspace], object]] = {
    "get": lambda own: own.find("task", NEVER),
    "list of tasks": lambda own: own.tasks.list(TaskQuery()),
    "list of lists": lambda own: own.lists.list(TaskListQuery()),
    "list of the trash": lambda own: own.trash.list(TrashQuery()),
    "sub-tasks": lambda own: own.tasks.descendants([NEVER]),
    "labels": lambda own: own.tasks.count_labels(),
    "tasks by list": lambda own: own.tasks.count_by_list(TaskQuery()),
    "log": lambda own: own.changes.since(START, START, 10),
    "history": lambda own: own.changes.of_entity(NEVER, None, 10),
    "key": lambda own: own.idempotency.begin("key", b""),
    "lock": lambda own: own.lock(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_what_waits_is_sent_before_any_other_statement(
    engine: Engine, open_own: OpenOwnWorkspace, read: Callable[[Workspace], object]
) -> None:
    """Also before one that does not read it, so that no statement can miss it."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        with sent(engine) as statements:
            add(workspace, "second")
            assert statements == []
            read(workspace)
            workspace.tasks.list(TaskQuery())
        assert "INTO tasks" in statements[0]
        assert not any("INTO tasks" in one for one in statements[1:])
    assert titles(open_own) == ["first", "second"]


def test_what_waits_is_sent_in_its_order(engine: Engine, open_own: OpenOwnWorkspace) -> None:
    """Tasks and lists, those of one type that follow one another together."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        for title in "AB":
            add(workspace, title)
        workspace.lists.add(NewTaskList(name="C"))
        add(workspace, "D")
        with recorded(engine) as statements:
            found = [one.title for one in workspace.tasks.list(TaskQuery()).items]
    assert found == ["D", "B", "A", "first"]
    assert titles(open_own) == ["first", *"ABCD"]
    if engine.dialect.name == "postgresql":
        runs = [times for begin, times in statements if begin == "WITH head"]
        assert runs == [2, 1, 1]


def test_what_waits_at_the_end_is_committed(engine: Engine, open_own: OpenOwnWorkspace) -> None:
    """In the order of the calls, behind what was sent before."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        a_list = workspace.lists.add(NewTaskList(name="A"))
        add(workspace, "B", list_id=a_list.id)
        add(workspace, "C")
        with recorded(engine) as statements:
            add(workspace, "D")
        assert statements == []
    assert titles(open_own) == ["first", *"ABCD"]


def test_without_a_lock_nothing_waits(engine: Engine, open_own: OpenOwnWorkspace) -> None:
    """The first write locks the owner, so that others wait for it; nor does it outside a block."""
    for atomic in (True, False):
        with open_own(atomic=atomic) as workspace, sent(engine) as statements:
            add(workspace, "second")
            assert any("INTO tasks" in one for one in statements)


def test_what_refers_to_another_does_not_wait(engine: Engine, open_own: OpenOwnWorkspace) -> None:
    """It can fail, and then its own caller gets the error. What waits is sent first."""
    with pytest.raises(InvalidEntity), open_own(atomic=True) as workspace:
        workspace.lock()
        a_list = workspace.lists.add(NewTaskList(name="A"))
        with sent(engine) as statements:
            add(workspace, "B", list_id=a_list.id)
        tables = [one for one in statements if "INTO lists" in one or "INTO tasks" in one]
        assert ["INTO lists" in one for one in tables] == [True, False]
        add(workspace, "C", list_id=NEVER)
    assert titles(open_own) == ["first"]


def test_a_block_that_fails_sends_nothing(engine: Engine, open_own: OpenOwnWorkspace) -> None:
    """What waits is dropped."""
    with suppress(TaskNotFound), open_own(atomic=True) as workspace:
        workspace.lock()
        add(workspace, "second")
        with sent(engine) as statements:
            raise TaskNotFound(NEVER)
    assert statements == []
    assert titles(open_own) == ["first"]


def fail(workspace: Workspace, steps: str) -> None:
    """Add a task for each letter, read for a dot, and fail in a savepoint."""
    with suppress(TaskNotFound), workspace.savepoint():
        follow(workspace, steps)
        raise TaskNotFound(NEVER)


def succeed(workspace: Workspace, steps: str) -> None:
    """Do the same in a savepoint, and succeed."""
    with workspace.savepoint():
        follow(workspace, steps)


def follow(workspace: Workspace, steps: str) -> None:
    """Add a task for each letter, and read for a dot."""
    for step in steps:
        if step == ".":
            workspace.tasks.list(TaskQuery())
        else:
            add(workspace, step)


PARTS = ["", "b", ".", "b.", ".b", "b.c", ".b.", "b..c."]


@pytest.mark.parametrize("before", ["", "A", "A."])
@pytest.mark.parametrize("part", PARTS)
def test_a_savepoint_undoes_what_its_block_added_and_no_more(
    open_own: OpenOwnWorkspace, before: str, part: str
) -> None:
    """Sent or not, what was there before stays, and what comes after is kept."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        follow(workspace, before)
        fail(workspace, part)
        fail(workspace, part)
        succeed(workspace, part.upper())
        fail(workspace, part)
        follow(workspace, "Z")
    kept = f"{before}{part.upper()}Z".replace(".", "")
    assert titles(open_own) == ["first", *kept]


def test_a_block_that_sends_no_statement_sets_no_savepoint(
    engine: Engine, open_own: OpenOwnWorkspace
) -> None:
    """Whether it fails or not."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        with sent(engine) as statements:
            succeed(workspace, "A")
            fail(workspace, "b")
            succeed(workspace, "")
        assert statements == []
    assert titles(open_own) == ["first", "A"]


def test_a_savepoint_is_set_behind_what_waited_before_it(
    engine: Engine, open_own: OpenOwnWorkspace
) -> None:
    """And before what its own block added."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        follow(workspace, "A")
        with recorded(engine) as statements:
            succeed(workspace, "B.")
            fail(workspace, ".")
    if engine.dialect.name == "postgresql":
        assert [begin for begin, _ in statements] == [
            *("WITH head", "SAVEPOINT part", "WITH head", "SELECT tasks.id,", "RELEASE SAVEPOINT"),
            *("SAVEPOINT part", "SELECT tasks.id,", "ROLLBACK TO", "RELEASE SAVEPOINT"),
        ]
    assert titles(open_own) == ["first", *"AB"]


def test_a_savepoint_undoes_changes_and_removals(open_own: OpenOwnWorkspace) -> None:
    """Of what was there before the transaction, and of what waited."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        (first,) = workspace.tasks.list(TaskQuery()).items
        second = add(workspace, "second")
        with suppress(TaskNotFound), workspace.savepoint():
            workspace.tasks.change(first.id, Task.complete)
            workspace.tasks.trash(second.id)
            workspace.tasks.get(second.id)
        assert workspace.tasks.list(TaskQuery()).items == [second, first]
        assert workspace.trash.list(TrashQuery()).items == []
    assert titles(open_own) == ["first", "second"]


def test_a_transaction_goes_on_after_a_failed_statement_in_a_savepoint(
    open_own: OpenOwnWorkspace,
) -> None:
    """PostgreSQL refuses any other statement until the savepoint is rolled back to."""
    with open_own(atomic=True) as workspace:
        workspace.lock()
        add(workspace, "A")
        with pytest.raises(InvalidEntity), workspace.savepoint():
            add(workspace, "b")
            add(workspace, "c", list_id=NEVER)
        add(workspace, "D")
        assert len(workspace.tasks.list(TaskQuery()).items) == 3
    assert titles(open_own) == ["first", *"AD"]


def test_a_batch_may_fail_and_delete_as_often_as_it_has_commands(
    open_own: OpenOwnWorkspace,
) -> None:
    """Each savepoint that was rolled back to stays open below the next, as does that of a removal.

    A sub-task makes the first try of each removal fail.
    """
    parents = [create_task(open_own, NewTask(title="A")) for _ in range(COMMANDS_LIMIT)]
    for parent in parents:
        create_task(open_own, NewTask(title="B", parent_id=parent.id))
    failing = command(change_task, NEVER, Edit({"title": "x"}))
    results = batch(open_own, *[failing] * (COMMANDS_LIMIT - 1), create("Z"), atomic=False)
    assert [type(one) for one in results] == [TaskNotFound] * (COMMANDS_LIMIT - 1) + [Task]
    removals = [command(remove_task, one.id) for one in parents]
    assert batch(open_own, *removals, atomic=True) == [None] * COMMANDS_LIMIT
    with open_own() as workspace:
        query = TaskQuery(limit=200)
        left = [one.title for one in workspace.tasks.list(query).items]
        assert len(workspace.trash.list(TrashQuery(limit=200)).items) == COMMANDS_LIMIT
    assert sorted(left) == ["B"] * COMMANDS_LIMIT + ["Z", "first"]


@pytest.mark.parametrize("use", ["lock", "savepoint"])
def test_outside_a_transaction_there_is_no_lock_and_no_savepoint(
    open_own: OpenOwnWorkspace, use: str
) -> None:
    """They would last no longer than their own statement."""
    with open_own() as workspace, pytest.raises(RuntimeError, match="atomic=True"):
        getattr(workspace, use)()


def test_an_owner_who_was_locked_in_a_savepoint_is_locked_again(
    engine: Engine, open_own: OpenOwnWorkspace
) -> None:
    """PostgreSQL gives the lock up with the block, and what waited would be behind others."""
    with open_own(atomic=True) as workspace:
        with suppress(TaskNotFound), workspace.savepoint():
            workspace.lock()
            workspace.tasks.get(NEVER)
        with recorded(engine) as statements:
            workspace.lock()
            workspace.lock()
        assert len(statements) == (engine.dialect.name == "postgresql")
