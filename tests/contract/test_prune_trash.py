"""Purging: what has been in the trash for long is deleted for good, and its text from the log."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from inspect import stack
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, event, text
from tests.databases import await_lock, service_engine
from tests.keyed import add_once

from taskservice.adapters.sql.admin.prune import prune, prune_trash
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.core import trash
from taskservice.core.clock import system_clock
from taskservice.core.entity import Edit
from taskservice.core.errors import TaskNotFound
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.sample_tasks import sample_trash
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import change_task, create_task, remove_task
from taskservice.core.trash import PURGE_LIMIT, purge_all, purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.workspace import OpenOwnWorkspace
from taskservice.testing import ADA, BOB

NOW = system_clock()
DAY = timedelta(days=1)
MONTH = 30 * DAY
CANARY = "Buy milk"
LOGGED = "SELECT seq, type, client, previous FROM changes WHERE user_id = :owner ORDER BY seq"
EMPTY = f"TRUNCATE {', '.join(table.name for table in OWNED_TABLES)}"


class Store(NamedTuple):
    """A database, as the service, the role that owns the tables and one who sees all enter it."""

    service: Engine
    admin: Engine
    whole: Engine

    def open_own(self, owner: str, now: datetime = NOW) -> OpenOwnWorkspace:
        """Return what opens the workspace of an owner at a time."""
        return partial(SqlStorage(self.service, lambda: now).open_workspace, owner)

    def trashed(self, owner: str) -> list[TrashedTask]:
        """Return what is in the trash."""
        with self.open_own(owner)() as workspace:
            return workspace.trash.list(TrashQuery(limit=10_000)).items

    def log(self, owner: str) -> list[tuple[Any, ...]]:
        """Return the number, type, client and previous values of all changes of an owner."""
        with self.whole.connect() as connection:
            return [tuple(row) for row in connection.execute(text(LOGGED), {"owner": owner})]

    def tables_with(self, word: str) -> set[str]:
        """Return the names of the tables that have a word anywhere."""
        with self.whole.connect() as connection:
            rows = {
                table.name: connection.exec_driver_sql(f"SELECT * FROM {table.name}").all()  # noqa: S608
                for table in OWNED_TABLES
            }
        return {name for name, found in rows.items() if word in str(found)}


@pytest.fixture(params=["sqlite", "database", "partitioned_database"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store on each engine."""
    found = request.getfixturevalue(request.param)
    if isinstance(found, Engine):
        yield Store(found, found, found)
        return
    with found.superuser_engine.connect() as connection:
        connection.execute(text(EMPTY))
    service = service_engine(found.service, lock_timeout=30)
    yield Store(service, found.owner_engine, found.superuser_engine)
    service.dispose()


def fill_trash(store: Store, owner: str, count: int, latest: datetime) -> None:
    """Store tasks that were moved to the trash in the month before a time."""
    tasks = sample_trash(owner, count, latest, TimeOrderedIds())
    for first in range(0, count, 500):
        assert SqlOwnerData(store.service, owner).import_entities(tasks[first : first + 500]) == []


def delete(store: Store, owner: str, at: datetime) -> Task:
    """Create a task with a key, edit it, and move it to the trash."""
    with store.open_own(owner, at)(atomic=True) as workspace:
        task = add_once(workspace, NewTask(title=f"{CANARY} for {owner}"), f"{at}")
    change_task(store.open_own(owner, at), task.id, Edit({"title": f"{CANARY} of {owner}"}))
    remove_task(store.open_own(owner, at), task.id)
    return task


def test_old_trash_of_all_owners_is_purged_in_batches(store: Store) -> None:
    """Up to 1,000 tasks in each transaction, until one finds none. Newer tasks stay."""
    fill_trash(store, ADA, 2 * PURGE_LIMIT + 100, NOW - MONTH - DAY)
    fill_trash(store, BOB, 3, NOW - MONTH - DAY)
    kept = delete(store, ADA, NOW - MONTH + DAY)
    there = create_task(store.open_own(ADA), NewTask(title="A"))
    before = store.log(ADA)
    commits: list[str] = []
    event.listen(store.admin, "before_cursor_execute", lambda *args: commits.append(args[2]))
    assert prune_trash(store.admin, NOW - MONTH) == 2 * PURGE_LIMIT + 103
    assert commits.count("COMMIT") == 1 + (3 + 1) + (1 + 1)
    assert [one.id for one in store.trashed(ADA)] == [kept.id]
    assert store.trashed(BOB) == []
    with store.open_own(ADA)() as workspace:
        assert workspace.tasks.get(there.id) == there
    log = store.log(ADA)
    assert log[: len(before)] == before
    assert {one[1:] for one in log[len(before) :]} == {("task.purged", "retention", None)}
    assert [one[0] for one in log] == [*range(1, len(log) + 1)]
    assert (prune_trash(store.admin, NOW - MONTH), store.log(ADA)) == (0, log)


def test_the_number_of_batches_is_not_limited(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the depth of the stack, as it would be by recursion."""
    monkeypatch.setattr(trash, "PURGE_LIMIT", 1)
    fill_trash(Store(sqlite, sqlite, sqlite), ADA, 200, NOW - 2 * MONTH)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(stack()) + 150)
    try:
        assert prune_trash(sqlite, NOW - MONTH) == 200
    finally:
        sys.setrecursionlimit(limit)


PURGES: dict[str, Callable[[Store, Task], object]] = {
    "one": lambda store, task: purge_task(store.open_own(ADA), task.id),
    "all": lambda store, _: purge_all(store.open_own(ADA)),
    "retention": lambda store, _: prune_trash(store.admin, NOW - DAY),
}


@pytest.mark.parametrize("name", PURGES)
def test_no_title_is_left_after_a_purge(store: Store, name: str) -> None:
    """In any table; records of keys are pruned after a day. What others deleted meanwhile stays."""
    task = delete(store, ADA, NOW - 2 * DAY)
    delete(store, BOB, NOW - timedelta(hours=1))
    of_bob = store.log(BOB)
    assert store.tables_with(f"{CANARY} for {ADA}") == {"changes", "idempotency_keys"}
    assert store.tables_with(f"{CANARY} of {ADA}") == {"trash"}
    PURGES[name](store, task)
    assert store.tables_with(f"{CANARY} for {ADA}") == {"idempotency_keys"}
    assert prune(store.admin, NOW) == 1
    assert store.tables_with(f" for {ADA}") == store.tables_with(f" of {ADA}") == set()
    assert store.tables_with(f"{CANARY} for {BOB}") == {"changes", "idempotency_keys"}
    assert store.tables_with(f"{CANARY} of {BOB}") == {"trash"}
    assert store.log(BOB) == of_bob
    names = ["task.created", "task.changed", "task.removed", "task.purged"]
    assert [one[1] for one in store.log(ADA)] == names
    assert {one[3] for one in store.log(ADA)} == {None}


def test_a_purge_leaves_what_the_log_has_of_other_tasks(store: Store) -> None:
    """Also of the same owner."""
    purged, other = (delete(store, ADA, NOW - days * DAY) for days in (3, 2))
    restore_task(store.open_own(ADA), other.id)
    purge_task(store.open_own(ADA), purged.id)
    assert store.tables_with(f"{CANARY} for {ADA}") == {"changes", "idempotency_keys"}
    assert [one[3] is None for one in store.log(ADA) if one[1] == "task.changed"] == [True, False]


@pytest.mark.parametrize("store", ["database", "partitioned_database"], indirect=True)
def test_the_role_that_serves_prunes_nothing(store: Store) -> None:
    """Row-level security names no owner to it, and to the owner of the tables none of today."""
    delete(store, ADA, NOW - 2 * MONTH)
    delete(store, BOB, NOW)
    assert prune_trash(store.service, NOW + DAY) == 0
    assert prune_trash(store.admin, NOW + DAY) == 1
    assert [len(store.trashed(owner)) for owner in (ADA, BOB)] == [0, 1]


@pytest.mark.parametrize("store", ["database", "partitioned_database"], indirect=True)
def test_pruning_takes_turns_with_writes(store: Store) -> None:
    """A write waits for a batch; a restoration finds no task then."""
    task = delete(store, ADA, NOW - 2 * MONTH)
    with ThreadPoolExecutor(2) as pool:
        waiting: list[Any] = []

        def write(*args: Any) -> None:
            if "task.purged" in args[2] and not waiting:
                waiting.append(pool.submit(restore_task, store.open_own(ADA), task.id))
                waiting.append(pool.submit(create_task, store.open_own(ADA), NewTask(title="A")))
                await_lock(store.whole, 2)

        event.listen(store.admin, "before_cursor_execute", write)
        assert prune_trash(store.admin, NOW - MONTH) == 1
        with pytest.raises(TaskNotFound):
            waiting[0].result()
        added = waiting[1].result()
    assert [one[1] for one in store.log(ADA)][-2:] == ["task.purged", "task.created"]
    with store.open_own(ADA)() as workspace:
        assert workspace.tasks.get(added.id) == added
