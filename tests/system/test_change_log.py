"""The stored change log, and its commands: `db prune`, `db forget-changes`, `check`."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, select, text
from tests.databases import Database, await_lock, service_engine
from tests.postgres import Databases
from tests.secret_values import SECRET
from tests.system.places import Place

from taskservice.adapters.sql.admin import prune as pruning
from taskservice.adapters.sql.admin.forget_changes import forget_changes
from taskservice.adapters.sql.admin.prune import prune_changes
from taskservice.adapters.sql.checks.row_security import require_row_security
from taskservice.adapters.sql.connection.address import database_url
from taskservice.adapters.sql.connection.sessions import PREPARE_THRESHOLD
from taskservice.adapters.sql.engine import unpooled_engine
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import changes
from taskservice.core.changes import Origin, Position
from taskservice.core.entity import Edit
from taskservice.core.errors import SyncExpired
from taskservice.core.sync import SyncState, sync
from taskservice.core.task import NewTask, Task
from taskservice.core.workspace import Workspace
from taskservice.testing import ADA, BOB

CAROL = "carol"
DAY = timedelta(days=1)
RECORDS = "removed 0 tasks from the trash\nremoved 0 expired idempotency records\n"


@contextmanager
def served(place: Place, *, days_ago: int = 0) -> Iterator[SqlStorage]:
    """The storage as the service has it, some days ago."""
    engine = service_engine(place.service)
    yield SqlStorage(engine, lambda: datetime.now(UTC) - days_ago * DAY)
    engine.dispose()


def add(place: Place, count: int, *, days_ago: int = 0, owner: str = ADA) -> None:
    """Add tasks in their order, some days ago."""
    with (
        served(place, days_ago=days_ago) as storage,
        storage.open_workspace(owner) as workspace,
    ):
        for _ in range(count):
            workspace.tasks.add(NewTask(title="Buy milk"))


def numbers(place: Place, owner: str = ADA) -> list[int]:
    """Return the numbers that the log has, as a client reads it that knows its beginning."""
    query = text("SELECT seq FROM changes WHERE user_id = :owner ORDER BY seq")
    with in_the_name(place, owner) as engine, engine.connect() as connection:
        return [*connection.execute(query, {"owner": owner}).scalars()]


@contextmanager
def in_the_name(place: Place, owner: str) -> Iterator[Engine]:
    """Yield an engine that sees the rows of one owner."""
    setting = f"?options=-c%20taskservice.owner%3D{owner}"
    is_file = place.service.startswith("sqlite")
    engine = unpooled_engine(database_url(place.owner + ("" if is_file else setting)))
    yield engine
    engine.dispose()


def synced(workspace: Workspace) -> SyncState:
    """Return the state of a client that is up to date."""
    page = sync(workspace.changes, None, 200)
    while page.more:
        page = sync(workspace.changes, page.next, 200)
    return page.next


def test_a_deletion_for_good_removes_what_the_task_was_from_the_log(place: Place) -> None:
    """Earlier values of other tasks stay. Each row says what happened, and by whom."""
    with (
        served(place) as storage,
        storage.open_workspace(ADA, origin=Origin("web", "a request")) as workspace,
    ):
        kept, gone = (workspace.tasks.add(NewTask(title=title)) for title in "AB")
        workspace.tasks.change(kept.id, Task.complete)
        workspace.tasks.change(gone.id, Edit({"title": "C", "priority": 1}))
        was = stored(place)[3]
        workspace.tasks.remove(gone.id)
    opened = {"completed": False, "completed_at": None, "status": "needs-action"}
    assert was == ("task.changed", gone.id, 2, {"title": "B", "priority": None})
    assert stored(place) == [
        ("task.created", kept.id, 1, None),
        ("task.created", gone.id, 1, None),
        ("task.completed", kept.id, 2, opened),
        ("task.changed", gone.id, 2, None),
        ("task.removed", gone.id, 2, None),
    ]


def stored(place: Place) -> list[tuple[str, UUID, int, object]]:
    """Return the type, the entity, the version and the earlier values of each change."""
    query = select(changes).where(changes.c.user_id == ADA).order_by(changes.c.seq)
    with in_the_name(place, ADA) as engine, engine.connect() as connection:
        rows = connection.execute(query).all()
    assert {(row.client, row.request_id) for row in rows} == {("web", "a request")}
    return [(row.type, row.entity_id, row.version, values(row.previous)) for row in rows]


def values(previous: object) -> object:
    """Return earlier values, which SQLite has as text."""
    return json.loads(previous) if isinstance(previous, str) else previous


def test_db_prune_removes_what_is_older_than_the_setting(place: Place) -> None:
    """But the change right before the first that is kept, which clients may have seen last."""
    add(place, 3, days_ago=40)
    add(place, 2, days_ago=20)
    add(place, 2, days_ago=40, owner=BOB)
    prune = place._replace(service=place.owner)
    pruned = [
        prune("db", "prune", TASKSERVICE_CHANGES_DAYS=days, TASKSERVICE_TRASH_DAYS="10").stdout
        for days in ("45", "30", "30", "10")
    ]
    assert pruned == [f"{RECORDS}removed {count} expired changes\n" for count in (0, 3, 0, 2)]
    assert [numbers(place, owner) for owner in (ADA, BOB)] == [[5], [2]]


def test_db_prune_keeps_changes_for_30_days(place: Place) -> None:
    """Where nothing else is set."""
    for days_ago in (32, 31, 29):
        add(place, 1, days_ago=days_ago)
    assert place.maintain("db", "prune").stdout == f"{RECORDS}removed 1 expired change\n"
    assert numbers(place) == [2, 3]


@pytest.mark.parametrize("days", ["7", "3651", "30d", "-8", "٣٠"])
def test_db_prune_refuses_a_number_of_days(place: Place, days: str) -> None:
    """Nothing is removed: the service's role as the tables' owner sees changes after 8 days."""
    add(place, 2, days_ago=4000)
    result = place._replace(service=place.owner)("db", "prune", TASKSERVICE_CHANGES_DAYS=days)
    message = "Error: TASKSERVICE_CHANGES_DAYS must be a number of days from 8 to 3650\n"
    assert (result.returncode, result.stderr) == (2, message)
    assert numbers(place) == [1, 2]


def test_changes_are_pruned_in_batches(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a transaction, so that none holds up anybody for long."""
    monkeypatch.setattr(pruning, "BATCH_SIZE", 3)
    add(place, 8, days_ago=20)
    engine = unpooled_engine(database_url(place.owner))
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    now = datetime.now(UTC)
    assert prune_changes(engine, now - 10 * DAY, now) == 7
    deletions = [one for one in statements if one.startswith(("DELETE", "COMMIT"))]
    assert [one[:6] for one in deletions[-6:]] == ["DELETE", "COMMIT"] * 3
    assert sum(one.startswith("DELETE") for one in deletions) == 3
    assert numbers(place) == [8]


def test_pruning_and_writing_take_turns(database: Database, tmp_path: Path) -> None:
    """It waits for an open transaction, whose changes stay."""
    place = Place(database.service, database.owner, tmp_path)
    add(place, 3, days_ago=20)
    now = datetime.now(UTC)
    with ThreadPoolExecutor(1) as pool:
        with (
            served(place, days_ago=15) as storage,
            storage.open_workspace(ADA, atomic=True) as workspace,
        ):
            workspace.tasks.add(NewTask(title="Buy bread"))
            pruning_ = pool.submit(prune_changes, database.owner_engine, now - 10 * DAY, now)
            await_lock(database.superuser_engine)
        assert pruning_.result() == 3
    assert numbers(place) == [4]


@pytest.mark.parametrize("began", [True, False])
def test_db_forget_changes_lets_every_client_sync_anew(place: Place, began: bool) -> None:
    """No position is known any more, whatever it was; no task is changed, and writes go on."""
    with served(place) as storage:
        add(place, 2)
        with storage.open_workspace(ADA) as workspace:
            tasks = [
                one.entity for one in sync(workspace.changes, synced_lists(workspace), 9).entries
            ]
            states = [synced(workspace), synced_lists(workspace)]
            states += [state_at(Position(0, 0)), state_at(Position(1, 0)), state_at(Position(2, 0))]
        with storage.open_workspace(CAROL) as workspace:
            nothing = synced(workspace)
        add(place, 1, owner=BOB)
        if not began:
            forget_head(place, BOB)
        said = place.maintain("db", "forget-changes")
        assert (said.returncode, said.stdout) == (0, "removed the changes of 2 users\n")
        with storage.open_workspace(ADA) as workspace:
            for state in states:
                with pytest.raises(SyncExpired):
                    sync(workspace.changes, state, 10)
            assert [
                one.entity for one in sync(workspace.changes, synced_lists(workspace), 9).entries
            ] == tasks
            state = synced(workspace)
            assert (state.position.sequence > 3, state.position.mark) == (True, 0)
            added = workspace.tasks.add(NewTask(title="Buy bread"))
            page = sync(workspace.changes, state, 10)
            assert [one.entity for one in page.entries] == [added]
            number = page.next.position.sequence
            assert number == state.position.sequence + 1
        with storage.open_workspace(BOB) as workspace:
            with pytest.raises(SyncExpired):
                sync(workspace.changes, state_at(Position(0, 0)), 10)
            assert synced(workspace).position.sequence > 1
        with storage.open_workspace(CAROL) as workspace:
            assert sync(workspace.changes, nothing, 10).entries == []
    assert numbers(place) == [number]


def state_at(position: Position) -> SyncState:
    """Return the state of a client at a position."""
    return SyncState(position, position)


def synced_lists(workspace: Workspace) -> SyncState:
    """Return the state of a first sync that has come to the tasks."""
    return sync(workspace.changes, None, 200).next


def forget_head(place: Place, owner: str) -> None:
    """Remove the number of an owner, as an owner of a time before the log has none."""
    with in_the_name(place, owner) as engine, engine.connect() as connection:
        connection.execute(text("DELETE FROM heads WHERE user_id = :owner"), {"owner": owner})


def test_row_level_security_is_forced_again(database: Database) -> None:
    """After it was lifted for the owner of the tables, also if it fails."""
    engine = database.owner_engine
    forget_changes(engine)
    require_row_security(engine)

    def fail(*args: object) -> None:
        if str(args[2]).startswith("DELETE"):
            raise ZeroDivisionError

    event.listen(engine, "before_cursor_execute", fail)
    with pytest.raises(ZeroDivisionError):
        forget_changes(engine)
    require_row_security(database.owner_engine)


def test_the_service_role_cannot_forget_changes(database: Database, tmp_path: Path) -> None:
    """It is refused with a message, and nothing is removed."""
    place = Place(database.service, database.owner, tmp_path)
    add(place, 2)
    result = place("db", "forget-changes")
    assert result.returncode == 2
    assert result.stderr.startswith("Error: database error: permission denied for table changes")
    assert "run it as the tables' owner" in result.stderr
    assert numbers(place) == [1, 2]


def test_changes_are_forgotten_while_users_write(database: Database, postgresql: Databases) -> None:
    """It waits for an open transaction; a prepared write that comes meanwhile waits for it."""
    # Of two that wait for each other, the one that would notice is the command.
    postgresql.execute(f"ALTER ROLE {database.role} SET deadlock_timeout = '60s'")
    engine = service_engine(database.service, pool_size=1)
    other = service_engine(database.service, pool_size=1, lock_timeout=10, statement_timeout=20)
    with SqlStorage(other).open_workspace(ADA) as workspace:
        for _ in range(2 * PREPARE_THRESHOLD):
            workspace.tasks.add(NewTask(title="Buy milk"))
    with ThreadPoolExecutor(2) as pool:
        with SqlStorage(engine).open_workspace(ADA, atomic=True) as workspace:
            workspace.tasks.add(NewTask(title="Buy bread"))
            forgetting = pool.submit(forget_changes, database.owner_engine)
            await_lock(database.superuser_engine)
            writing = pool.submit(add_one, other)
            await_lock(database.superuser_engine, 2)
        assert forgetting.result() == 1
        writing.result()
    for one in (engine, other):
        one.dispose()


def add_one(engine: Engine) -> Task:
    """Add a task."""
    with SqlStorage(engine).open_workspace(ADA) as workspace:
        return workspace.tasks.add(NewTask(title="Buy rye"))


def test_check_finds_gaps_in_the_log(place: Place) -> None:
    """With what to do about it, as the tables' owner, who sees changes after 8 days."""
    settings = {
        "TASKSERVICE_JWT_SECRET": SECRET,
        "TASKSERVICE_ALLOW_PRIVILEGED_ROLE": "true",
    }
    as_owner = place._replace(service=place.owner)
    add(place, 4, days_ago=20)
    add(place, 2, days_ago=20, owner=BOB)
    fine = changes_line(as_owner("check", **settings).stdout)
    assert fine == "ok changes no gaps in the numbers of 2 users in a sample"
    with in_the_name(place, ADA) as engine, engine.connect() as connection:
        connection.execute(text("DELETE FROM changes WHERE user_id = 'ada' AND seq = 2"))
    checked = as_owner("check", **settings)
    assert checked.returncode == 2
    assert changes_line(checked.stdout) == (
        "FAIL changes the changes of ada have gaps: clients may miss some"
    )
    assert "run `taskservice db forget-changes`" in checked.stdout
    assert place.maintain("db", "forget-changes").returncode == 0
    assert as_owner("check", **settings).returncode == 0


def changes_line(printed: str) -> str:
    """Return the finding about the log with single spaces."""
    (line,) = [one for one in printed.splitlines() if one.split()[1] == "changes"]
    return " ".join(line.split())


def test_a_pruned_log_has_no_gap(place: Place) -> None:
    """The numbers begin later."""
    add(place, 4, days_ago=40)
    assert place.maintain("db", "prune").returncode == 0
    assert numbers(place) == [4]
    settings = {"TASKSERVICE_JWT_SECRET": SECRET, "TASKSERVICE_ALLOW_PRIVILEGED_ROLE": "true"}
    checked = place._replace(service=place.owner)("check", **settings)
    assert changes_line(checked.stdout).startswith("ok changes no gaps in the numbers of 1 user")
