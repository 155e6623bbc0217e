"""History: the state of a task that an earlier change left, computed backwards."""

from datetime import timedelta
from functools import partial
from typing import Any

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.changes import UNKNOWN_ORIGIN, DescribeChange, NumberedChange
from taskservice.core.history import find_task, load_values, state_at
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.core.trash import restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.testing import ADA, START

NEW_ID = TimeOrderedIds()
describe = DescribeChange(NEW_ID, UNKNOWN_ORIGIN)


def test_states_are_computed_from_the_present_one() -> None:
    """Each has its version and its time, and all fields as they were then."""
    first = Task.create(ADA, START, NEW_ID, NewTask(title="Buy milk", labels=("home",)))
    second = first.edit(START + timedelta(hours=1), title="Buy bread", labels=())
    third = second.complete(START + timedelta(hours=2))
    changes = [
        NumberedChange(7, describe.edit(second, third)),
        NumberedChange(4, describe.edit(first, second)),
        NumberedChange(2, describe.creation(first, START)),
    ]
    assert [state_at(third, changes[:n]) for n in (1, 2, 3)] == [third, second, first]


def test_a_field_that_is_not_known_is_passed_over() -> None:
    """As a later version may have logged one."""
    assert load_values({"title": "Buy milk", "mood": "good"}) == {"title": "Buy milk"}


def test_a_task_that_is_restored_meanwhile_is_found() -> None:
    """After the look at the tasks, and before that at the trash."""
    storage = InMemoryStorage()
    open_own = partial(storage.open_workspace, ADA)
    with open_own() as workspace:
        task = workspace.tasks.add(NewTask(title="Buy milk"))
        workspace.tasks.trash(task.id)

        def repository(entity_type: type[Any]) -> Any:
            if entity_type is TrashedTask and workspace.trash.list(TrashQuery()).items:
                restore_task(open_own, task.id)
            return workspace.repository(entity_type)

        assert find_task(workspace._replace(repository=repository), task.id).version == 2
