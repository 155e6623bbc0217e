"""One owner's belongings, carried whole: the promises of the `Archive`, on every adapter."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, event, text
from tests.support import ADA, BOB, START, TickingClock

from taskservice.adapters.memory import InMemoryTasks
from taskservice.adapters.sql.archive import SqlArchives
from taskservice.adapters.sql.task_service import SqlTasks
from taskservice.core.archive import Belongings, OpenArchive, every_task, require_whole
from taskservice.core.demonstration import demonstration
from taskservice.core.errors import AccessRefused, InvalidTask, TaskNotFound
from taskservice.core.ids import TaskIds
from taskservice.core.once import Attempt, OnceOnly
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task


class Doors:
    """Both ports of one home, and the archive as the maintenance role enters it."""

    def __init__(
        self, open_tasks: OpenTasks, open_archive: OpenArchive, maintain: OpenArchive | None = None
    ) -> None:
        self.open_tasks = open_tasks
        self.open_archive = open_archive
        self.maintain = maintain or open_archive

    def tasks(self, owner: str = ADA) -> list[Task]:
        with self.open_tasks(owner) as tasks:
            return list(every_task(tasks))

    def add(self, owner: str, key: str) -> Task:
        """Add a task, with a receipt."""
        with self.open_tasks(owner, together=True) as tasks:
            return OnceOnly(tasks, Attempt(key, b"digest")).add(title="Read a book")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def doors(request: pytest.FixtureRequest, clock: TickingClock) -> Doors:
    """The ports, over each adapter in turn, with no task in it."""
    if request.param == "memory":
        home = InMemoryTasks(clock)
        return Doors(home.open_tasks, home.open_archive)
    if request.param == "sqlite":
        engine = request.getfixturevalue("sqlite")
        return Doors(SqlTasks(engine, clock).open_tasks, SqlArchives(engine).open_archive)
    superuser, role = map(request.getfixturevalue, ("owner_engine", "role_engine"))
    with superuser.connect() as connection:
        connection.execute(text("TRUNCATE tasks, receipts"))
    owner = request.getfixturevalue("home").maintained
    return Doors(
        SqlTasks(role, clock).open_tasks,
        SqlArchives(role).open_archive,
        SqlArchives(owner).open_archive,
    )


def some_tasks(count: int, owner: str = ADA) -> list[Task]:
    return list(demonstration(owner, count, START, TaskIds()))


def test_what_is_restored_is_equal(doors: Doors) -> None:
    """Ids, times, versions and all: what comes out is what went in, the oldest first."""
    wanted = some_tasks(450)
    assert doors.open_archive(ADA).restore(wanted) == []
    assert doors.tasks() == wanted
    with doors.open_tasks(ADA) as tasks:
        assert tasks.change(wanted[0].id, Task.reopen).id == wanted[0].id


def test_restoring_twice_makes_nothing_double(doors: Doors) -> None:
    """A part that was restored is passed over; the rest comes."""
    wanted = some_tasks(20)
    doors.open_archive(ADA).restore(wanted[5:12])
    assert doors.open_archive(ADA).restore(wanted) == []
    assert doors.tasks() == wanted


def test_what_has_changed_since_stays_as_it_is(doors: Doors) -> None:
    """A task that is there in another state is not overwritten, and is told; the rest is stored."""
    first, second, third = some_tasks(3)
    changed = first.edit(first.updated_at, title="Read two books")
    doors.open_archive(ADA).restore([changed])
    assert doors.open_archive(ADA).restore([first, second, third]) == [first]
    assert doors.tasks() == [changed, second, third]


def test_of_two_states_in_one_batch_the_first_is_stored(doors: Doors) -> None:
    """The second is told."""
    (task,) = some_tasks(1)
    other = task.edit(task.updated_at, title="Read two books")
    assert doors.open_archive(ADA).restore([task, other]) == [other]
    assert doors.tasks() == [task]


def test_another_owners_task_is_not_restored(doors: Doors) -> None:
    """The owner was named on opening; a task that names another is told, and nowhere afterwards."""
    (foreign,) = some_tasks(1, BOB)
    assert doors.open_archive(ADA).restore([foreign]) == [foreign]
    assert doors.tasks(ADA) == doors.tasks(BOB) == []


def test_an_owner_is_forgotten_and_nobody_else(doors: Doors) -> None:
    """Tasks and receipts go, and are counted before and after; another owner's stay."""
    mine, theirs = doors.add(ADA, "one"), doors.add(BOB, "one")
    doors.add(ADA, "two")
    assert doors.maintain(ADA).count() == Belongings(2, 2)
    assert doors.maintain(ADA).erase() == Belongings(2, 2)
    assert doors.maintain(ADA).count() == doors.maintain(ADA).erase() == Belongings(0, 0)
    assert doors.tasks(BOB) == [theirs]
    assert doors.maintain(BOB).count() == Belongings(1, 1)
    with doors.open_tasks(ADA) as tasks, pytest.raises(TaskNotFound):
        tasks.get(mine.id)


def test_the_serving_role_cannot_erase_and_removes_nothing(
    home: object, owner_engine: Engine, role_engine: Engine
) -> None:
    """It may not remove receipts: the tasks, which it may, stay as well."""
    with owner_engine.connect() as connection:
        connection.execute(text("TRUNCATE tasks, receipts"))
    archive = SqlArchives(role_engine).open_archive(ADA)
    archive.restore(some_tasks(3))
    with pytest.raises(AccessRefused):
        archive.erase()
    assert archive.count() == Belongings(3, 0)


def test_what_is_erased_from_a_file_is_overwritten(sqlite: Engine) -> None:
    """Asked for by name, as not every SQLite was built to do so by itself."""
    told: list[str] = []
    event.listen(sqlite, "before_cursor_execute", lambda *args: told.append(args[2]))
    SqlArchives(sqlite).open_archive(ADA).erase()
    first = next(number for number, one in enumerate(told) if one.startswith("DELETE"))
    assert "PRAGMA secure_delete = ON" in told[:first]


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
def test_a_task_that_nobody_could_have_made_is_refused(field: str) -> None:
    """Each field has its rule, and is named."""
    task = Task.create(ADA, START, TaskIds(), title="Read a book")
    require_whole(task)
    with pytest.raises(InvalidTask) as caught:
        require_whole(replace(task, **{field: BROKEN[field]}))
    assert field in {fault.field for fault in caught.value.faults}


def test_an_id_belongs_to_its_moment() -> None:
    """Lists find a time of creation by the id: one of another moment, or kind, is refused."""
    task = Task.create(ADA, START, TaskIds(), title="Read a book")
    later = TaskIds()(START + timedelta(milliseconds=1))
    version_four = UUID(int=task.id.int & ~(15 << 76) | 4 << 76)
    for wrong in (later, version_four, UUID(int=task.id.int | 3 << 62)):
        with pytest.raises(InvalidTask, match="id is not one that was made"):
            require_whole(replace(task, id=wrong))
