"""The tables of the changes have the columns of the log, and the types of changes."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.docs.api_tables import names, rows
from tests.processes import ROOT

from taskservice.adapters.sql.tables import changes
from taskservice.core.changes import UNKNOWN_ORIGIN, DescribeChange
from taskservice.core.entity import Entity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.trashed_task import TrashedTask
from taskservice.testing import ADA

ROWS = rows("| column | value |", (ROOT / "docs" / "change-stream.md").read_text())
HISTORY = (ROOT / "docs" / "trash.md").read_text()

NOW = datetime(2026, 2, 9, 10, tzinfo=UTC)
NEW_ID = TimeOrderedIds()
DESCRIBE = DescribeChange(NEW_ID, UNKNOWN_ORIGIN)


def types() -> Iterator[str]:
    """Yield the type of everything that can happen to a task or a list."""
    task = Task.create(ADA, NOW, NEW_ID, NewTask(title="Buy milk"))
    a_list = TaskList.create(ADA, NOW, NEW_ID, NewTaskList(name="Garden"))
    entities: tuple[Entity, ...] = (task, a_list)
    for entity in entities:
        yield DESCRIBE.creation(entity, NOW).type
        yield DESCRIBE.removal(entity, NOW).type
    trashed = TrashedTask(**vars(task), trashed_at=NOW, trashed_with=None)
    yield DESCRIBE.restoration(trashed.task, task).type
    yield DESCRIBE.removal(trashed, NOW).type
    closed = task.complete(NOW)
    for before, after in (
        (a_list, a_list.edit(NOW, name="Food")),
        (a_list, a_list.placed(NOW, "Z")),
        (task, task.edit(NOW, title="Buy bread")),
        (task, task.placed(NOW, "Z")),
        (task, closed),
        (task, task.edit(NOW, status="cancelled")),
        (closed, closed.edit(NOW, completed=False)),
    ):
        yield DESCRIBE.edit(before, after).type


def test_the_table_has_every_column() -> None:
    """In the order of the table in the database."""
    assert [name for row in ROWS for name in names(row[0])] == changes.c.keys()


def test_the_table_has_every_type_of_change() -> None:
    """And no other."""
    (shown,) = [names(row[1]) for row in ROWS if names(row[0]) == ["type"]]
    assert {*shown} == {*types()}


def test_the_table_of_histories_has_every_type_of_a_task() -> None:
    """Each in a row of its own, on the page about the trash."""
    shown = [names(row[0]) for row in rows("| type | happened | `previous` |", HISTORY)]
    expected = {one for one in types() if one.startswith("task.")}
    assert sorted(shown) == [[one] for one in sorted(expected)]
