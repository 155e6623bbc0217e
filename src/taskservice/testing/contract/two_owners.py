"""What the port promises between owners."""

from functools import partial

import pytest

from taskservice.core.errors import TaskNotFound
from taskservice.core.query import TaskQuery
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA, BOB

LOOK_ALIKES = ["Ada", "ADA", "ada.", "ada+1", "_da"]


class TwoOwners(ContractBase):
    """What the port promises between owners."""

    def test_another_owners_task_is_as_absent_as_no_task(self, open_tasks: OpenTasks) -> None:
        """No door of one owner leads to a task of another, which stays as it was."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
        with open_tasks(BOB) as tasks:
            for door in (
                tasks.get,
                tasks.remove,
                lambda foreign: tasks.change(foreign, partial(Task.edit, title="Mine now")),
            ):
                with pytest.raises(TaskNotFound):
                    door(task.id)
            assert tasks.list(TaskQuery()).tasks == []
        with open_tasks(ADA) as tasks:
            assert tasks.get(task.id) == task

    def test_another_owners_task_is_absent_together_too(self, open_tasks: OpenTasks) -> None:
        """Inside one transaction the owner is as alone as outside."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
        with open_tasks(BOB, atomic=True) as tasks:
            assert tasks.list(TaskQuery()).tasks == []
            with pytest.raises(TaskNotFound):
                tasks.remove(task.id)

    @pytest.mark.parametrize("name", LOOK_ALIKES)
    def test_owners_are_compared_byte_for_byte(self, open_tasks: OpenTasks, name: str) -> None:
        """A name that only looks like another's is another owner."""
        with open_tasks(ADA) as tasks:
            tasks.add(title="Buy milk")
        with open_tasks(name) as tasks:
            assert tasks.list(TaskQuery()).tasks == []

    def test_each_owner_lists_their_own(self, open_tasks: OpenTasks) -> None:
        """Two owners' tasks, made in turn, stay apart."""
        mine, theirs = [], []
        for n in range(5):
            with open_tasks(ADA) as tasks:
                mine.append(tasks.add(title=f"Ada's {n}"))
            with open_tasks(BOB) as tasks:
                theirs.append(tasks.add(title=f"Bob's {n}"))
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).tasks == mine[::-1]
        with open_tasks(BOB) as tasks:
            assert tasks.list(TaskQuery()).tasks == theirs[::-1]
