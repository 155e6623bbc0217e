"""The contract of queries: every adapter lists exactly what `TaskQuery` specifies."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskservice.core.query import Page, Query, Sort, TaskQuery, sort_fields
from taskservice.core.task import NewTask, Task
from taskservice.testing.clock import START, TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks

# Letters whose case folding is longer, has another byte length, or depends on the locale.
LETTERS = "abABßẞſİıΣσςéÉﬁΐ%_\\'/ \U0001f600\U00010400\U00010428"
texts = st.text(st.sampled_from(LETTERS), max_size=6)
titles = texts.filter(lambda text: text.strip() != "")
times = st.integers(-3, 40).map(lambda n: START + timedelta(microseconds=700 * n))
sorts = st.builds(Sort, field=st.sampled_from(sort_fields(Task)), descending=st.booleans())
queries = st.builds(
    TaskQuery,
    completed=st.none() | st.booleans(),
    text=st.none() | texts.filter(bool),
    created_after=st.none() | times,
    created_before=st.none() | times,
    updated_after=st.none() | times,
    updated_before=st.none() | times,
    sort=sorts,
    limit=st.integers(1, 5),
    with_total=st.booleans(),
)
new_tasks = st.fixed_dictionaries(
    {"title": titles, "description": st.none() | texts, "completed": st.booleans()}
)


def pages(open_tasks: OpenTasks, query: Query[Task] | None) -> Iterator[Page[Task]]:
    """Yield `query` and all pages after it."""
    while query:
        with open_tasks(ADA) as tasks:
            page = tasks.list(query)
        yield page
        query = page.next


class Queries(ContractBase):
    """The contract of queries: every adapter lists exactly what `TaskQuery` specifies."""

    @pytest.fixture
    def submillisecond_clock(self, clock: TickingClock) -> TickingClock:
        """A clock that gives several tasks the same millisecond."""
        clock.step = timedelta(microseconds=400)
        return clock

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
            # Each adapter has its own class in the same run.
            HealthCheck.differing_executors,
        ],
    )
    @given(new=st.lists(new_tasks, max_size=8), edited=st.sets(st.integers(0, 7)), query=queries)
    def test_a_query_lists_what_it_specifies(
        self,
        open_tasks: OpenTasks,
        submillisecond_clock: TickingClock,
        new: list[dict[str, Any]],
        edited: set[int],
        query: TaskQuery,
    ) -> None:
        """The pages contain exactly the tasks that the query admits, in its order."""
        submillisecond_clock.now = START
        with open_tasks(ADA) as tasks:
            for task in tasks.list(TaskQuery(limit=200)).items:
                tasks.remove(task.id)
            stored = [tasks.add(NewTask(**fields)) for fields in new]
            for n in edited & set(range(len(stored))):
                stored[n] = tasks.change(
                    stored[n].id, lambda task, now: task.edit(now, title="É ß")
                )
        with open_tasks(BOB) as tasks:
            tasks.add(NewTask(title="Bob's"))
        expected = sorted(
            filter(query.admits, stored), key=query.sort.key, reverse=query.sort.descending
        )
        found = list(pages(open_tasks, query))
        assert [task for page in found for task in page.items] == expected
        assert {page.total for page in found} == {len(expected) if query.with_total else None}
        assert all(len(page.items) == query.limit for page, _ in pairwise(found))

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
    def test_pagination_is_stable_in_every_sort_order(
        self, open_tasks: OpenTasks, field: Any, descending: bool
    ) -> None:
        """Despite concurrent writes, an unchanged task is listed exactly once."""
        with open_tasks(ADA) as tasks:
            stored = [tasks.add(NewTask(title=f"{n % 4} of {n}")) for n in range(20)]
        unchanged, gone, changed = stored[::2], iter(stored[1::4]), iter(stored[3::4])
        seen: list[Task] = []
        query = TaskQuery(sort=Sort(field=field, descending=descending), limit=3)
        for page in pages(open_tasks, query):
            seen += page.items
            with open_tasks(ADA) as tasks:
                tasks.add(NewTask(title="0 meanwhile"))
                if task := next(gone, None):
                    tasks.remove(task.id)
                if task := next(changed, None):
                    tasks.change(task.id, lambda task, now: task.edit(now, title="2 moved"))
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
        """`…_after` is inclusive and `…_before` exclusive, even within one millisecond."""
        clock.step = timedelta(microseconds=1)
        clock.now = datetime(2026, 2, 9, 10, 0, 0, 500_000, UTC)
        with open_tasks(ADA) as tasks:
            first, second, third = (tasks.add(NewTask(title=f"{n}")) for n in range(3))
            at = second.created_at
            after = TaskQuery(created_after=at), TaskQuery(updated_after=at)
            before = TaskQuery(created_before=at), TaskQuery(updated_before=at)
            assert [tasks.list(query).items for query in after] == [[third, second]] * 2
            assert [tasks.list(query).items for query in before] == [[first]] * 2
