"""The contract of series: inserted entities, new ids, and what closing and reopening do."""

from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.core.entity import Edit
from taskservice.core.errors import InvalidEntity, ListNotFound, TaskNotFound
from taskservice.core.ids import first_id, last_id
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, change_task, complete_task
from taskservice.core.workspace import OpenOwnWorkspace, OpenWorkspace, all_pages
from taskservice.testing.clock import START
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.placement import RACES, add_list, all_tasks, at_once, new_task
from taskservice.testing.contract.queries import remove_all
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER, new_entities, queries_of
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks

CLIENTS = 8
DAILY = new_task(due=date(2020, 3, 1), recurrence="FREQ=DAILY")
SERIES = [None, *(UUID(int=first_id(START).int | number) for number in range(1, 4))]


def add_daily(open_workspace: OpenWorkspace) -> Task:
    """Add a task that recurs, and one behind it."""
    with open_workspace(ADA) as workspace:
        task = workspace.tasks.add(DAILY)
        workspace.tasks.add(new_task())
        return task


def add_two(open_workspace: OpenWorkspace) -> tuple[Task, Task]:
    """Add two open tasks of a series that recur, as only an import can."""
    task = add_daily(open_workspace)
    with open_workspace(ADA, atomic=True) as workspace:
        other = Task.create(ADA, START, workspace.new_id, DAILY)
        other = replace(other, series_id=task.series_id)
        workspace.tasks.insert(other)
    return task, other


def set_completed(open_own: OpenOwnWorkspace, task: Task, completed: bool) -> Task:
    """Complete or reopen a task."""
    return complete_task(open_own, task.id, Completion(completed))


def history(open_workspace: OpenWorkspace, task: Task) -> list[Task]:
    """Return the tasks of the series, the newest first."""
    with open_workspace(ADA) as workspace:
        return workspace.tasks.list(TaskQuery(series_id=task.series_id)).items


class Series(ContractBase):
    """The contract of series: inserted entities, new ids, and what closing and reopening do."""

    def test_an_inserted_entity_is_stored_with_all_its_fields(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """In its transaction and after it, for its owner alone."""
        with open_workspace(ADA, atomic=True) as workspace:
            new_id = workspace.new_id
            a_list = TaskList.create(ADA, START, new_id, NewTaskList(name="Home"))
            task = Task.create(ADA, START, new_id, replace(DAILY, list_id=a_list.id))
            task = task.complete(START + timedelta(days=1))
            task = replace(task, position="a", series_id=new_id(START), next_id=new_id(START))
            workspace.lists.insert(a_list)
            workspace.tasks.insert(task)
            assert workspace.tasks.get(task.id) == task
        with open_workspace(ADA) as workspace:
            assert workspace.lists.get(a_list.id) == a_list
            assert workspace.tasks.list(TaskQuery()).items == [task]
        with open_workspace(BOB) as workspace:
            with pytest.raises(ListNotFound):
                workspace.lists.get(a_list.id)
            with pytest.raises(TaskNotFound):
                workspace.tasks.get(task.id)

    @pytest.mark.parametrize("field", ["list_id", "parent_id"])
    def test_an_inserted_reference_to_nothing_is_refused(
        self, open_workspace: OpenWorkspace, field: str
    ) -> None:
        """At its field, and the transaction stores nothing."""
        with (
            pytest.raises(InvalidEntity) as caught,
            open_workspace(ADA, atomic=True) as workspace,
        ):
            for new in (new_task(), new_task(**{field: uuid4()})):
                workspace.tasks.insert(Task.create(ADA, START, workspace.new_id, new))
        assert [one.field for one in caught.value.errors] == [field]
        assert all_tasks(open_workspace) == []

    def test_an_insertion_is_undone_with_its_transaction(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """After an exception it is not stored."""
        with pytest.raises(ZeroDivisionError), open_workspace(ADA, atomic=True) as workspace:
            workspace.tasks.insert(Task.create(ADA, START, workspace.new_id, DAILY))
            raise ZeroDivisionError
        assert all_tasks(open_workspace) == []

    def test_new_ids_have_the_time_that_is_given(self, open_workspace: OpenWorkspace) -> None:
        """They are in order, also within a millisecond."""
        times = [START + number * timedelta(microseconds=300) for number in range(20)]
        with open_workspace(ADA) as workspace:
            ids = [workspace.new_id(at) for at in times]
        assert ids == sorted({*ids})
        assert all(first_id(at) < one < last_id(at) for at, one in zip(times, ids, strict=True))

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @given(
        new=st.lists(new_entities(Task), max_size=8),
        query=queries_of(TaskQuery),
        data=st.data(),
    )
    def test_a_series_is_queried_as_specified(
        self,
        open_workspace: OpenWorkspace,
        open_tasks: OpenTasks,
        new: list[NewTask],
        query: TaskQuery,
        data: st.DataObject,
    ) -> None:
        """Exactly the tasks of a series that a query admits, in its order, page by page."""
        remove_all(open_tasks)
        following = replace(query, series_id=data.draw(st.sampled_from(SERIES)))
        stored: list[Task] = []
        with open_workspace(ADA, atomic=True) as workspace:
            for one in new:
                task = Task.create(ADA, START, workspace.new_id, one)
                series = data.draw(st.sampled_from(SERIES[1:] if one.recurrence else SERIES))
                stored.append(replace(task, series_id=series))
                workspace.tasks.insert(stored[-1])
        expected = sorted(
            filter(following.admits, stored), key=query.sort.key, reverse=query.sort.descending
        )
        with open_workspace(ADA) as workspace:
            assert [*all_pages(workspace.tasks, following)] == expected

    def test_closing_a_task_that_recurs_makes_one_successor(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Directly behind it. To close it again changes nothing."""
        open_own = partial(open_workspace, ADA)
        task = add_daily(open_workspace)
        closed = set_completed(open_own, task, completed=True)
        following, *others = history(open_workspace, task)
        assert (others, closed.next_id) == ([closed], following.id)
        assert (following.version, following.completed) == (1, False)
        assert set_completed(open_own, task, completed=True) == closed
        _, behind, _ = all_tasks(open_workspace)
        assert closed.position < following.position < behind.position

    def test_a_closed_task_in_another_list_has_no_other_successor(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Also after that was deleted."""
        open_own = partial(open_workspace, ADA)
        task = add_daily(open_workspace)
        closed = set_completed(open_own, task, completed=True)
        assert closed.next_id
        with open_own() as workspace:
            workspace.tasks.remove(closed.next_id)
        moved = change_task(open_own, task.id, Edit({"list_id": add_list(open_workspace).id}))
        assert (moved.next_id, history(open_workspace, task)) == (closed.next_id, [moved])

    def test_the_last_open_task_of_a_series_has_the_successor(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Of several that recur, each closed one keeps its recurrence."""
        open_own = partial(open_workspace, ADA)
        tasks = add_two(open_workspace)
        first, last = (set_completed(open_own, one, completed=True) for one in tasks)
        assert (first.next_id, first.recurrence) == (None, DAILY.recurrence)
        found = {one.id for one in history(open_workspace, first)}
        assert found == {first.id, last.id, last.next_id}

    def test_one_of_several_open_tasks_of_a_series_is_changed(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """It is put in a list, and then ceases to recur; the other stays as it is."""
        open_own = partial(open_workspace, ADA)
        task, other = add_two(open_workspace)
        edits: list[dict[str, Any]] = [
            {"list_id": add_list(open_workspace).id},
            {"recurrence": None},
        ]
        changed = [change_task(open_own, task.id, Edit(one)) for one in edits]
        assert [one.recurrence for one in changed] == [DAILY.recurrence, None]
        assert sorted(history(open_workspace, task), key=lambda one: one.version) == [
            other,
            changed[-1],
        ]

    def test_a_closed_task_does_not_recur_again_beside_its_successor(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """To set its recurrence is refused, and removes nothing."""
        open_own = partial(open_workspace, ADA)
        task = add_daily(open_workspace)
        set_completed(open_own, task, completed=True)
        change_task(open_own, task.id, Edit({"recurrence": None}))
        before = history(open_workspace, task)
        with pytest.raises(InvalidEntity):
            change_task(open_own, task.id, Edit({"recurrence": DAILY.recurrence}))
        assert history(open_workspace, task) == before
        assert len(before) == 2

    def test_a_recurrence_that_is_set_begins_a_series(self, open_workspace: OpenWorkspace) -> None:
        """Whatever other series there are."""
        add_daily(open_workspace)
        _, plain = all_tasks(open_workspace)
        edit = Edit({"due": DAILY.due, "recurrence": DAILY.recurrence})
        assert change_task(partial(open_workspace, ADA), plain.id, edit).series_id == plain.id

    @pytest.mark.parametrize("completed", [True, False])
    def test_a_failure_undoes_both_changes_of_a_series(
        self, open_workspace: OpenWorkspace, completed: bool
    ) -> None:
        """The closing and the successor, or the reopening and the removal of the successor."""
        task = add_daily(open_workspace)
        if not completed:
            set_completed(partial(open_workspace, ADA), task, completed=True)
        before = all_tasks(open_workspace)
        with pytest.raises(ZeroDivisionError), open_workspace(ADA, atomic=True) as workspace:
            set_completed(lambda **_: nullcontext(workspace), task, completed)
            raise ZeroDivisionError
        assert all_tasks(open_workspace) == before

    def test_reopening_removes_an_untouched_successor(self, open_workspace: OpenWorkspace) -> None:
        """The task recurs as before."""
        open_own = partial(open_workspace, ADA)
        add_daily(open_workspace)
        task, behind = all_tasks(open_workspace)
        set_completed(open_own, task, completed=True)
        reopened = set_completed(open_own, task, completed=False)
        assert reopened == replace(task, updated_at=reopened.updated_at, version=3)
        assert all_tasks(open_workspace) == [reopened, behind]

    def test_reopening_keeps_a_successor_that_was_changed(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """It goes on, and the reopened task does not recur."""
        open_own = partial(open_workspace, ADA)
        task = add_daily(open_workspace)
        closed = set_completed(open_own, task, completed=True)
        assert closed.next_id
        following = change_task(open_own, closed.next_id, Edit({"title": "Buy bread"}))
        reopened = set_completed(open_own, task, completed=False)
        assert (reopened.completed, reopened.recurrence, reopened.next_id) == (False, None, None)
        assert history(open_workspace, task) == [following, reopened]

    def test_many_completions_at_once_make_one_successor(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """All of them return the same task."""
        for _ in range(RACES):
            task = add_daily(open_workspace)
            complete = partial(set_completed, partial(open_workspace, ADA), task, True)
            closed = at_once([complete] * CLIENTS)
            following, *others = history(open_workspace, task)
            assert others == [closed[0]]
            assert closed == [replace(others[0], next_id=following.id)] * CLIENTS

    def test_many_changes_at_once_leave_one_task_that_recurs(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Clients close, reopen and rename one task; only its last successor is there then."""
        open_own = partial(open_workspace, ADA)
        values: list[dict[str, Any]] = [{"completed": True}, {"completed": False}, {"title": "B"}]

        def change(number: int) -> Task:
            for turn in range(number, number + len(values)):
                changed = change_task(open_own, task.id, Edit(values[turn % len(values)]))
            return changed

        for _ in range(RACES // 2):
            task = add_daily(open_workspace)
            at_once([partial(change, number) for number in range(CLIENTS)])
            *following, changed = history(open_workspace, task)
            assert changed.title == "B"
            assert [one.id for one in following] == [changed.next_id] * changed.completed
            assert {one.recurrence for one in (*following, changed)} == {DAILY.recurrence}
