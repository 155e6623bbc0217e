"""What the port promises to one owner."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from taskservice.core.errors import InvalidTask, TaskNotFound
from taskservice.core.query import TaskQuery
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA


class OneOwner(ContractBase):
    """What the port promises to one owner."""

    def test_a_task_is_read_as_it_was_stored(self, open_tasks: OpenTasks) -> None:
        """Every field comes back equal: text to the code point, times to the microsecond."""
        text = "Grüße, 世界 😀 e\u0301 'quoted' \"%_\\"
        with open_tasks(ADA) as tasks:
            task = tasks.add(title=text, description=f"{text}\r\n\t{text}", completed=True)
            assert tasks.get(task.id) == task
            assert tasks.list(TaskQuery()).tasks == [task]

    def test_times_are_aware_and_in_utc(self, open_tasks: OpenTasks) -> None:
        """A moment is read in UTC, whatever the engine keeps."""
        with open_tasks(ADA) as tasks:
            task = tasks.get(tasks.add(title="Buy milk", completed=True).id)
        moments = [task.created_at, task.updated_at, task.completed_at]
        assert [moment and moment.tzinfo for moment in moments] == [UTC, UTC, UTC]

    def test_ids_are_uuids_of_the_moment_of_creation(self, open_tasks: OpenTasks) -> None:
        """An id is a UUID whose timestamp is that of `created_at`."""
        with open_tasks(ADA) as tasks:
            task = tasks.get(tasks.add(title="Buy milk").id)
        assert isinstance(task.id, UUID)
        assert task.id.int >> 80 == int(task.created_at.timestamp() * 1000)

    @pytest.mark.parametrize("year", [1970, 2026, 2100])
    def test_any_year_is_kept(self, open_tasks: OpenTasks, clock: TickingClock, year: int) -> None:
        """A moment far from now is stored and read as it is."""
        clock.now = datetime(year, 1, 1, 0, 0, 0, 7, UTC)
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
            assert tasks.get(task.id).created_at == clock.now

    def test_a_change_applies_the_verb_and_is_kept(
        self, open_tasks: OpenTasks, clock: TickingClock
    ) -> None:
        """`change` stores and returns what the step makes of the task."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk", description="Two litres")
            changed = tasks.change(
                task.id, partial(Task.edit, title="Buy oat milk", completed=True)
            )
            assert tasks.get(task.id) == changed
        assert (changed.title, changed.description, changed.version) == (
            "Buy oat milk",
            "Two litres",
            2,
        )
        assert changed.updated_at == changed.completed_at == clock.now
        assert changed.created_at == task.created_at

    def test_a_step_that_changes_nothing_leaves_the_task(self, open_tasks: OpenTasks) -> None:
        """No version, no time moves for a write that changes nothing."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk", completed=True)
            assert tasks.change(task.id, Task.complete) == task
            assert tasks.get(task.id) == task

    def test_a_step_that_raises_leaves_the_task(self, open_tasks: OpenTasks) -> None:
        """A refused change is no change."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
            with pytest.raises(InvalidTask):
                tasks.change(task.id, partial(Task.edit, title=" "))
            assert tasks.get(task.id) == task

    def test_a_bad_task_is_not_stored(self, open_tasks: OpenTasks) -> None:
        """A task that breaks a rule is refused whole."""
        with open_tasks(ADA) as tasks:
            with pytest.raises(InvalidTask):
                tasks.add(title="nul \0 is no text")
            assert tasks.list(TaskQuery()).tasks == []

    def test_time_of_a_task_moves_forward_though_the_clock_steps_back(
        self, open_tasks: OpenTasks, clock: TickingClock
    ) -> None:
        """A clock that is set back an hour takes neither `updated_at` nor `version` back."""
        with open_tasks(ADA) as tasks:
            before = tasks.add(title="Buy milk")
            clock.now -= timedelta(hours=1)
            after = tasks.change(before.id, Task.complete)
            assert tasks.get(before.id) == after
        assert after.updated_at > before.updated_at
        assert after.version == 2

    def test_a_removed_task_is_gone(self, open_tasks: OpenTasks) -> None:
        """No door leads to a removed task."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
            kept = tasks.add(title="Buy bread")
            tasks.remove(task.id)
            for door in (tasks.get, tasks.remove, lambda gone: tasks.change(gone, Task.complete)):
                with pytest.raises(TaskNotFound):
                    door(task.id)
            assert tasks.list(TaskQuery()).tasks == [kept]

    def test_an_id_never_used_is_not_found(self, open_tasks: OpenTasks) -> None:
        """Every door tells that there is no such task."""
        with open_tasks(ADA) as tasks:
            for door in (tasks.get, tasks.remove, lambda never: tasks.change(never, Task.complete)):
                with pytest.raises(TaskNotFound):
                    door(uuid4())

    def test_together_keeps_the_whole_block(self, open_tasks: OpenTasks) -> None:
        """What a block does together is there after it, and seen inside it."""
        with open_tasks(ADA, atomic=True) as tasks:
            first = tasks.add(title="Buy milk")
            second = tasks.change(tasks.add(title="Buy bread").id, Task.complete)
            gone = tasks.add(title="Buy nothing")
            tasks.remove(gone.id)
            assert tasks.list(TaskQuery()).tasks == [second, first]
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).tasks == [second, first]

    def test_together_drops_the_whole_block_on_an_exception(self, open_tasks: OpenTasks) -> None:
        """An exception that leaves the block leaves no trace of it: task, change or removal."""
        with open_tasks(ADA) as tasks:
            changed, removed = tasks.add(title="Buy milk"), tasks.add(title="Buy bread")
        with pytest.raises(ZeroDivisionError), open_tasks(ADA, atomic=True) as tasks:
            tasks.add(title="Buy nothing")
            tasks.change(changed.id, Task.complete)
            tasks.remove(removed.id)
            raise ZeroDivisionError
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).tasks == [removed, changed]

    def test_alone_each_door_is_kept_though_the_block_fails(self, open_tasks: OpenTasks) -> None:
        """Without `atomic`, a method is done when it returns."""
        with pytest.raises(ZeroDivisionError), open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
            raise ZeroDivisionError
        with open_tasks(ADA) as tasks:
            assert tasks.get(task.id) == task

    def test_limits_count_code_points(self, open_tasks: OpenTasks) -> None:
        """Text of the greatest length outside the basic plane is stored on every engine."""
        title, description = "\U0001f600" * 255, "\U00010400" * 10_000
        with open_tasks(ADA) as tasks:
            task = tasks.add(title=title, description=description)
            assert tasks.get(task.id) == task
            assert tasks.list(TaskQuery(text="\U00010428" * 255)).tasks == [task]

    def test_a_hundred_completions_are_one_change(self, open_tasks: OpenTasks) -> None:
        """However often a task is completed, its version moves once."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
            assert {tasks.change(task.id, Task.complete).version for _ in range(100)} == {2}

    def test_a_search_of_wildcards_is_quick(self, open_tasks: OpenTasks) -> None:
        """200 wildcards are 200 letters: nothing is tried again and again."""
        with open_tasks(ADA) as tasks:
            for n in range(20):
                tasks.add(title=f"{n}", description="%a_" * 3000)
            assert tasks.list(TaskQuery(text="%_" * 100)).tasks == []
            assert len(tasks.list(TaskQuery(text="%a_" * 60)).tasks) == 20
