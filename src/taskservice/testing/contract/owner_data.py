"""The contract of `OwnerData`: import, count and erase."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import cycle
from typing import cast
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.core.entity import VERSION_LIMIT, Entity
from taskservice.core.errors import TaskNotFound
from taskservice.core.idempotency import IdempotencyKey
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.owner_data import OpenOwnerData, OwnerCounts, Refusal, iterate
from taskservice.core.sample_tasks import sample_tasks
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.trash import restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.clock import START
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.idempotency import create, send
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER, any_values, new_entities
from taskservice.testing.contract.sync_client import (
    end_of_log,
    entries_since,
    everything,
    following,
)
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks


def some_tasks(count: int, owner: str = ADA) -> list[Task]:
    """Return tasks as another storage adapter might export them, the oldest first."""
    return list(sample_tasks(owner, count, START, TimeOrderedIds()))


def stored_tasks(open_tasks: OpenTasks, owner: str = ADA) -> list[Task]:
    """Return all tasks of an owner, the oldest first."""
    with open_tasks(owner) as tasks:
        return list(iterate(tasks))


def a_tree() -> list[Entity]:
    """Return a list, a task in it, and two levels of sub-tasks, the oldest first."""
    new_id = TimeOrderedIds()
    a_list = TaskList.create(ADA, START, new_id, NewTaskList(name="Groceries"))
    tasks: list[Entity] = []
    for title in ("Buy bread", "Rye", "Two loaves"):
        parent_id = tasks[-1].id if tasks else None
        new = NewTask(title=title, list_id=a_list.id, parent_id=parent_id)
        tasks.append(Task.create(ADA, START, new_id, new))
    return [a_list, *tasks]


def add(open_workspace: OpenWorkspace, owner: str, key: str) -> Task:
    """Add a task with an idempotency record."""
    task, _ = send(open_workspace, IdempotencyKey(key, b"fingerprint"), create, owner)
    return cast(Task, task)


def trash_one(open_workspace: OpenWorkspace, owner: str = ADA) -> Task:
    """Add a task and move it to the trash."""
    with open_workspace(owner) as workspace:
        task = workspace.tasks.add(NewTask(title="Buy butter"))
        workspace.tasks.trash(task.id)
        return task


def trashed(task: Task, root_id: UUID | None = None) -> TrashedTask:
    """Return a task as it is in the trash."""
    at = task.updated_at + timedelta(days=1)
    return TrashedTask(**vars(task), trashed_at=at, trashed_with=root_id)


class OwnerDataContract(ContractBase):
    """The whole contract. It needs the fixtures `open_tasks` and `open_owner_data`.

    Both open the same storage. Override `open_owner_data_as_admin` if only
    another role may count and erase.
    """

    @pytest.fixture
    def open_owner_data_as_admin(self, open_owner_data: OpenOwnerData) -> OpenOwnerData:
        """`OwnerData` as the role that may count and erase."""
        return open_owner_data

    def test_imported_tasks_are_equal(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """Ids, times, versions and all other fields are stored as they were."""
        wanted = some_tasks(450)
        assert open_owner_data(ADA).import_entities(wanted) == []
        assert stored_tasks(open_tasks) == wanted
        with open_tasks(ADA) as tasks:
            assert tasks.change(wanted[0].id, Task.reopen).id == wanted[0].id

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @given(new=st.lists(new_entities(Task, any_values), min_size=1, max_size=3))
    def test_every_field_is_imported(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData, new: list[NewTask]
    ) -> None:
        """A task that is imported is read back with each field as it was."""
        new_id = TimeOrderedIds()
        imported = [Task.create(ADA, START, new_id, one) for one in new]
        assert open_owner_data(ADA).import_entities(imported) == []
        with open_tasks(ADA) as tasks:
            assert [tasks.get(task.id) for task in imported] == imported

    def test_a_task_at_the_highest_version_can_be_changed(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """The storage holds higher versions than an import may contain."""
        task = replace(some_tasks(1)[0], version=VERSION_LIMIT)
        assert open_owner_data(ADA).import_entities([task]) == []
        with open_tasks(ADA) as tasks:
            changed = tasks.change(task.id, partial(Task.edit, title="Read two books"))
            assert (changed.title, changed.version) == ("Read two books", VERSION_LIMIT + 1)
            assert tasks.get(task.id) == changed

    def test_importing_twice_creates_no_duplicates(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """Tasks that were already imported are skipped, and the others are imported."""
        wanted = some_tasks(20)
        open_owner_data(ADA).import_entities(wanted[5:12])
        assert open_owner_data(ADA).import_entities(wanted) == []
        assert stored_tasks(open_tasks) == wanted

    def test_an_import_does_not_overwrite_a_changed_task(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """A stored task that differs is returned instead; the others are imported."""
        first, second, third = some_tasks(3)
        changed = first.edit(first.updated_at, title="Read two books")
        open_owner_data(ADA).import_entities([changed])
        assert open_owner_data(ADA).import_entities([first, second, third]) == [Refusal(first)]
        assert stored_tasks(open_tasks) == [changed, second, third]

    def test_the_first_of_two_states_in_one_batch_is_stored(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """The second is returned."""
        (task,) = some_tasks(1)
        other = task.edit(task.updated_at, title="Read two books")
        assert open_owner_data(ADA).import_entities([task, other]) == [Refusal(other)]
        assert stored_tasks(open_tasks) == [task]

    def test_another_owners_task_is_not_imported(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """A task of another owner is returned, and stored for neither of them."""
        (foreign,) = some_tasks(1, BOB)
        assert open_owner_data(ADA).import_entities([foreign]) == [Refusal(foreign)]
        assert stored_tasks(open_tasks, ADA) == stored_tasks(open_tasks, BOB) == []

    def test_references_are_imported_in_any_order(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """Lists, tasks in them and sub-tasks, as they were."""
        entities = a_tree()
        assert open_owner_data(ADA).import_entities(entities[::-1]) == []
        with open_workspace(ADA) as workspace:
            assert [*iterate(workspace.lists), *iterate(workspace.tasks)] == entities

    def test_an_import_waits_for_what_it_refers_to(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """What refers to nothing is returned with its errors, and can be imported later."""
        a_list, *tasks = a_tree()
        refused = open_owner_data(ADA).import_entities(tasks)
        assert {(one.entity, one.is_waiting) for one in refused} == {(one, True) for one in tasks}
        errors = {one.entity: [error.field for error in one.errors] for one in refused}
        assert errors[tasks[0]] == ["list_id"]
        assert errors[tasks[1]] == ["list_id", "parent_id"]
        assert open_owner_data(ADA).import_entities([a_list]) == []
        assert open_owner_data(ADA).import_entities(tasks) == []
        with open_workspace(ADA) as workspace:
            assert [*iterate(workspace.tasks)] == tasks

    def test_the_ids_of_a_series_are_no_references(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """A task is imported without its successor and the first task of its series."""
        (task,) = some_tasks(1)
        new_id = TimeOrderedIds()
        alone = replace(task.complete(START), series_id=new_id(START), next_id=new_id(START))
        assert open_owner_data(ADA).import_entities([alone]) == []
        with open_workspace(ADA) as workspace:
            assert workspace.tasks.get(task.id) == alone

    def test_a_misplaced_subtask_is_not_imported(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """It is returned with its error, and so is its sub-task."""
        a_list, parent, below, lowest = a_tree()
        elsewhere = replace(cast(Task, below), list_id=None)
        refused = open_owner_data(ADA).import_entities([a_list, parent, elsewhere, lowest])
        assert [(one.entity, one.errors[0].detail, one.is_waiting) for one in refused] == [
            (elsewhere, "is in another list", False),
            (lowest, "is not one of your tasks", True),
        ]
        with open_workspace(ADA) as workspace:
            assert [*iterate(workspace.tasks)] == [parent]

    def test_a_subtask_is_placed_beside_its_stored_parent(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """A parent that has moved since the export is kept, and its sub-task is refused."""
        a_list, parent, below, _ = a_tree()
        moved = replace(cast(Task, parent), list_id=None)
        open_owner_data(ADA).import_entities([moved])
        refused = open_owner_data(ADA).import_entities([a_list, parent, below])
        assert {(one.entity, len(one.errors)) for one in refused} == {(parent, 0), (below, 1)}
        with open_workspace(ADA) as workspace:
            assert [*iterate(workspace.tasks)] == [moved]

    def test_only_the_data_of_one_owner_is_erased(
        self,
        open_workspace: OpenWorkspace,
        open_tasks: OpenTasks,
        open_owner_data_as_admin: OpenOwnerData,
    ) -> None:
        """Lists, tasks, the trash and idempotency records, counted before and after."""
        mine, theirs = add(open_workspace, ADA, "one"), add(open_workspace, BOB, "one")
        with open_workspace(ADA) as workspace:
            a_list = workspace.lists.add(NewTaskList(name="Groceries"))
            parent = workspace.tasks.add(NewTask(title="Buy bread", list_id=a_list.id))
            workspace.tasks.add(NewTask(title="Rye", list_id=parent.list_id, parent_id=parent.id))
        trash_one(open_workspace, BOB)
        trashed = trash_one(open_workspace)
        there = OwnerCounts({"list": 1, "task": 3, "trashed-task": 1}, 1, 6)
        assert open_owner_data_as_admin(ADA).count() == there
        assert open_owner_data_as_admin(ADA).erase() == there
        assert (
            open_owner_data_as_admin(ADA).count()
            == open_owner_data_as_admin(ADA).erase()
            == OwnerCounts({"list": 0, "task": 0, "trashed-task": 0}, 0, 0)
        )
        assert stored_tasks(open_tasks, BOB) == [theirs]
        assert open_owner_data_as_admin(BOB).count() == OwnerCounts(
            {"list": 0, "task": 1, "trashed-task": 1}, 1, 3
        )
        with open_workspace(ADA) as workspace:
            for find in (workspace.tasks.get, workspace.trash.get):
                for task in (mine, trashed):
                    with pytest.raises(TaskNotFound):
                        find(task.id)

    def test_the_trash_is_imported_as_it_was(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """Whatever it refers to, and again without effect. Each is a removal in the log."""
        a_list, parent, *_ = a_tree()
        new_id = TimeOrderedIds()
        new = NewTask(title="Rye", list_id=a_list.id, parent_id=parent.id)
        tasks = [*some_tasks(20), Task.create(ADA, START, new_id, new)]
        wanted = [
            trashed(task, with_root)
            for task, with_root in zip(tasks, cycle([None, new_id(START)]), strict=False)
        ]
        assert open_owner_data(ADA).import_entities(wanted) == []
        assert open_owner_data(ADA).import_entities(wanted[::-1]) == []
        with open_workspace(ADA) as workspace:
            assert [*iterate(workspace.repository(TrashedTask))] == wanted
            assert [*iterate(workspace.tasks)] == []
            logged = [workspace.changes.of_entity(one.id, None, 9) for one in wanted]
        assert [[one.change.type for one in found] for found in logged] == [["task.removed"]] * 21
        restored = restore_task(partial(open_workspace, ADA), wanted[-1].id)
        assert (restored.list_id, restored.parent_id, restored.title) == (None, None, "Rye")

    def test_an_id_is_in_the_trash_or_not(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """A task is not imported if it is in the trash, nor one of the trash if it is not."""
        first, second = some_tasks(2)
        others: list[Entity] = [first, trashed(second)]
        assert open_owner_data(ADA).import_entities([trashed(first), second]) == []
        assert open_owner_data(ADA).import_entities(others) == [*map(Refusal, others)]
        with open_workspace(ADA) as workspace:
            assert [*iterate(workspace.tasks)] == [second]
            assert workspace.trash.list(TrashQuery()).items == [trashed(first)]

    def test_an_id_in_one_batch_is_in_the_trash_or_not(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """One of both is stored, the other is returned."""
        first, second = some_tasks(2)
        batch: list[Entity] = [first, trashed(first), trashed(second), second]
        refused = [one.entity for one in open_owner_data(ADA).import_entities(batch)]
        with open_workspace(ADA) as workspace:
            kept: list[Entity] = [
                *iterate(workspace.tasks),
                *iterate(workspace.repository(TrashedTask)),
            ]
        assert {*kept}.isdisjoint(refused)
        for entities in (kept, refused):
            assert {one.id for one in entities} == {first.id, second.id}
        assert len([*kept, *refused]) == len(batch)

    def test_each_imported_entity_has_a_number(
        self, open_workspace: OpenWorkspace, open_owner_data: OpenOwnerData
    ) -> None:
        """Those that are not stored: one is there already, and one is refused."""
        a_list, *tasks = a_tree()
        foreign = some_tasks(1, BOB)
        open_owner_data(ADA).import_entities([a_list])
        client = following(open_workspace)
        start = end_of_log(open_workspace)
        open_owner_data(ADA).import_entities([a_list, *tasks, *foreign])
        entries = entries_since(open_workspace, start)
        numbers = [one.position.sequence - start.sequence for one in entries]
        assert numbers == [*range(1, len(tasks) + 1)]
        assert [one.entity for one in entries] == tasks
        client.follow(2)
        assert client.copy == everything(open_workspace)

    def test_an_owner_who_comes_back_has_another_log(
        self, open_workspace: OpenWorkspace, open_owner_data_as_admin: OpenOwnerData
    ) -> None:
        """It begins with 1. What a client had seen before the erasure is not known any more."""
        tasks: list[Task] = []
        clients = [following(open_workspace)]
        with open_workspace(ADA) as workspace:
            for _ in range(3):
                tasks.append(workspace.tasks.add(NewTask(title="Buy bread")))
                clients.append(following(open_workspace))
        open_owner_data_as_admin(ADA).erase()
        assert end_of_log(open_workspace) == (0, 0)
        with open_workspace(ADA) as workspace:
            for _ in tasks:
                workspace.tasks.add(NewTask(title="Buy rye"))
        assert [client.is_expired() for client in clients] == [False, True, True, True]
        for client in clients:
            client.follow()
            assert client.copy == everything(open_workspace)
