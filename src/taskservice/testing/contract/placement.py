"""The contract of lists, references and trees: what refers to what, and who may change it when."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import cycle
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.core.entity import Edit
from taskservice.core.errors import EntityInUse, InvalidEntity, ListNotFound, TaskNotFound
from taskservice.core.ordering import PositionKey
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList, TaskListQuery
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import change_task
from taskservice.core.workspace import OpenWorkspace, Workspace
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER, near_values
from taskservice.testing.owners import ADA, BOB

T = TypeVar("T")

SECONDS = 30
RACES = 20


def new_task(**fields: Any) -> NewTask:
    """Return a new task with a title."""
    return NewTask(title="Buy milk", **fields)


def add_list(open_workspace: OpenWorkspace, owner: str = ADA) -> TaskList:
    """Add a list."""
    with open_workspace(owner) as workspace:
        return workspace.lists.add(NewTaskList(name="Groceries"))


def add(open_workspace: OpenWorkspace, parent: Task | None = None, **fields: UUID | None) -> Task:
    """Add a task, below another one if that is given."""
    if parent is not None:
        fields |= {"parent_id": parent.id, "list_id": parent.list_id}
    with open_workspace(ADA) as workspace:
        return workspace.tasks.add(new_task(**fields))


def all_tasks(open_workspace: OpenWorkspace) -> list[Task]:
    """Return the tasks, the oldest first."""
    with open_workspace(ADA) as workspace:
        return workspace.tasks.list(TaskQuery(limit=200)).items[::-1]


class Placement(ContractBase):
    """The contract of lists, references and trees."""

    def test_a_list_is_stored_changed_and_removed(self, open_workspace: OpenWorkspace) -> None:
        """As a task is; another owner's is not found."""
        stored = add_list(open_workspace)
        with open_workspace(ADA) as workspace:
            assert workspace.lists.get(stored.id) == stored
            renamed = workspace.lists.change(stored.id, Edit({"name": "Food"}))
            assert (renamed.name, renamed.version) == ("Food", 2)
            assert workspace.lists.list(TaskListQuery()).items == [renamed]
        with open_workspace(BOB) as workspace, pytest.raises(ListNotFound):
            workspace.lists.remove(stored.id)
        with open_workspace(ADA) as workspace:
            workspace.lists.remove(stored.id)
            with pytest.raises(ListNotFound):
                workspace.lists.get(stored.id)

    @pytest.mark.parametrize("field", ["list_id", "parent_id"])
    @pytest.mark.parametrize("is_foreign", [False, True])
    @pytest.mark.parametrize("atomic", [False, True])
    def test_a_reference_to_nothing_is_refused(
        self, open_workspace: OpenWorkspace, field: str, is_foreign: bool, atomic: bool
    ) -> None:
        """At its field, and nothing is written. Another owner's entity is as absent as none."""
        with open_workspace(BOB) as workspace:
            foreign = {
                "list_id": workspace.lists.add(NewTaskList(name="Bob's")).id,
                "parent_id": workspace.tasks.add(new_task()).id,
            }
        target = foreign[field] if is_foreign else uuid4()
        task = add(open_workspace)
        writes: list[Callable[[Workspace], object]] = [
            lambda workspace: workspace.tasks.add(new_task(**{field: target})),
            lambda workspace: workspace.tasks.change(task.id, Edit({field: target})),
        ]
        for write in writes:
            with pytest.raises(InvalidEntity) as caught, open_workspace(ADA, atomic=atomic) as own:
                write(own)
            assert [one.field for one in caught.value.errors] == [field]
        with pytest.raises(InvalidEntity), open_workspace(ADA, atomic=True) as own:
            own.tasks.change_all([task], Edit({field: target}))
        assert all_tasks(open_workspace) == [task]

    @pytest.mark.parametrize("atomic", [False, True])
    def test_an_entity_in_use_is_not_removed(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """A list with a task, and a task with a sub-task. A transaction goes on afterwards."""
        stored = add_list(open_workspace)
        parent = add(open_workspace, list_id=stored.id)
        below = add(open_workspace, parent)
        with open_workspace(ADA, atomic=atomic) as workspace:
            with pytest.raises(EntityInUse):
                workspace.lists.remove(stored.id)
            with pytest.raises(EntityInUse):
                workspace.tasks.remove(parent.id)
            last = workspace.tasks.add(new_task())
        assert all_tasks(open_workspace) == [parent, below, last]
        with open_workspace(ADA) as workspace:
            for task in (below, parent):
                workspace.tasks.remove(task.id)
            workspace.lists.remove(stored.id)

    @pytest.mark.parametrize("atomic", [False, True])
    def test_descendants_are_all_below_a_task(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """The nearest first, each level by position, and up to a limit."""
        root = add(open_workspace)
        first, second = (add(open_workspace, root) for _ in range(2))
        low, lower = add(open_workspace, first), add(open_workspace, second)
        lowest = add(open_workspace, low)
        add(open_workspace)
        with open_workspace(ADA, atomic=atomic) as workspace:
            found = [first, second, low, lower, lowest]
            assert [*workspace.tasks.descendants([root.id])] == found
            assert [*workspace.tasks.descendants([root.id], 3)] == found[:3]
            assert [*workspace.tasks.descendants([lowest.id])] == []
        with open_workspace(BOB, atomic=atomic) as workspace:
            assert [*workspace.tasks.descendants([root.id])] == []

    def test_many_entities_are_changed_at_once(self, open_workspace: OpenWorkspace) -> None:
        """Each to a new version, but those that the step does not change."""
        tasks = [add(open_workspace) for _ in range(3)]
        with open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            changed = workspace.tasks.change(tasks[1].id, Edit({"title": "Buy bread"}))
            workspace.tasks.change_all([tasks[0], changed, tasks[2]], Edit({"title": "Buy bread"}))
            workspace.tasks.change_all([], Edit({"title": "Nothing"}))
        after = all_tasks(open_workspace)
        assert [(task.title, task.version) for task in after] == [("Buy bread", 2)] * 3

    def test_many_entities_are_removed_at_once(self, open_workspace: OpenWorkspace) -> None:
        """In their order."""
        root = add(open_workspace)
        below, last = add(open_workspace, root), add(open_workspace)
        with open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            workspace.tasks.remove_all([below, root])
            workspace.tasks.remove_all([])
        assert all_tasks(open_workspace) == [last]

    def test_a_failure_undoes_what_was_changed_and_removed_at_once(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The block is one transaction."""
        tasks = [add(open_workspace) for _ in range(3)]
        with suppress(TaskNotFound), open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            workspace.tasks.change_all(tasks[:2], Edit({"title": "Buy bread"}))
            workspace.tasks.remove_all(tasks[2:])
            workspace.tasks.get(uuid4())
        assert all_tasks(open_workspace) == tasks

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @given(data=st.data())
    def test_lists_and_parents_are_queried_as_specified(
        self, open_workspace: OpenWorkspace, data: st.DataObject
    ) -> None:
        """Exactly the tasks that a query by list and parent admits, in its order, page by page."""
        lists = [None, add_list(open_workspace).id, add_list(open_workspace).id]
        tasks: list[Task] = []
        for list_id, place in zip(data.draw(_places(lists)), cycle([0, 2, 1]), strict=False):
            parents = [None, *(task for task in tasks if task.list_id == list_id)]
            parent = parents[place % len(parents)]
            tasks.append(add(open_workspace, parent, list_id=list_id))
        keys = data.draw(st.lists(near_values(PositionKey()), max_size=len(tasks)))
        with open_workspace(ADA) as workspace:
            for task, key in zip(tasks, keys, strict=False):
                workspace.tasks.change(task.id, partial(Task.placed, position=key))
        query = TaskQuery(
            list_id=(data.draw(st.sampled_from(lists)),),
            parent_id=data.draw(
                st.none() | st.sampled_from([(None,), *((task.id,) for task in tasks)])
            ),
            sort=Sort(
                field=data.draw(st.sampled_from(["position", "created_at", "title"])),
                descending=data.draw(st.booleans()),
            ),
            limit=data.draw(st.integers(1, 4)),
        )
        found: list[Task] = []
        with open_workspace(ADA) as workspace:
            page = workspace.tasks.list(query)
            found += page.items
            while page.next:
                page = workspace.tasks.list(page.next)
                found += page.items
            stored = workspace.tasks.list(TaskQuery(limit=200)).items
        expected = sorted(
            filter(query.admits, stored), key=query.sort.key, reverse=query.sort.descending
        )
        assert found == expected

    def test_opposite_changes_of_parent_never_make_a_cycle(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The lock of the owner's workspace makes them wait: one is done, the other is refused."""
        open_own = partial(open_workspace, ADA)

        def put(task: Task, parent: Task) -> bool:
            try:
                change_task(open_own, task.id, Edit({"parent_id": parent.id}))
            except InvalidEntity:
                return False
            return True

        for _ in range(RACES):
            a, b = add(open_workspace), add(open_workspace)
            assert sorted(at_once([partial(put, a, b), partial(put, b, a)])) == [False, True]


def at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Call functions at the same time, and return what they return."""
    barrier = Barrier(len(calls))

    def call(function: Callable[[], T]) -> T:
        barrier.wait(SECONDS)
        return function()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [*pool.map(call, calls)]


def _places(lists: list[UUID | None]) -> st.SearchStrategy[list[UUID | None]]:
    return st.lists(st.sampled_from(lists), max_size=8)
