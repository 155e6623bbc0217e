"""The table of the page about the stream has the columns of the log, and the types of changes."""

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.docs.api_tables import names
from tests.processes import ROOT

from taskservice.adapters.sql.tables import changes
from taskservice.core.changes import UNKNOWN_ORIGIN, DescribeChange
from taskservice.core.entity import Entity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.testing import ADA

PAGE = (ROOT / "docs" / "change-stream.md").read_text()
TABLE = PAGE.partition("\n| column | value |\n")[2].partition("\n\n")[0]
ROWS = [line.strip("|").split(" | ") for line in TABLE.splitlines()[1:]]

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
