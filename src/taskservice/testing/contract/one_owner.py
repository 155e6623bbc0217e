"""The contract of one owner's tasks: fields, changes, transactions, limits."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings

from taskservice.core.entity import Step
from taskservice.core.errors import InvalidEntity, TaskNotFound
from taskservice.core.fields import fields_of
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER, any_values, new_entities
from taskservice.testing.owners import ADA
from taskservice.testing.tasks import OpenTasks


def settable(task: Task) -> NewTask:
    """Return the settable fields of a task."""
    return NewTask(**{name: getattr(task, name) for name in fields_of(NewTask)})


class OneOwner(ContractBase):
    """The contract of one owner's tasks: fields, changes, transactions, limits."""

    def test_a_task_is_read_as_it_was_stored(self, open_tasks: OpenTasks) -> None:
        """Every field is read back equal: text by code point, times to the microsecond."""
        text = "Grüße, 世界 😀 e\u0301 'quoted' \"%_\\"
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title=text, description=f"{text}\r\n\t{text}", completed=True))
            assert tasks.get(task.id) == task
            assert tasks.list(TaskQuery()).items == [task]

    @settings(FOR_EVERY_ADAPTER, max_examples=12)
    @given(new=new_entities(Task, any_values))
    def test_every_field_is_stored(self, open_tasks: OpenTasks, new: NewTask) -> None:
        """A new task has each field as it was set, and is read back so."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(new)
            assert settable(task) == new
            assert tasks.get(task.id) == task
            assert tasks.list(TaskQuery(limit=1)).items == [task]

    @settings(FOR_EVERY_ADAPTER, max_examples=8)
    @given(first=new_entities(Task), second=new_entities(Task))
    def test_a_change_of_each_field_is_stored(
        self, open_tasks: OpenTasks, first: NewTask, second: NewTask
    ) -> None:
        """One field after the other is set and set back, with what `Task.edit` implies.

        A value that does not agree with the others is refused, and nothing is stored.
        """
        with open_tasks(ADA) as tasks:
            task = tasks.add(first)
            for name, value in [*vars(second).items(), *vars(first).items()]:
                step: Step[Task] = partial(Task.edit, **{name: value})
                try:
                    expected = settable(step(task, task.updated_at))
                except InvalidEntity:
                    with pytest.raises(InvalidEntity):
                        tasks.change(task.id, step)
                else:
                    task = tasks.change(task.id, step)
                    assert settable(task) == expected
                assert tasks.get(task.id) == task
                assert tasks.list(TaskQuery(limit=1)).items == [task]

    def test_times_are_aware_and_in_utc(self, open_tasks: OpenTasks) -> None:
        """Times are read in UTC, whatever the storage uses."""
        with open_tasks(ADA) as tasks:
            task = tasks.get(tasks.add(NewTask(title="Buy milk", completed=True)).id)
        times = [task.created_at, task.updated_at, task.completed_at]
        assert [time and time.tzinfo for time in times] == [UTC, UTC, UTC]

    def test_ids_are_uuids_with_the_time_of_creation(self, open_tasks: OpenTasks) -> None:
        """An id is a UUID whose timestamp is `created_at`."""
        with open_tasks(ADA) as tasks:
            task = tasks.get(tasks.add(NewTask(title="Buy milk")).id)
        assert isinstance(task.id, UUID)
        assert task.id.int >> 80 == int(task.created_at.timestamp() * 1000)

    @pytest.mark.parametrize("year", [1970, 2026, 2100])
    def test_any_year_is_stored(
        self, open_tasks: OpenTasks, clock: TickingClock, year: int
    ) -> None:
        """A time in the distant past or future is stored unchanged."""
        clock.now = datetime(year, 1, 1, 0, 0, 0, 7, UTC)
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
            assert tasks.get(task.id).created_at == clock.now

    def test_a_change_is_applied_and_stored(
        self, open_tasks: OpenTasks, clock: TickingClock
    ) -> None:
        """`change` stores and returns the result of the step."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk", description="Two liters"))
            changed = tasks.change(
                task.id, partial(Task.edit, title="Buy oat milk", completed=True)
            )
            assert tasks.get(task.id) == changed
        assert (changed.title, changed.description, changed.version) == (
            "Buy oat milk",
            "Two liters",
            2,
        )
        assert changed.updated_at == changed.completed_at == clock.now
        assert changed.created_at == task.created_at

    def test_a_step_without_effect_changes_nothing(self, open_tasks: OpenTasks) -> None:
        """An equal task keeps its version and its times."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk", completed=True))
            assert tasks.change(task.id, Task.complete) == task
            assert tasks.get(task.id) == task

    def test_a_step_that_raises_changes_nothing(self, open_tasks: OpenTasks) -> None:
        """After a refused change the task is stored as before."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
            with pytest.raises(InvalidEntity):
                tasks.change(task.id, partial(Task.edit, title=" "))
            assert tasks.get(task.id) == task

    def test_an_invalid_task_is_not_stored(self, open_tasks: OpenTasks) -> None:
        """A task that breaks a rule is refused."""
        with open_tasks(ADA) as tasks:
            with pytest.raises(InvalidEntity):
                tasks.add(NewTask(title="nul \0 is no text"))
            assert tasks.list(TaskQuery()).items == []

    def test_updated_at_increases_if_the_clock_goes_back(
        self, open_tasks: OpenTasks, clock: TickingClock
    ) -> None:
        """If the clock is set back, `updated_at` and `version` still increase."""
        with open_tasks(ADA) as tasks:
            before = tasks.add(NewTask(title="Buy milk"))
            clock.now -= timedelta(hours=1)
            after = tasks.change(before.id, Task.complete)
            assert tasks.get(before.id) == after
        assert after.updated_at > before.updated_at
        assert after.version == 2

    def test_a_removed_task_is_gone(self, open_tasks: OpenTasks) -> None:
        """No method finds a removed task."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
            remaining = tasks.add(NewTask(title="Buy bread"))
            tasks.remove(task.id)
            for method in (
                tasks.get,
                tasks.remove,
                lambda task_id: tasks.change(task_id, Task.complete),
            ):
                with pytest.raises(TaskNotFound):
                    method(task.id)
            assert tasks.list(TaskQuery()).items == [remaining]

    def test_an_unknown_id_is_not_found(self, open_tasks: OpenTasks) -> None:
        """Every method raises `TaskNotFound`."""
        with open_tasks(ADA) as tasks:
            for method in (
                tasks.get,
                tasks.remove,
                lambda task_id: tasks.change(task_id, Task.complete),
            ):
                with pytest.raises(TaskNotFound):
                    method(uuid4())

    def test_atomic_commits_the_whole_block(self, open_tasks: OpenTasks) -> None:
        """The changes of a block are visible inside it, and stored after it."""
        with open_tasks(ADA, atomic=True) as tasks:
            first = tasks.add(NewTask(title="Buy milk"))
            second = tasks.change(tasks.add(NewTask(title="Buy bread")).id, Task.complete)
            removed = tasks.add(NewTask(title="Buy nothing"))
            tasks.remove(removed.id)
            assert tasks.list(TaskQuery()).items == [second, first]
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).items == [second, first]

    def test_atomic_rolls_back_the_whole_block_on_an_exception(self, open_tasks: OpenTasks) -> None:
        """After an exception no addition, change or removal of the block is stored."""
        with open_tasks(ADA) as tasks:
            changed, removed = (
                tasks.add(NewTask(title="Buy milk")),
                tasks.add(NewTask(title="Buy bread")),
            )
        with pytest.raises(ZeroDivisionError), open_tasks(ADA, atomic=True) as tasks:
            tasks.add(NewTask(title="Buy nothing"))
            tasks.change(changed.id, Task.complete)
            tasks.remove(removed.id)
            raise ZeroDivisionError
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).items == [removed, changed]

    def test_without_atomic_each_method_is_committed(self, open_workspace: OpenWorkspace) -> None:
        """Without `atomic`, an exception does not roll back methods that have returned."""
        with pytest.raises(ZeroDivisionError), open_workspace(ADA) as workspace:
            task = workspace.tasks.add(NewTask(title="Buy milk"))
            raise ZeroDivisionError
        with open_workspace(ADA) as workspace:
            assert workspace.tasks.get(task.id) == task

    def test_limits_count_code_points(self, open_tasks: OpenTasks) -> None:
        """Text of the maximum length outside the Basic Multilingual Plane is stored."""
        title, description = "\U0001f600" * 255, "\U00010400" * 10_000
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title=title, description=description))
            assert tasks.get(task.id) == task
            assert tasks.list(TaskQuery(text="\U00010428" * 255)).items == [task]

    def test_a_hundred_completions_are_one_change(self, open_tasks: OpenTasks) -> None:
        """The version of a task increases once, however often it is completed."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
            assert {tasks.change(task.id, Task.complete).version for _ in range(100)} == {2}

    def test_a_search_for_wildcards_is_fast(self, open_tasks: OpenTasks) -> None:
        """200 wildcards are literal text, and cause no backtracking."""
        with open_tasks(ADA) as tasks:
            for n in range(20):
                tasks.add(NewTask(title=f"{n}", description="%a_" * 3000))
            assert tasks.list(TaskQuery(text="%_" * 100)).items == []
            assert len(tasks.list(TaskQuery(text="%a_" * 60)).items) == 20
