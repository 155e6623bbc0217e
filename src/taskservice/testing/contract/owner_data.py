"""The contract of `OwnerData`: import, count and erase."""

from dataclasses import replace
from functools import partial
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.core.entity import VERSION_LIMIT
from taskservice.core.errors import TaskNotFound
from taskservice.core.idempotency import IdempotencyKey
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.owner_data import OpenOwnerData, OwnerCounts, iterate
from taskservice.core.sample_tasks import sample_tasks
from taskservice.core.task import NewTask, Task
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.clock import START
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.idempotency import create, send
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER, any_values, new_entities
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks


def some_tasks(count: int, owner: str = ADA) -> list[Task]:
    """Return tasks as another storage adapter might export them, the oldest first."""
    return list(sample_tasks(owner, count, START, TimeOrderedIds()))


def stored_tasks(open_tasks: OpenTasks, owner: str = ADA) -> list[Task]:
    """Return all tasks of an owner, the oldest first."""
    with open_tasks(owner) as tasks:
        return list(iterate(tasks))


def add(open_workspace: OpenWorkspace, owner: str, key: str) -> Task:
    """Add a task with an idempotency record."""
    task, _ = send(open_workspace, IdempotencyKey(key, b"fingerprint"), create, owner)
    return cast(Task, task)


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
        assert open_owner_data(ADA).import_entities([first, second, third]) == [first]
        assert stored_tasks(open_tasks) == [changed, second, third]

    def test_the_first_of_two_states_in_one_batch_is_stored(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """The second is returned."""
        (task,) = some_tasks(1)
        other = task.edit(task.updated_at, title="Read two books")
        assert open_owner_data(ADA).import_entities([task, other]) == [other]
        assert stored_tasks(open_tasks) == [task]

    def test_another_owners_task_is_not_imported(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """A task of another owner is returned, and stored for neither of them."""
        (foreign,) = some_tasks(1, BOB)
        assert open_owner_data(ADA).import_entities([foreign]) == [foreign]
        assert stored_tasks(open_tasks, ADA) == stored_tasks(open_tasks, BOB) == []

    def test_only_the_data_of_one_owner_is_erased(
        self,
        open_workspace: OpenWorkspace,
        open_tasks: OpenTasks,
        open_owner_data_as_admin: OpenOwnerData,
    ) -> None:
        """Tasks and idempotency records are deleted, and counted before and after."""
        mine, theirs = add(open_workspace, ADA, "one"), add(open_workspace, BOB, "one")
        add(open_workspace, ADA, "two")
        assert open_owner_data_as_admin(ADA).count() == OwnerCounts({"task": 2}, 2)
        assert open_owner_data_as_admin(ADA).erase() == OwnerCounts({"task": 2}, 2)
        assert (
            open_owner_data_as_admin(ADA).count()
            == open_owner_data_as_admin(ADA).erase()
            == OwnerCounts({"task": 0}, 0)
        )
        assert stored_tasks(open_tasks, BOB) == [theirs]
        assert open_owner_data_as_admin(BOB).count() == OwnerCounts({"task": 1}, 1)
        with open_tasks(ADA) as tasks, pytest.raises(TaskNotFound):
            tasks.get(mine.id)
