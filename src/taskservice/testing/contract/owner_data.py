"""One owner's belongings, carried whole: the promises of the `OwnerData`."""

from dataclasses import replace
from functools import partial

import pytest

from taskservice.core.errors import TaskNotFound
from taskservice.core.idempotency import IdempotencyKey
from taskservice.core.idempotent_tasks import IdempotentTasks
from taskservice.core.ids import TaskIds
from taskservice.core.owner_data import VERSION_LIMIT, OpenOwnerData, OwnerCounts, every_task
from taskservice.core.sample_tasks import sample_tasks
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task
from taskservice.testing.clock import START
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA, BOB


def some_tasks(count: int, owner: str = ADA) -> list[Task]:
    """Return tasks as another home might have held them, the oldest first."""
    return list(sample_tasks(owner, count, START, TaskIds()))


def kept(open_tasks: OpenTasks, owner: str = ADA) -> list[Task]:
    """Return all tasks of an owner, the oldest first."""
    with open_tasks(owner) as tasks:
        return list(every_task(tasks))


def add(open_tasks: OpenTasks, owner: str, key: str) -> Task:
    """Add a task, with a receipt."""
    with open_tasks(owner, atomic=True) as tasks:
        return IdempotentTasks(tasks, IdempotencyKey(key, b"digest")).add(title="Read a book")


class OwnerDataContract(ContractBase):
    """Every promise of the archive. It needs the fixtures `open_tasks` and `open_owner_data`.

    Both lead to the same home. Where only another role may count and erase,
    `maintain` is overridden by the archive as that role opens it.
    """

    @pytest.fixture
    def maintain(self, open_owner_data: OpenOwnerData) -> OpenOwnerData:
        """The archive as it is opened by whoever may erase."""
        return open_owner_data

    def test_what_is_restored_is_equal(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """Ids, times, versions and all: what comes out is what went in, the oldest first."""
        wanted = some_tasks(450)
        assert open_owner_data(ADA).restore(wanted) == []
        assert kept(open_tasks) == wanted
        with open_tasks(ADA) as tasks:
            assert tasks.change(wanted[0].id, Task.reopen).id == wanted[0].id

    def test_the_last_version_that_is_taken_in_can_be_changed(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """A task that has changed so often is as good as any: there is room for what follows."""
        task = replace(some_tasks(1)[0], version=VERSION_LIMIT)
        assert open_owner_data(ADA).restore([task]) == []
        with open_tasks(ADA) as tasks:
            changed = tasks.change(task.id, partial(Task.edit, title="Read two books"))
            assert (changed.title, changed.version) == ("Read two books", VERSION_LIMIT + 1)
            assert tasks.get(task.id) == changed

    def test_restoring_twice_makes_nothing_double(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """A part that was restored is passed over; the rest comes."""
        wanted = some_tasks(20)
        open_owner_data(ADA).restore(wanted[5:12])
        assert open_owner_data(ADA).restore(wanted) == []
        assert kept(open_tasks) == wanted

    def test_what_has_changed_since_stays_as_it_is(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """A task that is there in another state is not overwritten but told; the rest is kept."""
        first, second, third = some_tasks(3)
        changed = first.edit(first.updated_at, title="Read two books")
        open_owner_data(ADA).restore([changed])
        assert open_owner_data(ADA).restore([first, second, third]) == [first]
        assert kept(open_tasks) == [changed, second, third]

    def test_of_two_states_in_one_batch_the_first_is_stored(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """The second is told."""
        (task,) = some_tasks(1)
        other = task.edit(task.updated_at, title="Read two books")
        assert open_owner_data(ADA).restore([task, other]) == [other]
        assert kept(open_tasks) == [task]

    def test_another_owners_task_is_not_restored(
        self, open_tasks: OpenTasks, open_owner_data: OpenOwnerData
    ) -> None:
        """The owner was named on opening; a task of another is told, and nowhere afterwards."""
        (foreign,) = some_tasks(1, BOB)
        assert open_owner_data(ADA).restore([foreign]) == [foreign]
        assert kept(open_tasks, ADA) == kept(open_tasks, BOB) == []

    def test_an_owner_is_forgotten_and_nobody_else(
        self, open_tasks: OpenTasks, maintain: OpenOwnerData
    ) -> None:
        """Tasks and receipts go, and are counted before and after; another owner's stay."""
        mine, theirs = add(open_tasks, ADA, "one"), add(open_tasks, BOB, "one")
        add(open_tasks, ADA, "two")
        assert maintain(ADA).count() == OwnerCounts(2, 2)
        assert maintain(ADA).erase() == OwnerCounts(2, 2)
        assert maintain(ADA).count() == maintain(ADA).erase() == OwnerCounts(0, 0)
        assert kept(open_tasks, BOB) == [theirs]
        assert maintain(BOB).count() == OwnerCounts(1, 1)
        with open_tasks(ADA) as tasks, pytest.raises(TaskNotFound):
            tasks.get(mine.id)
