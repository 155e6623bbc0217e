"""The contract of queries: every adapter lists exactly what `TaskQuery` specifies."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskservice.core.errors import InvalidEntity
from taskservice.core.filters import filters_of
from taskservice.core.labels import count_labels
from taskservice.core.local_times import DateOrTime
from taskservice.core.query import Page, Query, Sort, sort_fields
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.testing.clock import START, TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.strategies import (
    FOR_EVERY_ADAPTER,
    edits_of,
    near_values,
    new_entities,
    queries_of,
    sorts_of,
)
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks

LOCAL_TIME_FILTERS = [
    name for name, one in filters_of(TaskQuery).items() if isinstance(one.kind, DateOrTime)
]


DUES = [
    datetime(2026, 3, 29, 23, 59, 59),  # noqa: DTZ001
    date(2026, 3, 29),
    datetime(2026, 3, 30),  # noqa: DTZ001
    date(2026, 3, 30),
    None,
]
"""In their order."""


def pages(open_tasks: OpenTasks, query: Query[Task] | None) -> Iterator[Page[Task]]:
    """Yield `query` and all pages after it."""
    while query:
        with open_tasks(ADA) as tasks:
            page = tasks.list(query)
        yield page
        query = page.next


def remove_all(open_tasks: OpenTasks) -> None:
    """Remove the tasks of the examples before."""
    for page in list(pages(open_tasks, TaskQuery())):
        with open_tasks(ADA) as tasks:
            for task in page.items:
                tasks.remove(task.id)


class Queries(ContractBase):
    """The contract of queries: every adapter lists exactly what `TaskQuery` specifies."""

    @pytest.fixture
    def submillisecond_clock(self, clock: TickingClock) -> TickingClock:
        """A clock that gives several tasks the same millisecond."""
        clock.step = timedelta(microseconds=400)
        return clock

    @settings(FOR_EVERY_ADAPTER, max_examples=45)
    @given(
        new=st.lists(new_entities(Task), max_size=8),
        edits=st.dictionaries(st.integers(0, 7), edits_of(Task), max_size=4),
        query=queries_of(TaskQuery),
    )
    def test_a_query_lists_what_it_specifies(
        self,
        open_tasks: OpenTasks,
        submillisecond_clock: TickingClock,
        new: list[NewTask],
        edits: dict[int, dict[str, Any]],
        query: TaskQuery,
    ) -> None:
        """The pages contain exactly the tasks that the query admits, in its order."""
        submillisecond_clock.now = START
        remove_all(open_tasks)
        with open_tasks(ADA) as tasks:
            stored = [tasks.add(one) for one in new]
            for n in edits.keys() & set(range(len(stored))):
                with suppress(InvalidEntity):
                    stored[n] = tasks.change(stored[n].id, partial(Task.edit, **edits[n]))
        with open_tasks(BOB) as tasks:
            tasks.add(NewTask(title="Bob's"))
        expected = sorted(
            filter(query.admits, stored), key=query.sort.key, reverse=query.sort.descending
        )
        found = list(pages(open_tasks, query))
        assert [task for page in found for task in page.items] == expected
        assert {page.total for page in found} == {len(expected) if query.with_total else None}
        assert all(len(page.items) == query.limit for page, _ in pairwise(found))

    @pytest.mark.parametrize("name", filters_of(TaskQuery))
    @settings(FOR_EVERY_ADAPTER, max_examples=8)
    @given(new=st.lists(new_entities(Task), min_size=4, max_size=6), data=st.data())
    def test_each_filter_lists_what_it_admits(
        self,
        open_tasks: OpenTasks,
        submillisecond_clock: TickingClock,
        name: str,
        new: list[NewTask],
        data: st.DataObject,
    ) -> None:
        """A filter alone finds the tasks that it admits, with their latest values."""
        submillisecond_clock.now = START
        remove_all(open_tasks)
        value = data.draw(near_values(filters_of(TaskQuery)[name].kind))
        query = TaskQuery(**{name: value})
        with open_tasks(ADA) as tasks:
            stored = [tasks.add(one) for one in new]
            stored[1] = tasks.change(stored[1].id, partial(Task.edit, **vars(new[2])))
            found = tasks.list(query).items
        assert found == [task for task in reversed(stored) if query.admits(task)]

    @pytest.mark.parametrize("name", LOCAL_TIME_FILTERS)
    @settings(FOR_EVERY_ADAPTER, max_examples=30)
    @given(new=st.lists(new_entities(Task), min_size=6, max_size=6), data=st.data())
    def test_dates_are_compared_as_seen_from_the_time_zone_of_the_query(
        self, open_tasks: OpenTasks, name: str, new: list[NewTask], data: st.DataObject
    ) -> None:
        """The written time decides, and the moment if the task has a time zone; in any order."""
        remove_all(open_tasks)
        filters = filters_of(TaskQuery)
        drawn = {one: data.draw(near_values(filters[one].kind)) for one in (name, "time_zone")}
        query = TaskQuery(**drawn, sort=data.draw(sorts_of(Task)), limit=2)
        with open_tasks(ADA) as tasks:
            stored = [tasks.add(one) for one in new]
        found = [task for page in pages(open_tasks, query) for task in page.items]
        expected = sorted(
            filter(query.admits, stored), key=query.sort.key, reverse=query.sort.descending
        )
        assert found == expected

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("STRASSE", ["Straße"]),
            ("straße", ["Straße"]),
            ("i̇", ["İstanbul"]),
            ("ΣΊΣΥΦΟΣ", ["Σίσυφος"]),
            ("%", ["100% sure"]),
            ("_", ["snake_case"]),
            ("\\", ["back\\slash"]),
            ("100%", ["100% sure"]),
            ("%%%", []),
            ("e", ["snake_case", "100% sure", "Straße"]),
            ("é", []),
        ],
    )
    def test_the_search_folds_case_and_takes_wildcards_literally(
        self, open_tasks: OpenTasks, text: str, found: list[str]
    ) -> None:
        """Case is folded as by `str.casefold`; accents are not, and wildcards are literal."""
        titles = ["Straße", "İstanbul", "Σίσυφος", "100% sure", "snake_case", "back\\slash"]
        with open_tasks(ADA) as tasks:
            for title in titles:
                tasks.add(NewTask(title=title))
            assert [task.title for task in tasks.list(TaskQuery(text=text)).items] == found

    def test_the_search_finds_no_text_across_title_and_description(
        self, open_tasks: OpenTasks
    ) -> None:
        """Title and description are searched separately."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy", description="milk"))
            assert tasks.list(TaskQuery(text="milk")).items == [task]
            for text in ("Buymilk", "Buy milk", "y\x1fm".replace("\x1f", "\n")):
                assert tasks.list(TaskQuery(text=text)).items == []

    def test_the_search_sees_the_latest_text(self, open_tasks: OpenTasks) -> None:
        """After a change the new text is found, and the old text is not."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
            task = tasks.change(task.id, lambda task, now: task.edit(now, title="Buy BREAD"))
            assert tasks.list(TaskQuery(text="bread")).items == [task]
            assert tasks.list(TaskQuery(text="milk")).items == []

    @pytest.mark.parametrize("field", sort_fields(Task))
    @pytest.mark.parametrize("descending", [True, False])
    @settings(FOR_EVERY_ADAPTER, max_examples=5)
    @given(kinds=st.lists(new_entities(Task), min_size=4, max_size=4))
    def test_pagination_is_stable_in_every_sort_order(
        self, open_tasks: OpenTasks, field: str, descending: bool, kinds: list[NewTask]
    ) -> None:
        """Despite concurrent writes, an unchanged task is listed exactly once."""
        remove_all(open_tasks)
        with open_tasks(ADA) as tasks:
            stored = [tasks.add(kinds[n % 4]) for n in range(20)]
        unchanged, gone, changed = stored[::2], iter(stored[1::4]), iter(stored[3::4])
        seen: list[Task] = []
        query = TaskQuery(sort=Sort(field=field, descending=descending), limit=3)
        for page in pages(open_tasks, query):
            seen += page.items
            with open_tasks(ADA) as tasks:
                tasks.add(kinds[0])
                if task := next(gone, None):
                    tasks.remove(task.id)
                if task := next(changed, None):
                    tasks.change(task.id, partial(Task.edit, **vars(kinds[2])))
        in_order = sorted(unchanged, key=query.sort.key, reverse=descending)
        assert [task for task in seen if task in unchanged] == in_order

    def test_only_a_query_with_total_has_a_total(self, open_tasks: OpenTasks) -> None:
        """The total counts all pages; without `with_total` it is None."""
        with open_tasks(ADA) as tasks:
            for n in range(5):
                tasks.add(NewTask(title=f"{n}", completed=n < 2))
            assert tasks.list(TaskQuery(limit=2)).total is None
            assert tasks.list(TaskQuery(limit=2, with_total=True)).total == 5
            assert tasks.list(TaskQuery(limit=2, with_total=True, completed=True)).total == 2

    def test_times_are_exact_to_the_microsecond(
        self, open_tasks: OpenTasks, clock: TickingClock
    ) -> None:
        """`…_after` is inclusive and `…_before` exclusive, with any offset."""
        clock.step = timedelta(microseconds=1)
        clock.now = datetime(2026, 2, 9, 10, 0, 0, 500_000, UTC)
        with open_tasks(ADA) as tasks:
            first, second, third = (tasks.add(NewTask(title=f"{n}")) for n in range(3))
            at = second.created_at.astimezone(timezone(timedelta(hours=5, minutes=30)))
            after = TaskQuery(created_after=at), TaskQuery(updated_after=at)
            before = TaskQuery(created_before=at), TaskQuery(updated_before=at)
            assert [tasks.list(query).items for query in after] == [[third, second]] * 2
            assert [tasks.list(query).items for query in before] == [[first]] * 2

    @pytest.mark.parametrize("descending", [True, False])
    @pytest.mark.parametrize("limit", [1, 5])
    def test_a_list_by_due_is_by_the_clock_as_written(
        self, open_tasks: OpenTasks, descending: bool, limit: int
    ) -> None:
        """A date is behind all times of its day, and no date is last, on pages of any size."""
        with open_tasks(ADA) as tasks:
            stored = [tasks.add(NewTask(title="x", due=due)) for due in DUES[::2] + DUES[1::2]]
        in_order = sorted(stored, key=lambda task: DUES.index(task.due), reverse=descending)
        query = TaskQuery(sort=Sort(field="due", descending=descending), limit=limit)
        assert [task for page in pages(open_tasks, query) for task in page.items] == in_order

    @settings(FOR_EVERY_ADAPTER, max_examples=8)
    @given(new=st.lists(new_entities(Task), max_size=6))
    def test_the_labels_of_the_owners_tasks_are_counted(
        self, open_tasks: OpenTasks, new: list[NewTask]
    ) -> None:
        """Each label of a stored task, with the numbers of open tasks and of all."""
        remove_all(open_tasks)
        with open_tasks(BOB) as tasks:
            tasks.add(NewTask(title="Bob's", labels=("home",)))
        with open_tasks(ADA) as tasks:
            stored = [tasks.add(one) for one in new]
            if stored:
                stored[0] = tasks.change(stored[0].id, Task.complete)
            counts = tasks.count_labels()
        assert counts == count_labels((one.labels, not one.completed, 1) for one in stored)
