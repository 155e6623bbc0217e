"""Export, import and erasure of one owner's data: the contract of `OwnerData`, on every adapter."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event, text

from taskservice.adapters.memory import InMemoryStorage
from taskservice.adapters.sql.connection import sqlite as sqlite_files
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.adapters.sql.storage.repository import SqlStorage
from taskservice.adapters.sql.tables import OWNED_TABLES
from taskservice.core.errors import AccessDenied, InvalidEntity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.owner_data import ErasureIncomplete, OpenOwnerData, OwnerCounts, iterate
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import remove_task
from taskservice.core.trash import restore_task
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing import ADA, BOB, START, TickingClock, tasks_of
from taskservice.testing.contract import OwnerDataContract
from taskservice.testing.contract.owner_data import a_tree, some_tasks

EMPTY = f"TRUNCATE {', '.join(table.name for table in OWNED_TABLES)}"


class Services(NamedTuple):
    """Both ports of one storage adapter, and the owner data as the maintenance role opens it."""

    open_workspace: OpenWorkspace
    open_owner_data: OpenOwnerData
    open_owner_data_as_admin: OpenOwnerData


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def services(request: pytest.FixtureRequest, clock: TickingClock) -> Services:
    """The ports, over each adapter in turn, with no task in it."""
    if request.param == "memory":
        database = InMemoryStorage(clock)
        return Services(database.open_workspace, database.open_owner_data, database.open_owner_data)
    if request.param == "sqlite":
        engine = request.getfixturevalue("sqlite")
        archived = partial(SqlOwnerData, engine)
        return Services(SqlStorage(engine, clock).open_workspace, archived, archived)
    superuser, role = map(request.getfixturevalue, ("superuser_engine", "role_engine"))
    with superuser.connect() as connection:
        connection.execute(text(EMPTY))
    owner = request.getfixturevalue("database").owner_engine
    return Services(
        SqlStorage(role, clock).open_workspace,
        partial(SqlOwnerData, role),
        partial(SqlOwnerData, owner),
    )


class TestOwnerData(OwnerDataContract):
    """The contract of `OwnerData`, on every adapter."""

    @pytest.fixture
    def open_workspace(self, services: Services) -> OpenWorkspace:
        return services.open_workspace

    @pytest.fixture
    def open_owner_data(self, services: Services) -> OpenOwnerData:
        return services.open_owner_data

    @pytest.fixture
    def open_owner_data_as_admin(self, services: Services) -> OpenOwnerData:
        return services.open_owner_data_as_admin


def test_a_sub_task_belongs_to_the_parent_that_is_stored(services: Services) -> None:
    """A stored parent is kept, and decides; another state of it in the batch does not."""
    a_list, parent, below, _ = a_tree()
    owner_data = services.open_owner_data(ADA)
    assert owner_data.import_entities([replace(cast(Task, parent), list_id=None)]) == []
    refused = owner_data.import_entities([a_list, parent, below])
    assert {one.entity: [error.detail for error in one.errors] for one in refused} == {
        parent: [],
        below: ["is in another list"],
    }


def test_the_serving_role_cannot_erase_and_removes_nothing(
    database: object, superuser_engine: Engine, role_engine: Engine
) -> None:
    """It lacks DELETE on idempotency records, so its tasks stay too."""
    with superuser_engine.connect() as connection:
        connection.execute(text(EMPTY))
    archived = SqlOwnerData(role_engine, ADA)
    archived.import_entities(some_tasks(3))
    with pytest.raises(AccessDenied):
        archived.erase()
    assert archived.count() == OwnerCounts({"list": 0, "task": 3, "trashed-task": 0}, 0, 3)


@pytest.fixture
def hurried(sqlite: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A file without busy timeout and `secure_delete`."""
    monkeypatch.setattr(sqlite_files, "BUSY_TIMEOUT_SECONDS", 0)
    event.listen(
        sqlite, "connect", lambda connection, _: connection.execute("PRAGMA secure_delete = OFF")
    )
    return sqlite


def found(word: str, engine: Engine) -> list[str]:
    """Return the files of a closed database that contain a word."""
    engine.dispose()
    folder = Path(engine.url.database or "").parent
    return sorted(file.name for file in folder.iterdir() if word.encode() in file.read_bytes())


def use_often(engine: Engine, owner: str) -> None:
    """Store, change and remove so that rows move within the file; some stay."""
    word = f"aardvark of {owner} "
    with tasks_of(SqlStorage(engine).open_workspace)(owner) as tasks:
        kept = [
            tasks.add(NewTask(title=word * (n % 9 + 1), description=word * n * 3))
            for n in range(60)
        ]
        for n, task in enumerate(kept[::2]):
            tasks.change(task.id, partial(Task.edit, title=word * (n % 7 + 1)))
        for task in kept[::3]:
            tasks.trash(task.id)


def test_erased_data_is_not_left_in_the_file(hurried: Engine) -> None:
    """Nor are earlier versions and deleted tasks of the user; another user's tasks are."""
    for owner in (ADA, BOB):
        use_often(hurried, owner)
    SqlOwnerData(hurried, ADA).erase()
    assert found(f"aardvark of {ADA}", hurried) == []
    assert found(f"aardvark of {BOB}", hurried) == ["tasks.db"]


def test_erase_reports_bytes_that_a_reader_keeps_on_disk(hurried: Engine) -> None:
    """The rows are deleted, and the next `erase` vacuums the file."""
    use_often(hurried, ADA)
    archived = SqlOwnerData(hurried, ADA)
    there = archived.count()
    with closing(sqlite3.connect(str(hurried.url.database))) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM tasks").fetchone()
        with pytest.raises(
            ErasureIncomplete, match="another connection reads the database"
        ) as caught:
            archived.erase()
    nothing = OwnerCounts({"list": 0, "task": 0, "trashed-task": 0}, 0, 0)
    assert (caught.value.removed, archived.count(), archived.erase()) == (there, nothing, nothing)
    assert found("aardvark", hurried) == []


def test_a_failed_vacuum_is_reported(hurried: Engine) -> None:
    """For example if another connection writes, or the disk is full."""

    def fail(*args: Any) -> tuple[str, Any]:
        return args[2].replace("VACUUM", "VACUUM INTO '/nowhere/x'"), args[3]

    event.listen(hurried, "before_cursor_execute", fail, retval=True)
    with pytest.raises(ErasureIncomplete, match="database error: unable to open database"):
        SqlOwnerData(hurried, ADA).erase()


def test_an_import_reads_only_the_tasks_of_its_batch(
    sqlite: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its cost does not depend on how many tasks the owner has."""
    read: list[UUID] = []
    from_row = mapping_of(Task).from_row

    def reading(row: Any) -> Task:
        read.append(row[0])
        return cast(Task, from_row(row))

    first, second, third = some_tasks(3)
    SqlOwnerData(sqlite, ADA).import_entities([first, second])
    monkeypatch.setattr(mapping_of(Task), "from_row", reading)
    SqlOwnerData(sqlite, ADA).import_entities([second, third])
    assert read == [second.id]


BROKEN: dict[str, Any] = {
    "id": uuid4(),
    "user_id": "a b",
    "title": " ",
    "description": "\x00",
    "completed": True,
    "completed_at": START - timedelta(days=1),
    "created_at": START.replace(microsecond=0),
    "updated_at": START - timedelta(days=400),
    "version": 0,
}


@pytest.mark.parametrize("field", BROKEN)
def test_an_invalid_task_is_not_imported(field: str) -> None:
    """The error names each field that breaks its rule."""
    task = Task.create(ADA, START, TimeOrderedIds(), NewTask(title="Read a book"))
    task.validate()
    with pytest.raises(InvalidEntity) as caught:
        replace(task, **{field: BROKEN[field]}).validate()
    assert field in {error.field for error in caught.value.errors}


def test_the_highest_version_that_can_be_imported() -> None:
    """2**30, so that each task can be changed as often again."""
    task = Task.create(ADA, START, TimeOrderedIds(), NewTask(title="Read a book"))
    replace(task, version=2**30).validate()
    with pytest.raises(InvalidEntity, match="version must be from 1 to 1073741824"):
        replace(task, version=2**30 + 1).validate()


def test_an_id_must_match_its_creation_time() -> None:
    """Lists filter by creation time through the id, so the timestamp in it must match."""
    task = Task.create(ADA, START, TimeOrderedIds(), NewTask(title="Read a book"))
    later = TimeOrderedIds()(START + timedelta(milliseconds=1))
    version_four = UUID(int=task.id.int & ~(15 << 76) | 4 << 76)
    for wrong in (later, version_four, UUID(int=task.id.int | 3 << 62)):
        with pytest.raises(InvalidEntity, match="id must be a UUIDv7"):
            replace(task, id=wrong).validate()


@pytest.fixture(params=["sqlite", "postgresql"])
def storage(request: pytest.FixtureRequest) -> SqlStorage:
    """The storage of each database."""
    names = {"sqlite": "sqlite", "postgresql": "role_engine"}
    return SqlStorage(request.getfixturevalue(names[request.param]))


def test_an_export_is_of_one_moment(storage: SqlStorage) -> None:
    """A task that is deleted or restored meanwhile is in it once."""
    open_own = partial(storage.open_workspace, "exporter")
    with open_own() as workspace:
        deleted, restored = (workspace.tasks.add(NewTask(title="Buy milk")) for _ in range(2))
        workspace.tasks.trash(restored.id)
    with storage.open_snapshot("exporter") as snapshot:
        tasks = [*iterate(snapshot.tasks)]
        restore_task(open_own, restored.id)
        remove_task(open_own, deleted.id)
        trashed = [*iterate(snapshot.repository(TrashedTask))]
    assert [one.id for one in tasks] == [deleted.id]
    assert [one.id for one in trashed] == [restored.id]
