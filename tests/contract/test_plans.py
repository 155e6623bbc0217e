"""Lists do not slow down with depth: every page comes from an index, in its order."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from tests.databases import (
    Database,
    migrated_database,
    service_engine,
    simulate_pooler,
    sqlite_database,
)
from tests.postgres import Databases
from tests.query_plans import BIG, IN_THE_NAME, deep, fill, parent_of, plan, plan_of, queries

from taskservice.core.task_query import TaskQuery

COUNT, SHARE = 40_000, 10_000

_reads_more = re.compile("Hash Join|Merge Join|Bitmap|Seq Scan|SCAN (?:tasks|below)").search
"""Finds the part of a plan that reads other rows than those of an index for one key."""


@pytest.fixture(scope="module")
def filled_database(postgresql: Databases) -> Iterator[Database]:
    """Many tasks, on PostgreSQL."""
    with migrated_database(postgresql) as database:
        fill(database.superuser_engine, COUNT, SHARE)
        postgresql.execute(IN_THE_NAME.format(role=database.role, owner=BIG))
        yield database


@pytest.fixture(scope="module", params=["sqlite", "sqlite, analyzed", "postgresql", "pooler"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Many tasks, entered on PostgreSQL as an ordinary role under a row-level policy.

    Each statement tells it of the owner, or, as behind a pooler, what goes ahead of it. An
    SQLite file has no statistics unless somebody runs ANALYZE.
    """
    if request.param.startswith("sqlite"):
        engine = service_engine(sqlite_database(tmp_path_factory.mktemp("plans")))
        fill(engine, COUNT // 2, SHARE)
        if request.param == "sqlite, analyzed":
            with engine.connect() as connection:
                connection.execute(text("ANALYZE"))
        yield engine
        engine.dispose()
        return
    engine = service_engine(request.getfixturevalue("filled_database").service)
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
    found = plan_of(filled, lambda tasks: tasks.descendants(parent_of(BIG)))
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
