"""300 races of each kind that could break a tree, a list or an order (tox -e contract)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest

from taskservice.core.entity import Edit
from taskservice.core.errors import InvalidEntity
from taskservice.core.lists import create_list, remove_list
from taskservice.core.moves import Move
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import change_task, create_task, move_task, remove_task
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
    """Run attempts at once; return the result of each, or its `InvalidEntity`."""
    barrier = Barrier(len(attempts))

    def run(attempt: Callable[[], Any]) -> Any:
        barrier.wait(SECONDS)
        try:
            return attempt()
        except InvalidEntity as error:
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
