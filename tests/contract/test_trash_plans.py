"""The trash and the history stay quick: 100,000 tasks, trashed tasks and changes of one owner."""

from collections.abc import Callable, Iterator
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from tests.contract.test_plans import OTHERS, assert_in_order, some_task
from tests.databases import (
    Database,
    migrated_database,
    service_engine,
    simulate_pooler,
    sqlite_database,
)
from tests.postgres import Databases
from tests.query_plans import (
    BIG,
    IN_THE_NAME,
    fill,
    multiply,
    parent_of,
    plan_in_workspace,
    scanned,
    series_of,
)

from taskservice.core.query import Sort
from taskservice.core.task_query import TaskQuery
from taskservice.core.trashed_task import TrashQuery
from taskservice.core.workspace import Workspace

COUNT, SHARE, TIMES = 2_000, 1_000, 100
LATE = datetime.fromisoformat("2100-01-01T00:00:00+00:00")
ENGINES = ["sqlite", "sqlite, analyzed", "postgresql", "pooler"]
OLDEST_FIRST = Sort(field="trashed_at", descending=False)


@pytest.fixture(scope="module")
def database(postgresql: Databases) -> Iterator[Database]:
    """A filled database on PostgreSQL; the role has the owner for good."""
    with migrated_database(postgresql) as database:
        fill(database.superuser_engine, COUNT, SHARE)
        with database.superuser_engine.connect() as connection:
            connection.exec_driver_sql(OTHERS)
        multiply(database.superuser_engine, SHARE, TIMES)
        postgresql.execute(IN_THE_NAME.format(role=database.role, owner=BIG))
        yield database


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """An engine over many rows; on SQLite without and with statistics."""
    if request.param.startswith("sqlite"):
        engine = service_engine(sqlite_database(tmp_path_factory.mktemp("plans")))
        fill(engine, COUNT, SHARE)
        multiply(engine, SHARE, TIMES)
        if request.param == "sqlite, analyzed":
            with engine.connect() as connection:
                connection.execute(text("ANALYZE"))
    else:
        engine = service_engine(request.getfixturevalue("database").service)
        if request.param == "pooler":
            simulate_pooler(engine)
    yield engine
    engine.dispose()


def deep(own: Workspace) -> TrashQuery:
    """Return the query for what comes behind nine tenths of the trash."""
    query = TrashQuery(sort=OLDEST_FIRST, limit=COUNT * TIMES // 20)
    return TrashQuery(after=query.sort.position(own.trash.list(query).items[-1]))


def a_trashed(own: Workspace) -> UUID:
    """Return the id of a task in the trash."""
    newest: UUID = own.trash.list(TrashQuery(limit=1)).items[0].id
    return newest


READS: dict[str, tuple[Callable[[Workspace], object], dict[str, set[str]]]] = {
    "first page": (lambda own: own.trash.list(TrashQuery()), {"trash": {"trash_by_time"}}),
    "deep page": (lambda own: own.trash.list(deep(own)), {"trash": {"trash_by_time"}}),
    "expired": (
        lambda own: own.trash.list(TrashQuery(trashed_before=LATE, sort=OLDEST_FIRST, limit=1000)),
        {"trash": {"trash_by_time"}},
    ),
    "one": (lambda own: own.trash.get(a_trashed(own)), {"trash": {"trash_pkey"}}),
    "tree": (
        lambda own: own.trash.list(TrashQuery(trashed_with=series_of(BIG), limit=1000)),
        {"trash": {"trash_by_root"}},
    ),
    "history": (
        lambda own: own.changes.of_entity(parent_of(BIG), None, 101),
        {"changes": {"changes_by_entity"}},
    ),
    "deep history": (
        lambda own: own.changes.of_entity(parent_of(BIG), 50_000, 101),
        {"changes": {"changes_by_entity"}},
    ),
}


@pytest.mark.parametrize("name", READS)
def test_trash_and_history_are_read_by_keys_in_order(engine: Engine, name: str) -> None:
    """A page anywhere, one task, the tasks deleted together, and the changes of one task."""
    ask, expected = READS[name]
    found = plan_in_workspace(engine, ask)
    assert scanned(found) == expected, found
    assert_in_order(found)


def trash_one(own: Workspace) -> None:
    """Move a task to the trash."""
    own.tasks.trash(some_task(own))


def trash_several(own: Workspace) -> None:
    """Move tasks to the trash together."""
    tasks = own.tasks.list(TaskQuery(limit=3)).items
    own.tasks.trash_all(tasks, {one.id: tasks[0].id for one in tasks})


def restore(own: Workspace) -> None:
    """Put a task back."""
    tasks = own.trash.list(TrashQuery(limit=3)).items
    own.trash.restore_all(tasks, lambda one, now: one.restored(one.task, now))


def purge(own: Workspace) -> None:
    """Purge a task."""
    own.trash.remove(a_trashed(own))


def purge_several(own: Workspace) -> None:
    """Purge tasks together."""
    own.trash.remove_all(own.trash.list(TrashQuery(limit=3)).items)


HEAD = {"heads": {"heads_pkey"}}
MOVED = {**HEAD, "tasks": {"tasks_pkey"}}
RESTORED = {**HEAD, "trash": {"trash_pkey"}}
PURGED = {**RESTORED, "changes": {"changes_by_entity"}}
WRITES: dict[str, tuple[Callable[[Workspace], object], dict[str, set[str]]]] = {
    "removal": (trash_one, MOVED),
    "removal of several": (trash_several, MOVED),
    "restoration": (restore, RESTORED),
    "purge": (purge, PURGED),
    "purge of several": (purge_several, PURGED),
}


@pytest.mark.parametrize("engine", ["postgresql", "pooler"], indirect=True)
@pytest.mark.parametrize("atomic", [False, True])
@pytest.mark.parametrize("name", WRITES)
def test_a_move_and_a_purge_read_by_keys_alone(engine: Engine, name: str, atomic: bool) -> None:
    """A purge reads the changes of its task too, in a very long log."""
    write, expected = WRITES[name]
    found = plan_in_workspace(engine, write, atomic=atomic)
    assert scanned(found) == expected, found
    assert "Hash" not in found
