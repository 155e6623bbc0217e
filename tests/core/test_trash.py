"""Restoring: where a task comes back if what it was below or in has changed meanwhile."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.entity import Edit
from taskservice.core.moves import Move
from taskservice.core.query import PAGE_LIMIT, Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.task_rules import DEPTH_LIMIT
from taskservice.core.tasks import change_task, create_task, move_task, remove_task
from taskservice.core.trash import PURGE_LIMIT, purge_all, purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.workspace import OpenOwnWorkspace
from taskservice.testing import ADA, TickingClock


@pytest.fixture
def open_own() -> OpenOwnWorkspace:
    """The workspace of an owner, in memory."""
    return partial(InMemoryStorage(TickingClock()).open_workspace, ADA)


def add(open_own: OpenOwnWorkspace, parent: Task | None = None, **fields: Any) -> Task:
    """Add a task, below another one if that is given."""
    parent_id = parent.id if parent else None
    return create_task(open_own, NewTask(title="Buy milk", parent_id=parent_id, **fields))


def add_list(open_own: OpenOwnWorkspace) -> TaskList:
    """Add a list."""
    with open_own() as workspace:
        return workspace.lists.add(NewTaskList(name="Groceries"))


def get(open_own: OpenOwnWorkspace, task: Task) -> Task:
    """Return the current task."""
    with open_own() as workspace:
        return workspace.tasks.get(task.id)


def test_a_task_comes_back_with_a_parent_that_is_in_another_list(
    open_own: OpenOwnWorkspace,
) -> None:
    """Behind all others below it; its own sub-tasks go along."""
    a_list, parent = add_list(open_own), add(open_own)
    task, other = add(open_own, parent), add(open_own, parent)
    below = add(open_own, task)
    remove_task(open_own, task.id, with_subtasks=True)
    change_task(open_own, parent.id, Edit({"list_id": a_list.id}))
    restored = restore_task(open_own, task.id)
    assert (restored.list_id, restored.parent_id) == (a_list.id, parent.id)
    assert restored.position > get(open_own, other).position
    found = get(open_own, below)
    assert (found.list_id, found.parent_id, found.position) == (a_list.id, task.id, below.position)


def test_a_task_that_would_be_too_deep_comes_back_under_none(open_own: OpenOwnWorkspace) -> None:
    """With its sub-task, as the last one of its list. One level less fits."""
    deep = [add(open_own)]
    for _ in range(DEPTH_LIMIT - 2):
        deep.append(add(open_own, deep[-1]))
    for place, fits in ((-2, True), (-1, False)):
        parent = add(open_own)
        task = add(open_own, parent)
        below = add(open_own, task)
        remove_task(open_own, task.id, with_subtasks=True)
        change_task(open_own, parent.id, Edit({"parent_id": deep[place - 1].id}))
        last = add(open_own)
        restored = restore_task(open_own, task.id)
        assert restored.parent_id == (parent.id if fits else None)
        assert (restored.position > last.position) is not fits
        assert get(open_own, below).parent_id == task.id


def test_promoted_sub_tasks_stay_where_they_are(open_own: OpenOwnWorkspace) -> None:
    """The task comes back without them, at its place."""
    task = add(open_own)
    below = add(open_own, task)
    remove_task(open_own, task.id)
    promoted = get(open_own, below)
    restored = restore_task(open_own, task.id)
    assert (restored.position, restored.parent_id) == (task.position, None)
    assert (get(open_own, below), promoted.parent_id) == (promoted, None)


def test_a_tree_comes_back_without_what_was_purged(open_own: OpenOwnWorkspace) -> None:
    """What was below that is under none. To purge a root purges that alone."""
    root = add(open_own)
    middle = add(open_own, root)
    lowest = [add(open_own, middle) for _ in range(2)]
    remove_task(open_own, root.id, with_subtasks=True)
    purge_task(open_own, middle.id)
    restore_task(open_own, root.id)
    found = [get(open_own, task) for task in lowest]
    assert [task.parent_id for task in found] == [None, None]
    assert root.position < found[0].position < found[1].position


def test_a_task_that_another_one_made_recur_no_more(open_own: OpenOwnWorkspace) -> None:
    """A closed one keeps its recurrence, though an open one of its series recurs."""
    daily: dict[str, Any] = {"recurrence": "FREQ=DAILY", "due": TickingClock().now.date()}
    task = add(open_own, **daily)
    closed = change_task(open_own, task.id, Edit({"completed": True}))
    remove_task(open_own, task.id)
    restored = restore_task(open_own, task.id)
    assert (restored.recurrence, restored.next_id) == (closed.recurrence, closed.next_id)


def test_the_oldest_are_purged_first_up_to_a_limit(open_own: OpenOwnWorkspace) -> None:
    """There is more then."""
    with open_own(atomic=True) as workspace:
        tasks = [workspace.tasks.add(NewTask(title=f"{n}")) for n in range(PURGE_LIMIT + 1)]
        workspace.tasks.trash_all(tasks[::-1], {})
    assert purge_all(open_own) == (PURGE_LIMIT, True)
    with open_own() as workspace:
        assert workspace.trash.get(tasks[0].id).title == "0"
        assert workspace.tasks.list(TaskQuery()).items == []
    assert purge_all(open_own) == (1, False)


def test_several_that_lose_their_parent_stay_in_their_order(open_own: OpenOwnWorkspace) -> None:
    """Behind all others, each at a position of its own, whatever the order of their ids."""
    root = add(open_own)
    middle = add(open_own, root)
    tasks = [add(open_own, middle) for _ in range(5)]
    move_task(open_own, tasks[0].id, Move(place="last"))
    remove_task(open_own, root.id, with_subtasks=True)
    purge_task(open_own, middle.id)
    last = add(open_own)
    restore_task(open_own, root.id)
    with open_own() as workspace:
        query = TaskQuery(list_id=(None,), sort=Sort(field="position", descending=False))
        found = workspace.tasks.list(query).items
    assert [one.id for one in found] == [one.id for one in (root, last, *tasks[1:], tasks[0])]
    assert len({one.position for one in found}) == len(found)


def test_an_imported_tree_comes_back_by_the_rules(open_own: OpenOwnWorkspace) -> None:
    """What is too deep comes back under none, and of two that are below each other the last one."""
    trashed = [trash(open_own) for _ in range(DEPTH_LIMIT + 4)]
    root, first, second, *others = (one.id for one in trashed)
    parents = {first: second, second: first, others[0]: root, **dict(pairwise(reversed(others)))}
    storage = InMemoryStorage(TickingClock())
    tree = [replace(one, trashed_with=root, parent_id=parents.get(one.id)) for one in trashed]
    assert storage.open_owner_data(ADA).import_entities(tree) == []
    open_other = partial(storage.open_workspace, ADA)
    restore_task(open_other, root)
    with open_other() as workspace:
        found = {one: workspace.tasks.get(one).parent_id for one in parents}
    assert found == {**parents, second: None, others[-2]: None}


def test_a_tree_of_more_than_a_page_comes_back(open_own: OpenOwnWorkspace) -> None:
    """All of it."""
    root = add(open_own)
    for _ in range(PAGE_LIMIT + 1):
        add(open_own, root)
    remove_task(open_own, root.id, with_subtasks=True)
    restore_task(open_own, root.id)
    with open_own() as workspace:
        assert len(workspace.tasks.descendants([root.id])) == PAGE_LIMIT + 1


def test_times_move_forward_although_the_clock_steps_back() -> None:
    """A restoration is after the deletion, and a purge too."""
    clock = TickingClock()
    open_own = partial(InMemoryStorage(clock).open_workspace, ADA)
    task, hour = add(open_own), timedelta(hours=1)
    for act in (restore_task, purge_task):
        clock.now += hour
        remove_task(open_own, task.id)
        clock.now -= hour
        act(open_own, task.id)
    with open_own() as workspace:
        times = [one.change.at for one in workspace.changes.of_entity(task.id, None, 9)]
    assert times == sorted(times, reverse=True)


def trash(open_own: OpenOwnWorkspace) -> TrashedTask:
    """Add a task, and return it in the trash."""
    task = add(open_own)
    remove_task(open_own, task.id)
    with open_own() as workspace:
        return workspace.trash.get(task.id)
