"""Lists do not slow down with depth: every page comes from an index, in its order."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from tests.databases import (
    Database,
    migrated_database,
    service_engine,
    simulate_pooler,
    sqlite_database,
)
from tests.postgres import Databases
from tests.query_plans import BIG, IN_THE_NAME, deep, fill, plan, queries

from taskservice.core.task_query import TaskQuery

COUNT, SHARE = 80_000, 10_000


@pytest.fixture(scope="module")
def filled_database(postgresql: Databases) -> Iterator[Database]:
    """Many tasks, on PostgreSQL."""
    with migrated_database(postgresql) as database:
        fill(database.superuser_engine, COUNT, SHARE)
        postgresql.execute(IN_THE_NAME.format(role=database.role, owner=BIG))
        yield database


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "pooler"])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """Many tasks, entered on PostgreSQL as an ordinary role under a row-level policy.

    Each statement tells it of the owner, or, as behind a pooler, what goes ahead of it.
    """
    if request.param == "sqlite":
        engine = service_engine(sqlite_database(tmp_path_factory.mktemp("plans")))
        fill(engine, COUNT, SHARE)
        yield engine
        return
    engine = service_engine(request.getfixturevalue("filled_database").service)
    if request.param == "pooler":
        simulate_pooler(engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("name", queries(SHARE))
@pytest.mark.parametrize("depth", ["first", "deep"])
def test_a_page_comes_from_an_index_in_order(filled: Engine, name: str, depth: str) -> None:
    """No sequential scan and no sort, on the first page and at 90 % of the depth.

    The result of the lateral subquery is one page, and may be sorted.
    """
    query = queries(SHARE)[name]
    found = plan(filled, query if depth == "first" else deep(filled, query))
    assert "Seq Scan" not in found
    assert "Sort" not in found.rpartition("Nested Loop")[2]
    assert "SCAN tasks" not in found
    assert "TEMP B-TREE" not in found
    assert "user_id" in found


def test_a_search_scans_only_the_owners_rows(filled: Engine) -> None:
    """It reads the owner's tasks by an index."""
    found = plan(filled, TaskQuery(text="milk"))
    assert "Seq Scan" not in found
    assert "SCAN tasks" not in found
    assert "user_id" in found
