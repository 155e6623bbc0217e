"""300 races of each kind that could break a tree, list, order or series (tox -e contract)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from taskservice.core.entity import Edit
from taskservice.core.errors import InvalidEntity, TaskNotFound
from taskservice.core.lists import create_list, remove_list
from taskservice.core.moves import Move
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import (
    Completion,
    change_task,
    complete_task,
    create_task,
    move_task,
    remove_task,
)
from taskservice.core.workspace import OpenOwnWorkspace, OpenWorkspace
from taskservice.testing import ADA

RACES = 300
SECONDS = 30

pytestmark = [
    pytest.mark.lengthy,
    pytest.mark.parametrize(
        "open_workspace", ["sqlite", "postgresql", "pooler", "partitioned"], indirect=True
    ),
]


@pytest.fixture
def open_own(open_workspace: OpenWorkspace) -> OpenOwnWorkspace:
    """The workspace of one owner."""
    return partial(open_workspace, ADA)


def race(pool: ThreadPoolExecutor, *attempts: Callable[[], Any]) -> list[Any]:
    """Run attempts at once; return the result of each, or its `InvalidEntity` or `TaskNotFound`."""
    barrier = Barrier(len(attempts))

    def run(attempt: Callable[[], Any]) -> Any:
        barrier.wait(SECONDS)
        try:
            return attempt()
        except (InvalidEntity, TaskNotFound) as error:
            return error

    return [*pool.map(run, attempts)]


def refused(results: list[Any]) -> list[str]:
    """Return the fields of the errors among results."""
    return [one.errors[0].field for one in results if isinstance(one, InvalidEntity)]


def stored(open_own: OpenOwnWorkspace) -> dict[Any, Task]:
    """Return up to 200 tasks by their ids."""
    with open_own() as workspace:
        return {task.id: task for task in workspace.tasks.list(TaskQuery(limit=200)).items}


def new(open_own: OpenOwnWorkspace, **fields: Any) -> Task:
    """Create a task."""
    return create_task(open_own, NewTask(title="x", **fields))


def test_opposite_changes_of_parent_never_make_a_cycle(open_own: OpenOwnWorkspace) -> None:
    """One is done, and the other is refused."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            a, b = new(open_own), new(open_own)
            results = race(
                pool,
                partial(change_task, open_own, a.id, Edit({"parent_id": b.id})),
                partial(change_task, open_own, b.id, Edit({"parent_id": a.id})),
            )
            assert refused(results) == ["parent_id"]


def test_a_subtask_that_is_created_while_its_parent_is_deleted(open_own: OpenOwnWorkspace) -> None:
    """It is refused, or it takes the place of the parent."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            parent = new(open_own)
            created, _ = race(
                pool,
                partial(new, open_own, parent_id=parent.id),
                partial(remove_task, open_own, parent.id),
            )
            assert refused([created]) in ([], ["parent_id"])
            if isinstance(created, Task):
                assert stored(open_own)[created.id].parent_id is None


def test_a_task_that_is_created_while_its_list_is_deleted(open_own: OpenOwnWorkspace) -> None:
    """It is refused, or it is in the inbox."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            a_list = create_list(open_own, NewTaskList(name="x"))
            new(open_own, list_id=a_list.id)
            created, removed = race(
                pool,
                partial(new, open_own, list_id=a_list.id),
                partial(remove_list, open_own, a_list.id, None, "inbox"),
            )
            assert (removed, refused([created])) in [(None, []), (None, ["list_id"])]
            assert {task.list_id for task in stored(open_own).values()} == {None}


def test_a_subtask_that_is_created_while_its_tree_moves(open_own: OpenOwnWorkspace) -> None:
    """It is in the list of its parent."""
    target = create_list(open_own, NewTaskList(name="x")).id
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            parent = new(open_own)
            created, moved = race(
                pool,
                partial(new, open_own, parent_id=parent.id),
                partial(change_task, open_own, parent.id, Edit({"list_id": target})),
            )
            assert (moved.list_id, stored(open_own)[created.id].list_id) == (target, target)


def test_two_equal_changes_of_list_are_one(open_own: OpenOwnWorkspace) -> None:
    """The second finds the task where it wants it, and writes nothing."""
    target = create_list(open_own, NewTaskList(name="x")).id
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = new(open_own)
            move = partial(change_task, open_own, task.id, Edit({"list_id": target}))
            one, other = race(pool, move, move)
            assert (one, one.version) == (other, 2)


def test_moves_into_one_gap_all_succeed(open_own: OpenOwnWorkspace) -> None:
    """All stand behind the neighbor that each named, and before what followed."""
    first, last = new(open_own), new(open_own)
    others = [new(open_own) for _ in range(8)]
    attempts = [partial(move_task, open_own, one.id, Move(after=first.id)) for one in others]
    by_position = Sort(field="position", descending=False)
    with ThreadPoolExecutor(len(attempts)) as pool:
        for _ in range(RACES // len(attempts)):
            race(pool, *attempts)
            with open_own() as workspace:
                query = TaskQuery(list_id=(None,), sort=by_position)
                found = [task.id for task in workspace.tasks.list(query).items]
            assert (found[0], found[-1], len(found)) == (first.id, last.id, 10)


PARALLEL = 50
SHORTER = RACES // 3
"""Races that take long to prepare, or that have many writes."""
DAILY = "FREQ=DAILY"


def daily(open_own: OpenOwnWorkspace) -> Task:
    """Create a task that recurs."""
    return new(open_own, due=date(2026, 3, 1), recurrence=DAILY)


def complete(open_own: OpenOwnWorkspace, task_id: UUID | None, *, completed: bool = True) -> Task:
    """Complete a task, or reopen it."""
    assert task_id is not None
    return complete_task(open_own, task_id, Completion(completed))


def series(open_own: OpenOwnWorkspace, task: Task) -> dict[Any, Task]:
    """Return the tasks of a series by their ids."""
    with open_own() as workspace:
        query = TaskQuery(series_id=task.series_id)
        return {one.id: one for one in workspace.tasks.list(query).items}


def going_on(tasks: dict[Any, Task]) -> list[UUID]:
    """Return the open tasks that recur."""
    return [one.id for one in tasks.values() if one.recurrence and not one.completed]


def test_completions_at_once_make_one_successor(open_own: OpenOwnWorkspace) -> None:
    """All have the same answer."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in range(RACES // PARALLEL):
            task = daily(open_own)
            answers = race(pool, *[partial(complete, open_own, task.id)] * PARALLEL)
            assert answers == answers[:1] * PARALLEL
            assert series(open_own, task).keys() == {task.id, answers[0].next_id}


def test_a_task_that_is_completed_while_it_is_skipped(open_own: OpenOwnWorkspace) -> None:
    """It is cancelled, whichever was first, and has one successor."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            task = daily(open_own)
            completed, skipped = race(
                pool,
                partial(complete, open_own, task.id),
                partial(change_task, open_own, task.id, Edit({"status": "cancelled"})),
            )
            left = series(open_own, task)
            assert left.keys() == {task.id, completed.next_id} == {task.id, skipped.next_id}
            assert left[task.id].status == "cancelled"


def test_a_task_that_is_completed_while_it_is_reopened(open_own: OpenOwnWorkspace) -> None:
    """It is open and alone, or closed again with another successor."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            closed = complete(open_own, daily(open_own).id)
            race(
                pool,
                partial(complete, open_own, closed.id),
                partial(complete, open_own, closed.id, completed=False),
            )
            left = series(open_own, closed)
            last = left[closed.id].next_id or closed.id
            assert left.keys() == {closed.id, last} != {closed.id, closed.next_id}
            assert going_on(left) == [last]


def test_a_successor_that_is_changed_while_it_is_taken_back(open_own: OpenOwnWorkspace) -> None:
    """It is removed before it is changed, or it stays and goes on: nothing is lost."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            closed = complete(open_own, daily(open_own).id)
            assert closed.next_id is not None
            changed, reopened = race(
                pool,
                partial(change_task, open_own, closed.next_id, Edit({"title": "y"})),
                partial(complete, open_own, closed.id, completed=False),
            )
            stays = isinstance(changed, Task)
            expected = {changed.id: changed} if stays else {}
            left = series(open_own, closed)
            assert left == {closed.id: reopened, **expected}
            assert going_on(left) == [changed.id if stays else closed.id]


def test_a_task_that_begins_to_recur_while_it_gets_a_subtask(open_own: OpenOwnWorkspace) -> None:
    """One is done, and the other is refused."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = new(open_own, due=date(2026, 3, 1))
            results = race(
                pool,
                partial(change_task, open_own, task.id, Edit({"recurrence": DAILY})),
                partial(new, open_own, parent_id=task.id),
            )
            assert refused(results) in (["recurrence"], ["parent_id"])


def test_of_two_tasks_of_a_series_that_are_reopened_one_recurs(open_own: OpenOwnWorkspace) -> None:
    """Each would alone, as its successor was deleted."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            first = complete(open_own, daily(open_own).id)
            second = complete(open_own, first.next_id)
            third = complete(open_own, second.next_id)
            for gone in (first.next_id, third.next_id):
                assert gone is not None
                remove_task(open_own, gone)
            race(
                pool,
                *(partial(complete, open_own, one.id, completed=False) for one in (first, third)),
            )
            left = series(open_own, first)
            assert left.keys() == {first.id, third.id}
            assert len(going_on(left)) == 1


def test_a_closed_task_that_begins_to_recur_while_it_is_reopened(
    open_own: OpenOwnWorkspace,
) -> None:
    """If another one of its series recurs, it does not, or it is still closed."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            closed = complete(open_own, daily(open_own).id)
            assert closed.next_id is not None
            change_task(open_own, closed.next_id, Edit({"title": "y"}))
            change_task(open_own, closed.id, Edit({"recurrence": None}))
            race(
                pool,
                partial(change_task, open_own, closed.id, Edit({"recurrence": DAILY})),
                partial(complete, open_own, closed.id, completed=False),
            )
            assert going_on(series(open_own, closed)) == [closed.next_id]
