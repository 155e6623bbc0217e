"""The contract of isolation between owners."""

from functools import partial

import pytest

from taskservice.core.errors import TaskNotFound
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks

SIMILAR_NAMES = ["Ada", "ADA", "ada.", "ada+1", "_da"]


class TwoOwners(ContractBase):
    """The contract of isolation between owners."""

    def test_another_owners_task_is_not_found(self, open_tasks: OpenTasks) -> None:
        """No method finds another owner's task, or changes it."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
        with open_tasks(BOB) as tasks:
            for method in (
                tasks.get,
                tasks.remove,
                lambda task_id: tasks.change(task_id, partial(Task.edit, title="Mine now")),
            ):
                with pytest.raises(TaskNotFound):
                    method(task.id)
            assert tasks.list(TaskQuery()).items == []
        with open_tasks(ADA) as tasks:
            assert tasks.get(task.id) == task

    def test_another_owners_task_is_not_found_in_a_transaction(self, open_tasks: OpenTasks) -> None:
        """Owners are isolated inside a transaction as well."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
        with open_tasks(BOB, atomic=True) as tasks:
            assert tasks.list(TaskQuery()).items == []
            with pytest.raises(TaskNotFound):
                tasks.remove(task.id)

    @pytest.mark.parametrize("name", SIMILAR_NAMES)
    def test_owners_are_compared_byte_for_byte(self, open_tasks: OpenTasks, name: str) -> None:
        """A similar name is another owner."""
        with open_tasks(ADA) as tasks:
            tasks.add(NewTask(title="Buy milk"))
        with open_tasks(name) as tasks:
            assert tasks.list(TaskQuery()).items == []

    def test_each_owner_lists_their_own(self, open_tasks: OpenTasks) -> None:
        """Tasks of two owners that are created in turn are listed separately."""
        mine, theirs = [], []
        for n in range(5):
            with open_tasks(ADA) as tasks:
                mine.append(tasks.add(NewTask(title=f"Ada's {n}")))
            with open_tasks(BOB) as tasks:
                theirs.append(tasks.add(NewTask(title=f"Bob's {n}")))
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).items == mine[::-1]
        with open_tasks(BOB) as tasks:
            assert tasks.list(TaskQuery()).items == theirs[::-1]
