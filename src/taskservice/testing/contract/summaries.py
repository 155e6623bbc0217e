"""The contract of summaries: the numbers are those of the tasks that queries admit."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.core.labels import count_labels
from taskservice.core.summary import LabelTotals, ListTotals, Summary, summarize
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, complete_task, remove_task
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.placement import add, add_list
from taskservice.testing.contract.queries import remove_all
from taskservice.testing.contract.strategies import (
    FOR_EVERY_ADAPTER,
    new_entities,
    queries_of,
)
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import tasks_of

BERLIN = "Europe/Berlin"
ZONES = ["UTC", BERLIN, "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu"]
MOMENTS = [
    datetime(2026, 3, 28, 22, 59, 59, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2026, 3, 29, 21, 30, tzinfo=UTC),
    datetime(2026, 3, 30, 1, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC),
]
"""Around the days of 23 and 25 hours in Berlin, near the times that tasks are due at."""

_MOMENTS = st.sampled_from(MOMENTS)
_STATUSES = st.sampled_from(["completed", "cancelled", None, None])


def expected_summary(tasks: Sequence[Task], at: datetime, time_zone: str) -> Summary:
    """Return the summary of tasks, counted one by one."""
    now = at.astimezone(ZoneInfo(time_zone)).replace(tzinfo=None, microsecond=0)
    today = now.date()
    is_overdue = TaskQuery(due_before=now, time_zone=time_zone).admits
    is_due_today = TaskQuery(
        due_after=today, due_before=today + timedelta(days=1), time_zone=time_zone
    ).admits
    opened = [task for task in tasks if not task.completed]
    done = [task.completed_at for task in tasks if task.status == "completed"]
    lists = {task.list_id for task in opened}
    return Summary(
        now=now,
        time_zone=time_zone,
        open=len(opened),
        done=len(done),
        overdue=sum(map(is_overdue, opened)),
        due_today=sum(map(is_due_today, opened)),
        done_today=sum(
            one is not None and one.astimezone(ZoneInfo(time_zone)).date() == today for one in done
        ),
        lists=[
            ListTotals(
                list_id,
                sum(task.list_id == list_id for task in opened),
                sum(task.list_id == list_id and is_overdue(task) for task in opened),
            )
            for list_id in sorted(lists, key=lambda one: (one is not None, one))
        ],
        labels=_expected_labels(tasks),
    )


def _expected_labels(tasks: Sequence[Task]) -> list[LabelTotals]:
    counts = count_labels((task.labels, not task.completed, 1) for task in tasks)
    found = sorted(counts, key=lambda one: (-one.open, one.label))
    return [LabelTotals(one.label, one.open) for one in found if one.open]


class Summaries(ContractBase):
    """The contract of summaries."""

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @given(
        new=st.lists(new_entities(Task), max_size=6),
        query=queries_of(TaskQuery),
        data=st.data(),
    )
    def test_tasks_are_counted_by_list_as_a_query_specifies(
        self,
        open_workspace: OpenWorkspace,
        new: list[NewTask],
        query: TaskQuery,
        data: st.DataObject,
    ) -> None:
        """All that it admits, whatever its limit. A list without one has no number."""
        remove_all(tasks_of(open_workspace))
        lists = st.sampled_from([None, *(add_list(open_workspace).id for _ in range(2))])
        with open_workspace(BOB) as workspace:
            workspace.tasks.add(NewTask(title="Bob's"))
        with open_workspace(ADA) as workspace:
            stored = [workspace.tasks.add(replace(one, list_id=data.draw(lists))) for one in new]
            counts = workspace.tasks.count_by_list(query)
        assert dict(counts) == Counter(task.list_id for task in stored if query.admits(task))

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @given(
        new=st.lists(new_entities(Task), max_size=6),
        time_zone=st.sampled_from(ZONES),
        data=st.data(),
    )
    def test_the_numbers_of_a_summary_are_those_of_the_tasks(
        self,
        open_workspace: OpenWorkspace,
        clock: TickingClock,
        new: list[NewTask],
        time_zone: str,
        data: st.DataObject,
    ) -> None:
        """Counted one by one, in any time zone, near midnight and around a change of clocks."""
        remove_all(tasks_of(open_workspace))
        count = len(new)
        lists = st.sampled_from([None, add_list(open_workspace).id])
        places = data.draw(st.lists(lists, min_size=count, max_size=count))
        statuses = data.draw(st.lists(_STATUSES, min_size=count, max_size=count))
        moments = data.draw(st.lists(_MOMENTS, min_size=count + 1, max_size=count + 1))
        *times, now = moments
        stored: list[Task] = []
        for one, list_id, status, at in zip(new, places, statuses, times, strict=True):
            clock.now = at
            with open_workspace(ADA) as workspace:
                task = workspace.tasks.add(replace(one, list_id=list_id))
                if status is not None:
                    task = workspace.tasks.change(task.id, partial(Task.edit, status=status))
            stored.append(task)
        clock.now = now
        with open_workspace(ADA) as workspace:
            assert summarize(workspace, time_zone) == expected_summary(stored, clock.now, time_zone)

    @pytest.mark.parametrize(
        ("now", "overdue", "due_today"),
        [
            # A day of 23 hours in Berlin: 02:30 is no time there, and means 03:30.
            ("2026-03-28T22:59:59+00:00", 0, 0),
            ("2026-03-28T23:00:00+00:00", 0, 4),
            ("2026-03-29T01:29:59+00:00", 2, 4),
            ("2026-03-29T01:30:01+00:00", 3, 4),
            ("2026-03-29T21:59:59+00:00", 3, 4),
            ("2026-03-29T22:00:01+00:00", 4, 0),
        ],
    )
    def test_a_day_on_which_clocks_change(
        self,
        open_workspace: OpenWorkspace,
        clock: TickingClock,
        now: str,
        overdue: int,
        due_today: int,
    ) -> None:
        """It begins and ends by the clock of the time zone. Tasks in the trash do not count."""
        day = date(2026, 3, 29)
        half_past_two = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001
        dues: list[dict[str, Any]] = [
            {"due": day},
            {"due": half_past_two},
            {"due": half_past_two, "time_zone": BERLIN},
            {"due": datetime(2026, 3, 28, 20, 30), "time_zone": "America/New_York"},  # noqa: DTZ001
        ]
        with open_workspace(ADA) as workspace:
            for one in [*dues, {"due": day}]:
                last = workspace.tasks.add(NewTask(title="Buy milk", **one))
        remove_task(partial(open_workspace, ADA), last.id)
        clock.now, clock.step = datetime.fromisoformat(now), timedelta(0)
        with open_workspace(ADA) as workspace:
            found = summarize(workspace, BERLIN)
        assert (found.open, found.overdue, found.due_today) == (4, overdue, due_today)

    def test_what_was_done_today_was_completed_since_midnight(
        self, open_workspace: OpenWorkspace, clock: TickingClock
    ) -> None:
        """By the clock of the time zone. What was cancelled is not done."""
        clock.step = timedelta(0)
        for at in ("2026-10-24T21:59:59+00:00", "2026-10-24T22:00:00+00:00"):
            clock.now = datetime.fromisoformat(at)
            task, other = add(open_workspace), add(open_workspace)
            complete_task(partial(open_workspace, ADA), task.id, Completion(completed=True))
            with open_workspace(ADA) as workspace:
                workspace.tasks.change(other.id, partial(Task.edit, status="cancelled"))
        done = {}
        for at in ("2026-10-25T22:59:59+00:00", "2026-10-25T23:00:00+00:00"):
            clock.now = datetime.fromisoformat(at)
            with open_workspace(ADA) as workspace:
                found = summarize(workspace, BERLIN)
            assert (found.open, found.done) == (0, 2)
            done[f"{found.now}"] = found.done_today
        assert done == {"2026-10-25 23:59:59": 1, "2026-10-26 00:00:00": 0}
