"""`taskservice import` of lists, trees and series: whatever the order of the lines."""

import subprocess
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from tests.databases import sqlite_database
from tests.processes import COMMAND, SECONDS, environment
from tests.system.places import Place, file_of, lines, lines_of, shuffled, text_of, tree_lines

from taskservice.core.entity import Entity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.testing import ADA, START

MISSING = UUID("01932d0e-5f0a-7cc3-98f4-0b8e1c6f2a11")

_new_id = TimeOrderedIds()


def test_lines_are_imported_in_any_order_from_standard_input(tmp_path: Path) -> None:
    """Sub-tasks before their parents, and tasks before their lists, in other batches."""
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    text = text_of(*(members := tree_lines(1000)))
    result = subprocess.run(
        [*COMMAND, "import", ADA],
        cwd=place.folder,
        env=environment(DATABASE_URL=place.service),
        input=text_of(*shuffled(members)),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("1004 lines imported\n", "")
    assert place.exported() == text


def task(title: str, parent_id: UUID | None = None, list_id: UUID | None = None) -> Task:
    """Return a task."""
    new = NewTask(title=title, parent_id=parent_id, list_id=list_id)
    return Task.create(ADA, START, _new_id, new)


def chain(length: int) -> list[Task]:
    """Return tasks of which each is below the one before."""
    found = [task("Deep")]
    while len(found) < length:
        found.append(task("Deep", found[-1].id))
    return found


def a_cycle() -> list[Task]:
    """Return two tasks, each of which is below the other."""
    first = task("Over")
    second = task("Under", first.id)
    return [replace(first, parent_id=second.id), second]


def test_a_line_with_a_reference_that_cannot_be_kept_is_refused(tmp_path: Path) -> None:
    """With its number and the field, and so is what is below it; all others are imported.

    Of two equal lines each is.
    """
    place = Place(address := sqlite_database(tmp_path), address, tmp_path)
    a_list = TaskList.create(ADA, START - timedelta(days=1), _new_id, NewTaskList(name="Groceries"))
    parent, lost = task("In a list", list_id=a_list.id), task("Lost", list_id=MISSING)
    daily = Task.create(
        ADA, START, _new_id, NewTask(title="Daily", due=date(2026, 3, 1), recurrence="FREQ=DAILY")
    )
    deep = chain(12)
    refused: list[Entity] = [
        *(task("Orphan", MISSING), lost, task("Below", lost.id, MISSING)),
        *(task("Elsewhere", parent.id), *a_cycle(), deep[11], deep[10], lost),
        *(task("Daily, too", daily.id), replace(daily, parent_id=deep[0].id)),
    ]
    kept = [a_list, *deep[:10], parent, daily]
    file = file_of(tmp_path, *lines_of(refused), *lines(250), *lines_of(reversed(kept)))
    result = place("import", ADA, str(file))
    assert sorted(result.stderr.splitlines()) == [
        "Error: 11 lines not imported; 263 lines imported",
        "line 10: parent_id recurs, and such a task has no sub-tasks",
        "line 11: parent_id must be null, as a sub-task does not recur",
        "line 1: parent_id is not one of your tasks",
        "line 2: list_id is not one of your lists",
        "line 3: list_id is not one of your lists; parent_id is not one of your tasks",
        "line 4: parent_id is in another list",
        "line 5: parent_id is not one of your tasks",
        "line 6: parent_id is not one of your tasks",
        "line 7: parent_id is not one of your tasks",
        "line 8: parent_id would be deeper than 10",
        "line 9: list_id is not one of your lists",
    ]
    assert place.held().entities == {"list": 1, "task": 262, "trashed-task": 0}
