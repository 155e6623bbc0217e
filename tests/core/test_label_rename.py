"""Renaming labels: what becomes of the labels of one task, and of more tasks than the limit."""

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.errors import InvalidEntity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.label_rename import LabelRename, RenamedLabel, rename_label
from taskservice.core.labels import LABELS_PER_TASK
from taskservice.core.subtasks import TOO_MANY_WITHOUT_LIMIT, TREE_LIMIT
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import OpenOwnWorkspace, all_pages
from taskservice.testing import ADA, START, TickingClock

names = st.text("aAbBßsSéÉ\u0130i", min_size=1, max_size=3)
NEW_ID = TimeOrderedIds()


def task_with(*labels: str) -> Task:
    """Return a task with labels."""
    return Task.create(ADA, START, NEW_ID, NewTask(title="Buy milk", labels=labels))


@given(st.lists(names, unique_by=str.casefold, max_size=6), names, names)
def test_the_labels_of_a_task_are_renamed(labels: list[str], label: str, new: str) -> None:
    """Whatever their case: the others stay, and the new one is there once, in its spelling."""
    task, rename = task_with(*labels), LabelRename(label, new)
    after = rename(task, START)
    after.validate()
    same = {label.casefold(), new.casefold()}
    others = [one for one in after.labels if one.casefold() not in same]
    assert others == [one for one in task.labels if one.casefold() not in same]
    has_one = len(others) < len(labels)
    assert [one for one in after.labels if one not in others] == [new] * has_one
    assert after.version == 1 + (after.labels != task.labels)
    assert rename.changes(task) is (after != task)
    assert rename(after, START) == after


@pytest.mark.parametrize("has_new", [False, True])
def test_a_task_with_all_its_labels_is_renamed(has_new: bool) -> None:
    """It never has more than the most that it may have."""
    others = [f"{n:02}" for n in range(LABELS_PER_TASK - 1 - has_new)]
    after = LabelRename("HOME", "house")(task_with("home", *["House"] * has_new, *others), START)
    after.validate()
    assert after.labels == (*others, "house")


@pytest.fixture
def open_own() -> OpenOwnWorkspace:
    """The workspace of an owner with one task more than the limit, and more with the new label."""
    open_own = partial(InMemoryStorage(TickingClock()).open_workspace, ADA)
    with open_own(atomic=True) as workspace:
        for label in ["home"] * (TREE_LIMIT + 1) + ["house"] * 3:
            workspace.tasks.add(NewTask(title="Buy milk", labels=(label,)))
    return open_own


def labels_of(open_own: OpenOwnWorkspace) -> list[tuple[str, ...]]:
    """Return the labels of all tasks, the oldest first."""
    with open_own() as workspace:
        return [task.labels for task in all_pages(workspace.tasks, TaskQuery())][::-1]


def test_more_tasks_than_the_limit_are_an_error(open_own: OpenOwnWorkspace) -> None:
    """Nothing is changed. Those that have the new label already do not count."""
    with pytest.raises(InvalidEntity) as caught:
        rename_label(open_own, LabelRename("home", "house"))
    assert caught.value.errors == (("label", TOO_MANY_WITHOUT_LIMIT),)
    assert labels_of(open_own).count(("home",)) == TREE_LIMIT + 1
    with open_own() as workspace:
        workspace.tasks.trash(workspace.tasks.list(TaskQuery(labels_any=("home",))).items[0].id)
    renamed = rename_label(open_own, LabelRename("home", "house"))
    assert renamed == RenamedLabel("house", TREE_LIMIT + 3, TREE_LIMIT + 3, more=False)


def test_with_a_limit_they_are_changed_in_steps(open_own: OpenOwnWorkspace) -> None:
    """The result counts what has the new label so far."""
    rename = LabelRename("home", "house", TREE_LIMIT)
    for total, more in ((TREE_LIMIT + 3, True), (TREE_LIMIT + 4, False), (TREE_LIMIT + 4, False)):
        assert rename_label(open_own, rename) == RenamedLabel("house", total, total, more)
    assert labels_of(open_own) == [("house",)] * (TREE_LIMIT + 4)
