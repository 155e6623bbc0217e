"""Lists do not slow down with depth: every page comes from an index, in its order."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text
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
    deep,
    fill,
    parent_of,
    plan,
    plan_in_workspace,
    plan_of,
    queries,
    scanned,
)

from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import changes
from taskservice.core.changes import Position
from taskservice.core.entity import Entity
from taskservice.core.sync import FIRST
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import ENTITY_TYPES, Workspace

ENGINES = ["sqlite", "sqlite, analyzed", "postgresql", "pooler"]
COUNT, SHARE = 40_000, 10_000
LOGGED = 30_000
"""How many tasks one user has in the plans of delta sync."""
OTHERS = """
    INSERT INTO heads SELECT user_id || n, seq FROM heads, generate_series(1, 50) AS n;
    INSERT INTO lists (id, user_id, name, position, created_at, updated_at, version)
    SELECT gen_random_uuid(), user_id, name, n, created_at, updated_at, 1
      FROM lists, generate_series(1, CASE user_id WHEN 'big' THEN 2000 ELSE 50 END) AS n;
"""
"""More users and lists: a table of a few pages is read as a whole."""

_reads_more = re.compile("Hash Join|Merge Join|Bitmap|Seq Scan|SCAN (?:tasks|below)").search
"""Finds the part of a plan that reads other rows than those of an index for one key."""


@pytest.fixture(scope="module")
def filled_database(postgresql: Databases) -> Iterator[Database]:
    """Many tasks, on PostgreSQL."""
    with migrated_database(postgresql) as database:
        fill(database.superuser_engine, COUNT, SHARE)
        postgresql.execute(IN_THE_NAME.format(role=database.role, owner=BIG))
        yield database


@pytest.fixture(scope="module")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Engine]]:
    """Many tasks on SQLite, which has no statistics unless somebody runs ANALYZE."""
    engines = {
        name: service_engine(sqlite_database(tmp_path_factory.mktemp("plans")))
        for name in ("sqlite", "sqlite, analyzed")
    }
    for name, engine in engines.items():
        fill(engine, COUNT // 2, SHARE)
        if name == "sqlite, analyzed":
            with engine.connect() as connection:
                connection.execute(text("ANALYZE"))
    yield engines
    for engine in engines.values():
        engine.dispose()


@pytest.fixture(scope="module", params=ENGINES)
def filled(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Many tasks, entered on PostgreSQL as an ordinary role under a row-level policy.

    Each statement tells it of the owner, or, as behind a pooler, what goes ahead of it.
    """
    with opened(request, "filled_database") as engine:
        yield engine


@contextmanager
def opened(request: pytest.FixtureRequest, database: str) -> Iterator[Engine]:
    """Yield an engine of the kind that a fixture asks for; `database` is that on PostgreSQL."""
    if request.param.startswith("sqlite"):
        yield request.getfixturevalue("filled_sqlite")[request.param]
        return
    engine = service_engine(request.getfixturevalue(database).service)
    if request.param == "pooler":
        simulate_pooler(engine)
    yield engine
    engine.dispose()


def assert_in_order(found: str) -> None:
    """Assert that a plan has no sequential scan and no sort.

    The result of the lateral subquery is one page, and may be sorted.
    """
    assert "Seq Scan" not in found
    assert "Sort" not in found.rpartition("Nested Loop")[2]
    assert "SCAN tasks" not in found
    assert "TEMP B-TREE" not in found
    assert "user_id" in found


@pytest.mark.parametrize("name", queries(SHARE))
def test_a_first_page_comes_from_an_index_in_order(filled: Engine, name: str) -> None:
    """With and without statistics on SQLite, with and without a pooler on PostgreSQL."""
    assert_in_order(plan(filled, queries(SHARE)[name]))


@pytest.mark.parametrize("filled", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("name", queries(SHARE))
def test_a_deep_page_comes_from_an_index_in_order(filled: Engine, name: str) -> None:
    """At 90 % of the depth."""
    assert_in_order(plan(filled, deep(filled, queries(SHARE)[name])))


@pytest.mark.parametrize("name", ["labels_any", "labels_all"])
def test_a_filter_by_labels_reads_only_tasks_with_labels(filled: Engine, name: str) -> None:
    """By an index of their own."""
    assert "tasks_labeled" in plan(filled, queries(SHARE)[name])


def test_the_count_of_labels_reads_only_tasks_with_labels(filled: Engine) -> None:
    """By the same index."""
    assert "tasks_labeled" in plan_of(filled, lambda tasks: tasks.count_labels())


def test_the_sub_tasks_of_a_task_are_read_without_other_tasks(filled: Engine) -> None:
    """All of them, with theirs: by the index of a parent, then by the primary key."""
    found = plan_of(filled, lambda tasks: tasks.descendants([parent_of(BIG)]))
    assert _reads_more(found) is None


@pytest.mark.parametrize("name", ["series_id", "series_id, completed=false"])
def test_the_history_of_a_series_is_read_without_other_tasks(filled: Engine, name: str) -> None:
    """By an index of its own."""
    found = plan(filled, queries(SHARE)[name])
    assert "tasks_by_series" in found
    assert _reads_more(found) is None


def test_a_search_scans_only_the_owners_rows(filled: Engine) -> None:
    """It reads the owner's tasks by an index."""
    found = plan(filled, TaskQuery(text="milk"))
    assert "Seq Scan" not in found
    assert "SCAN tasks" not in found
    assert "user_id" in found


@pytest.mark.parametrize(
    "query", [TaskQuery(), TaskQuery(completed=False), TaskQuery(status=("completed",))]
)
def test_a_count_by_list_scans_only_the_owners_rows(filled: Engine, query: TaskQuery) -> None:
    """It reads those that it counts, by an index of the owner."""
    found = plan_of(filled, lambda tasks: tasks.count_by_list(query))
    assert "" not in scanned(found)["tasks"]
    assert "user_id" in found


KEYS = {
    "tasks": "tasks_pkey",
    "lists": "lists_pkey",
    "changes": "changes_pkey",
    "heads": "heads_pkey",
}


@pytest.fixture(scope="module")
def logged_database(postgresql: Databases) -> Iterator[Database]:
    """Very many tasks and changes of one user, on PostgreSQL."""
    with migrated_database(postgresql) as database:
        fill(database.superuser_engine, LOGGED + SHARE, LOGGED)
        with database.superuser_engine.connect() as connection:
            connection.exec_driver_sql(OTHERS)
            connection.exec_driver_sql("VACUUM ANALYZE heads, lists")
        postgresql.execute(IN_THE_NAME.format(role=database.role, owner=BIG))
        yield database


@pytest.fixture(scope="module", params=ENGINES)
def logged(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The same as `filled` is, with more changes on PostgreSQL."""
    with opened(request, "logged_database") as engine:
        yield engine


def position_at(engine: Engine, number: int) -> Position:
    """Return the position of a change."""
    own = changes.c.user_id == BIG
    with engine.connect() as connection:
        query = select(changes.c.id).where(own, changes.c.seq == number)
        return Position.of(number, connection.execute(query).scalar_one())


_joins_all = re.compile("Hash|Merge|Bitmap|Materialize|AUTOMATIC|TEMP B-TREE").search


@pytest.mark.parametrize("behind", [1, 900, 100_000])
@pytest.mark.parametrize("limit", [1, 200])
def test_a_delta_is_read_by_keys_alone(logged: Engine, behind: int, limit: int) -> None:
    """With the plan that is in use, the changes and each of their entities by its key."""
    with SqlStorage(logged).open_workspace(BIG) as workspace:
        newest = workspace.changes.entities(Task, FIRST, None, 1).end.sequence
    position = position_at(logged, max(newest - behind, 1))
    found = plan_in_workspace(logged, lambda own: own.changes.since(position, position, limit))
    assert scanned(found) == {table: {key} for table, key in KEYS.items()}
    assert _joins_all(found) is None


@pytest.mark.parametrize("entity_type", ENTITY_TYPES)
def test_a_page_of_a_first_sync_is_read_by_keys_alone(
    logged: Engine, entity_type: type[Entity]
) -> None:
    """In the order of the key, from where the page before has ended."""
    with SqlStorage(logged).open_workspace(BIG) as workspace:
        after = workspace.changes.entities(Task, FIRST, None, 500).entities[-1].id
    found = plan_in_workspace(
        logged, lambda own: own.changes.entities(entity_type, after, None, 101)
    )
    table = f"{entity_type.type_name}s"
    assert scanned(found) == {name: {KEYS[name]} for name in ("changes", "heads", table)}
    assert _joins_all(found) is None


WRITES: dict[str, Callable[[Workspace], object]] = {
    "creation": lambda own: own.tasks.add(NewTask(title="A")),
    "change": lambda own: own.tasks.change(parent_of(BIG), renamed),
    "removal": lambda own: own.tasks.remove(some_task(own)),
}


def renamed(task: Task, now: datetime) -> Task:
    """A step that changes the title."""
    return task.edit(now, title=f"{task.title[:100]}!")


def some_task(workspace: Workspace) -> UUID:
    """Return the id of a task that no other one refers to."""
    newest: UUID = workspace.tasks.list(TaskQuery(limit=1)).items[0].id
    return newest


@pytest.mark.parametrize("logged", ["postgresql", "pooler"], indirect=True)
@pytest.mark.parametrize("name", WRITES)
def test_a_write_reads_by_keys_alone(logged: Engine, name: str) -> None:
    """The number, the row and its changes. The owner is set and the lock taken before the row."""
    found = plan_in_workspace(logged, WRITES[name])
    expected = {
        "creation": {},
        "change": {"heads": {"heads_pkey"}, "tasks": {"tasks_pkey"}},
        "removal": {
            "heads": {"heads_pkey"},
            "tasks": {"tasks_pkey"},
            "changes": {"changes_by_entity"},
        },
    }
    assert scanned(found) == expected[name]
    assert "Hash" not in found
