"""Deletions, restorations, purges and undos whose response is lost: one effect and one change."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, event
from tests.contract.test_outcomes import COMMIT, types_of_changes
from tests.databases import Database, service_engine, simulate_pooler
from tests.tcp_proxy import TcpProxy, tcp_proxy

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.core.entity import Edit
from taskservice.core.errors import TaskNotFound, Unavailable
from taskservice.core.history import find_task, history
from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import change_task, create_task, remove_task
from taskservice.core.trash import purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.undo import undo
from taskservice.core.workspace import OpenOwnWorkspace

OWNER = "lost-trash"
Operation = Callable[[OpenOwnWorkspace, Task], object]


class Wire(NamedTuple):
    """An engine behind a wire that may lose a request or its response."""

    engine: Engine
    proxy: TcpProxy


@pytest.fixture(params=["direct", "pooler mode"])
def wire(request: pytest.FixtureRequest, database: Database) -> Iterator[Wire]:
    with tcp_proxy(database.service) as (proxy, through):
        engine = service_engine(through, pool_size=1, statement_timeout=20, lock_timeout=10)
        yield Wire(simulate_pooler(engine) if request.param == "pooler mode" else engine, proxy)
        engine.dispose()


@pytest.fixture
def elsewhere(role_engine: Engine) -> OpenOwnWorkspace:
    """The same owner's workspace over a whole wire."""
    return partial(SqlStorage(role_engine).open_workspace, OWNER)


class Case(NamedTuple):
    """A write: what is done before, how it begins in the log, and the place of the task then."""

    before: Operation
    write: Operation
    statement: bytes
    changes: str
    place: type[Task] | None


def delete(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Move a task to the trash."""
    remove_task(open_own, task.id)


def restore(open_own: OpenOwnWorkspace, task: Task) -> Task:
    """Put a task back."""
    return restore_task(open_own, task.id)


def rename(open_own: OpenOwnWorkspace, task: Task) -> Task:
    """Change a task."""
    return change_task(open_own, task.id, Edit({"title": f"{task.title}!"}))


def undo_second(open_own: OpenOwnWorkspace, task: Task) -> Task:
    """Undo what was done to a task after its creation."""
    with open_own() as workspace:
        second, _ = history(workspace, task.id, None, 200).changes[-2:]
    return undo(open_own, task.id, second.sequence)


CASES = {
    "deletion": Case(lambda *_: None, delete, b"DELETE FROM tasks", "created removed", TrashedTask),
    "restoration": Case(delete, restore, COMMIT, "created removed restored", Task),
    "purge": Case(
        delete,
        lambda open_own, task: purge_task(open_own, task.id),
        b"DELETE FROM trash",
        "created removed purged",
        None,
    ),
    "undo of an edit": Case(rename, undo_second, COMMIT, "created changed changed", Task),
    "undo of a deletion": Case(delete, undo_second, COMMIT, "created removed restored", Task),
}


def place_of(open_own: OpenOwnWorkspace, task: Task) -> type[Task] | None:
    """Return what a task is: a `Task`, a `TrashedTask`, or nothing."""
    with open_own() as workspace:
        try:
            return type(find_task(workspace, task.id))
        except TaskNotFound:
            return None


def once(open_own: OpenOwnWorkspace, write: Operation, task: Task, key: str | None) -> None:
    """Write, with a key if there is one."""
    if key is None:
        write(open_own, task)
        return
    with open_own(atomic=True) as workspace:
        if begin(workspace.idempotency, IdempotencyKey(key, b"fingerprint")) is None:
            joined: Any = lambda **_: nullcontext(workspace)  # noqa: E731
            write(joined, task)
            workspace.idempotency.complete(key, b"done")


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("loss", ["lose", "lose_answer_to"])
@pytest.mark.parametrize("name", CASES)
def test_whichever_statement_is_lost_there_is_one_change(
    wire: Wire,
    elsewhere: OpenOwnWorkspace,
    superuser_engine: Engine,
    name: str,
    *,
    loss: str,
    keyed: bool,
) -> None:
    """The outcome says whether it was applied. A retry does it if not; with a key in any case."""
    case, remaining = CASES[name], count()
    through = partial(SqlStorage(wire.engine).open_workspace, OWNER)
    create_task(through, NewTask(title="before"))

    def lose(*_: object) -> None:
        if next(remaining) == 0:
            setattr(wire.proxy, loss, b"")

    event.listen(wire.engine, "before_cursor_execute", lose)
    for number in count():
        task = create_task(elsewhere, NewTask(title="A"))
        case.before(elsewhere, task)
        key = str(task.id) if keyed else None
        remaining = count(-number)
        outcome = "applied"
        try:
            once(through, case.write, task, key)
        except Unavailable as error:
            outcome = error.outcome
        sent = next(remaining) + number
        is_applied = types_of_changes(superuser_engine, task.id) == case.changes
        assert outcome == ("applied" if is_applied else "not_applied")
        if keyed or not is_applied:
            once(through, case.write, task, key)
        assert types_of_changes(superuser_engine, task.id) == case.changes
        assert place_of(elsewhere, task) == case.place
        if wire.proxy.lost == number:
            break
    assert sent == number >= 2


def restore_and_delete(open_own: OpenOwnWorkspace, task: Task) -> None:
    """Put a task back and delete it again."""
    restore(open_own, task)
    delete(open_own, task)


class Meanwhile(NamedTuple):
    """What others do when a write was applied, and its response is lost; what is there then."""

    write: str
    others: Operation
    changes: str
    place: type[Task] | None


OTHERS = [
    Meanwhile("deletion", restore, "restored", Task),
    Meanwhile("deletion", restore_and_delete, "restored removed", TrashedTask),
    Meanwhile("restoration", delete, "removed", TrashedTask),
    Meanwhile("restoration", rename, "changed", Task),
    Meanwhile("undo of an edit", rename, "changed", Task),
    Meanwhile("undo of an edit", delete, "removed", TrashedTask),
    Meanwhile("undo of a deletion", delete, "removed", TrashedTask),
]


@pytest.mark.parametrize("keyed", [False, True])
@pytest.mark.parametrize("case", OTHERS, ids=lambda one: f"{one.write}, {one.changes}")
def test_a_lost_response_to_what_others_take_back_is_no_second_change(
    wire: Wire,
    elsewhere: OpenOwnWorkspace,
    superuser_engine: Engine,
    case: Meanwhile,
    keyed: bool,
) -> None:
    """The write is found in the log, and what others have done since stays."""
    _, write, statement, applied, _ = CASES[case.write]
    through = partial(SqlStorage(wire.engine).open_workspace, OWNER)
    task = create_task(through, NewTask(title="A"))
    CASES[case.write].before(elsewhere, task)

    def write_elsewhere() -> None:
        while types_of_changes(superuser_engine, task.id) != applied:
            pass
        case.others(elsewhere, task)

    overtake(wire, write_elsewhere)
    wire.proxy.lose_answer_to = COMMIT if keyed else statement
    key = str(task.id) if keyed else None
    once(through, write, task, key)
    assert wire.proxy.lost == 2
    assert types_of_changes(superuser_engine, task.id) == f"{applied} {case.changes}"
    assert place_of(elsewhere, task) == case.place


@pytest.mark.parametrize("keyed", [False, True])
def test_a_lost_response_to_a_purge_does_not_purge_what_is_imported_since(
    wire: Wire,
    elsewhere: OpenOwnWorkspace,
    role_engine: Engine,
    superuser_engine: Engine,
    keyed: bool,
) -> None:
    """Not even if that is in the trash, at the same version."""
    through = partial(SqlStorage(wire.engine).open_workspace, OWNER)
    task = create_task(through, NewTask(title="A"))
    delete(elsewhere, task)
    with elsewhere() as workspace:
        trashed = workspace.trash.get(task.id)

    def write_elsewhere() -> None:
        while types_of_changes(superuser_engine, task.id) != "created removed purged":
            pass
        assert SqlOwnerData(role_engine, OWNER).import_entities([trashed]) == []

    overtake(wire, write_elsewhere)
    wire.proxy.lose_answer_to = COMMIT if keyed else b"DELETE FROM trash"
    once(through, CASES["purge"].write, task, str(task.id) if keyed else None)
    assert wire.proxy.lost == 2
    assert types_of_changes(superuser_engine, task.id) == "created removed purged removed"
    assert place_of(elsewhere, task) == TrashedTask


def overtake(wire: Wire, write_elsewhere: Callable[[], None]) -> None:
    """Have others write after the next loss on a wire, before anything else is sent."""

    def listen(*_: object) -> None:
        if wire.proxy.lost == 1:
            wire.proxy.lost = 2
            with ThreadPoolExecutor(1) as pool:
                pool.submit(write_elsewhere).result()

    event.listen(wire.engine, "before_cursor_execute", listen)
