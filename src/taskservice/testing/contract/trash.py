"""The contract of the trash: which tasks it has, who finds them, how they come back or go."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.core.entity import Edit
from taskservice.core.errors import EntityInUse, InvalidEntity, StaleEntity, TaskNotFound
from taskservice.core.preconditions import at_version
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.trash import purge_all, purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.workspace import OpenWorkspace, Workspace, all_pages
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.placement import RACES, add, add_list, all_tasks, at_once
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER, any_values, new_entities
from taskservice.testing.owners import ADA, BOB

LATE = datetime(2200, 1, 1, tzinfo=UTC)

Call = Callable[[Workspace, UUID], object]

BY_ID: dict[str, Call] = {
    "get": lambda own, task_id: own.tasks.get(task_id),
    "change": lambda own, task_id: own.tasks.change(task_id, Edit({"title": "Buy bread"})),
    "remove": lambda own, task_id: own.tasks.remove(task_id),
    "trash": lambda own, task_id: own.tasks.trash(task_id),
}
"""What finds a task by its id."""

BY_ID_IN_TRASH: dict[str, Call] = {
    "get": lambda own, task_id: own.trash.get(task_id),
    "remove": lambda own, task_id: own.trash.remove(task_id),
}
"""What finds a task of the trash by its id."""


def trash(open_workspace: OpenWorkspace, task: Task) -> TrashedTask:
    """Move a task to the trash, and return it from there."""
    with open_workspace(ADA) as workspace:
        workspace.tasks.trash(task.id)
        return workspace.trash.get(task.id)


def trash_of(open_workspace: OpenWorkspace, query: TrashQuery | None = None) -> list[TrashedTask]:
    """Return what a query finds in the trash, the newest first unless it says otherwise."""
    with open_workspace(ADA) as workspace:
        return [*all_pages(workspace.repository(TrashedTask), query or TrashQuery())]


def everything_found(workspace: Workspace) -> list[object]:
    """Return what queries find that could find a task in the inbox with the label `home`."""
    queries = [
        TaskQuery(with_total=True),
        TaskQuery(text="milk", with_total=True),
        TaskQuery(labels_any=("home",), with_total=True),
        TaskQuery(list_id=(None,), sort=Sort(field="position"), with_total=True),
    ]
    tasks = workspace.tasks
    return [
        [tasks.list(query) for query in queries],
        tasks.count_labels(),
        dict(tasks.count_by_list(TaskQuery())),
    ]


class Trash(ContractBase):
    """The contract of the trash."""

    @pytest.mark.parametrize("atomic", [False, True])
    def test_a_trashed_task_is_as_absent_as_an_unused_id(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """From every method of tasks, and as a parent."""
        with open_workspace(ADA) as workspace:
            stored = workspace.tasks.add(NewTask(title="Buy milk", labels=("home",)))
            before = everything_found(workspace)
            task = workspace.tasks.add(NewTask(title="Buy milk", labels=("home",)))
            workspace.tasks.trash(task.id)
        with open_workspace(ADA, atomic=atomic) as workspace:
            assert everything_found(workspace) == before
            assert workspace.find("task", task.id) is None
            for task_id in (task.id, uuid4()):
                for call in BY_ID.values():
                    with pytest.raises(TaskNotFound):
                        call(workspace, task_id)
        with pytest.raises(InvalidEntity), open_workspace(ADA, atomic=atomic) as workspace:
            workspace.tasks.add(NewTask(title="Rye", parent_id=task.id))
        assert all_tasks(open_workspace) == [stored]

    def test_a_trashed_sub_task_is_not_below_its_parent(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Nor is anything in use by it: its parent and its list can be removed."""
        a_list = add_list(open_workspace)
        parent = add(open_workspace, list_id=a_list.id)
        trashed = trash(open_workspace, add(open_workspace, parent))
        assert (trashed.parent_id, trashed.list_id) == (parent.id, a_list.id)
        with open_workspace(ADA) as workspace:
            assert [*workspace.tasks.descendants([parent.id])] == []
            workspace.tasks.remove(parent.id)
            workspace.lists.remove(a_list.id)
        assert trash_of(open_workspace) == [trashed]

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @given(new=new_entities(Task, any_values), is_completed=st.booleans())
    def test_a_task_is_in_the_trash_whole_and_restored_as_it_was(
        self, open_workspace: OpenWorkspace, new: NewTask, is_completed: bool
    ) -> None:
        """Each field is, but for the version and the time of the last change."""
        with open_workspace(ADA) as workspace:
            task = workspace.tasks.add(new)
            if is_completed:
                task = workspace.tasks.change(task.id, Task.complete)
        trashed = trash(open_workspace, task)
        assert (trashed.task, trashed.trashed_with) == (task, None)
        assert trashed.trashed_at >= task.updated_at
        assert [one for one in trash_of(open_workspace) if one.id == task.id] == [trashed]
        restored = restore_task(partial(open_workspace, ADA), task.id)
        assert restored.updated_at > task.updated_at
        changed = {"version": task.version + 1, "updated_at": restored.updated_at}
        assert vars(restored) == vars(task) | changed
        with open_workspace(ADA) as workspace:
            assert workspace.tasks.get(task.id) == restored
            for call in BY_ID_IN_TRASH.values():
                with pytest.raises(TaskNotFound):
                    call(workspace, task.id)
        with pytest.raises(TaskNotFound):
            restore_task(partial(open_workspace, ADA), task.id)

    def test_times_of_the_trash_never_go_back(
        self, open_workspace: OpenWorkspace, clock: TickingClock
    ) -> None:
        """Though the clock does: neither that of a deletion nor that of a restoration."""
        task = add(open_workspace)
        clock.now -= timedelta(hours=1)
        assert trash(open_workspace, task).trashed_at == task.updated_at
        restored = restore_task(partial(open_workspace, ADA), task.id)
        assert restored.updated_at > task.updated_at

    @settings(FOR_EVERY_ADAPTER, max_examples=15)
    @given(data=st.data())
    def test_the_trash_is_queried_as_specified(
        self, open_workspace: OpenWorkspace, clock: TickingClock, data: st.DataObject
    ) -> None:
        """Exactly the tasks that a query admits, page by page, the newest first by default."""
        purge_all(partial(open_workspace, ADA))
        tasks = [add(open_workspace) for _ in range(data.draw(st.integers(0, 6)))]
        roots = {task.id: tasks[n % 2].id for n, task in enumerate(tasks[:4])}
        trashed: list[TrashedTask] = []
        for task in data.draw(st.permutations(tasks)):
            clock.step = timedelta(milliseconds=data.draw(st.integers(0, 1)))
            with open_workspace(ADA, atomic=True) as workspace:
                workspace.lock()
                workspace.tasks.trash_all([task], roots)
                trashed.append(workspace.trash.get(task.id))
        assert {one.id: one.trashed_with for one in trashed if one.trashed_with} == roots
        query = TrashQuery(
            trashed_before=data.draw(st.sampled_from([None, *(one.trashed_at for one in trashed)])),
            trashed_with=data.draw(st.sampled_from([None, uuid4(), *roots.values()])),
            sort=Sort(field="trashed_at", descending=data.draw(st.booleans())),
            limit=data.draw(st.integers(1, 3)),
            with_total=data.draw(st.booleans()),
        )
        admitted = filter(query.admits, trashed)
        expected = sorted(admitted, key=query.sort.key, reverse=query.sort.descending)
        assert trash_of(open_workspace, query) == expected
        with open_workspace(ADA) as workspace:
            total = workspace.trash.list(query).total
        assert total == (len(expected) if query.with_total else None)
        in_order = sorted(trashed, key=lambda one: (one.trashed_at, one.id), reverse=True)
        assert trash_of(open_workspace) == in_order

    @pytest.mark.parametrize("atomic", [False, True])
    def test_what_is_in_use_or_stale_is_not_trashed(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """Nor is what a precondition refuses restored or purged. A transaction goes on."""
        parent = add(open_workspace)
        below, trashed = add(open_workspace, parent), trash(open_workspace, add(open_workspace))
        is_stale: Any = at_version([7])
        with open_workspace(ADA, atomic=atomic) as workspace:
            with pytest.raises(EntityInUse):
                workspace.tasks.trash(parent.id)
            with pytest.raises(StaleEntity):
                workspace.tasks.trash(below.id, is_stale)
            with pytest.raises(StaleEntity):
                workspace.trash.remove(trashed.id, is_stale)
            last = workspace.tasks.add(NewTask(title="Buy bread"))
        with pytest.raises(StaleEntity):
            restore_task(partial(open_workspace, ADA), trashed.id, is_stale)
        assert all_tasks(open_workspace) == [parent, below, last]
        assert trash_of(open_workspace) == [trashed]

    def test_tasks_are_trashed_and_restored_in_their_order(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Several at once, those of a tree from below and from above."""
        root = add(open_workspace)
        below, last = add(open_workspace, root), add(open_workspace)

        def restored(task: TrashedTask, now: datetime) -> Task:
            return task.restored(replace(task.task, title=f"{task.title}!"), now)

        with open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            workspace.tasks.trash_all([below, root], {below.id: root.id, root.id: root.id})
            workspace.tasks.trash_all([], {})
            assert workspace.tasks.list(TaskQuery()).items == [last]
        trashed = {one.id: one for one in trash_of(open_workspace)}
        assert {one.trashed_with for one in trashed.values()} == {root.id}
        with open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            workspace.trash.restore_all([trashed[root.id], trashed[below.id]], restored)
            workspace.trash.restore_all([], restored)
        found = [(one.id, one.title, one.version) for one in all_tasks(open_workspace)]
        title = f"{root.title}!"
        assert found == [(root.id, title, 2), (below.id, title, 2), (last.id, last.title, 1)]
        assert trash_of(open_workspace) == []

    def test_a_purge_is_for_good_and_leaves_numbers_without_values(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Of the purged task alone: the log keeps the values of another one in the trash."""
        purged, other = add(open_workspace), add(open_workspace)
        with open_workspace(ADA) as workspace:
            for task in (purged, other):
                workspace.tasks.change(task.id, Edit({"title": "Buy bread"}))
                workspace.tasks.trash(task.id)
            kept = workspace.trash.get(other.id)
            before = workspace.changes.of_entity(purged.id, None, 9)
            of_other = workspace.changes.of_entity(other.id, None, 9)
        purge_task(partial(open_workspace, ADA), purged.id)
        with open_workspace(ADA) as workspace:
            last, *after = workspace.changes.of_entity(purged.id, None, 9)
            for call in (BY_ID["get"], *BY_ID_IN_TRASH.values()):
                with pytest.raises(TaskNotFound):
                    call(workspace, purged.id)
            assert workspace.changes.of_entity(other.id, None, 9) == of_other
        assert (last.change.type, last.change.version) == ("task.purged", 2)
        assert after == [one._replace(change=one.change._replace(previous=None)) for one in before]
        assert trash_of(open_workspace) == [kept]

    def test_all_that_was_trashed_before_a_time_is_purged(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Each is a change of its own, without values."""
        tasks = [add(open_workspace) for _ in range(3)]
        trashed = [trash(open_workspace, task) for task in tasks]
        open_own = partial(open_workspace, ADA)
        assert purge_all(open_own, trashed[2].trashed_at) == (2, False)
        assert trash_of(open_workspace) == [trashed[2]]
        assert purge_all(open_own, LATE) == (1, False)
        assert purge_all(open_own) == (0, False)
        with open_workspace(ADA) as workspace:
            for task in tasks:
                found = workspace.changes.of_entity(task.id, None, 9)
                assert [one.change.type for one in found] == [
                    *("task.purged", "task.removed", "task.created")
                ]

    def test_a_block_that_is_rolled_back_leaves_tasks_and_trash(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """One is trashed in it, one restored, one purged; it sees that itself."""
        kept, *others = (add(open_workspace) for _ in range(3))
        restored, purged = (trash(open_workspace, task) for task in others)
        with suppress(ZeroDivisionError), open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            workspace.tasks.trash(kept.id)
            workspace.trash.restore_all([restored], lambda one, now: one.restored(one.task, now))
            workspace.trash.remove(purged.id)
            assert [one.id for one in workspace.tasks.list(TaskQuery()).items] == [restored.id]
            assert [one.id for one in workspace.trash.list(TrashQuery()).items] == [kept.id]
            raise ZeroDivisionError
        assert all_tasks(open_workspace) == [kept]
        assert trash_of(open_workspace) == [purged, restored]

    def test_another_owners_trash_is_not_found(self, open_workspace: OpenWorkspace) -> None:
        """By no method, and nothing is restored or purged."""
        trashed = trash(open_workspace, add(open_workspace))
        open_other = partial(open_workspace, BOB)
        with open_other() as workspace:
            assert workspace.trash.list(TrashQuery(with_total=True)).items == []
            for call in BY_ID_IN_TRASH.values():
                with pytest.raises(TaskNotFound):
                    call(workspace, trashed.id)
        for operation in (restore_task, purge_task):
            with pytest.raises(TaskNotFound):
                operation(open_other, trashed.id)
        assert purge_all(open_other) == (0, False)
        assert trash_of(open_workspace) == [trashed]

    def test_of_a_restoration_and_a_purge_at_once_one_is_done(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The other does not find the task. It is never in both places."""
        open_own = partial(open_workspace, ADA)

        def is_done(operation: Callable[..., object], task: Task) -> bool:
            try:
                operation(open_own, task.id)
            except TaskNotFound:
                return False
            return True

        for _ in range(RACES):
            task = add(open_workspace)
            trash(open_workspace, task)
            restored, purged = at_once(
                [partial(is_done, one, task) for one in (restore_task, purge_task)]
            )
            assert restored is not purged
            is_stored = task.id in {one.id for one in all_tasks(open_workspace)}
            assert (is_stored, trash_of(open_workspace)) == (restored, [])
