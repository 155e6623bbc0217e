"""The contract of lists and their pages."""

from itertools import chain, product

import pytest

from taskservice.core.query import Query
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA
from taskservice.testing.tasks import OpenTasks


def fill(open_tasks: OpenTasks, count: int) -> list[Task]:
    """Store tasks, every third completed; return them newest first."""
    with open_tasks(ADA) as tasks:
        created = [
            tasks.add(NewTask(title=f"Task {n}", completed=n % 3 == 0)) for n in range(count)
        ]
    return created[::-1]


def all_pages(open_tasks: OpenTasks, query: TaskQuery) -> list[list[Task]]:
    """Return the tasks of `query` and of all pages after it."""
    pages = []
    following: Query[Task] | None = query
    while following:
        with open_tasks(ADA) as tasks:
            page = tasks.list(following)
        pages.append(page.items)
        following = page.next
    return pages


class Listing(ContractBase):
    """The contract of lists and their pages."""

    def test_a_list_is_newest_first(self, open_tasks: OpenTasks) -> None:
        """The default order is newest first."""
        created = fill(open_tasks, 7)
        assert all_pages(open_tasks, TaskQuery()) == [created]

    @pytest.mark.parametrize(
        ("completed", "limit", "skipped"),
        list(product([None, True, False], [1, 2, 7, 200], [0, 3])),
    )
    def test_a_list_is_what_the_query_admits(
        self, open_tasks: OpenTasks, completed: bool | None, limit: int, skipped: int
    ) -> None:
        """All pages have the tasks that `TaskQuery.admits`, in the order of the sort key."""
        created = fill(open_tasks, 7)
        after = (created[skipped - 1].id,) if skipped else None
        query = TaskQuery(completed=completed, limit=limit, after=after)
        expected = [task for task in created[skipped:] if query.admits(task)]
        assert list(chain.from_iterable(all_pages(open_tasks, query))) == expected

    @pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (3, [3]), (4, [3, 1]), (6, [3, 3])])
    def test_a_full_last_page_has_no_next_page(
        self, open_tasks: OpenTasks, count: int, sizes: list[int]
    ) -> None:
        """A page has a next page only if there are more tasks."""
        fill(open_tasks, count)
        assert [len(page) for page in all_pages(open_tasks, TaskQuery(limit=3))] == sizes

    def test_pagination_is_stable(self, open_tasks: OpenTasks) -> None:
        """Despite additions and removals between pages, a task is listed exactly once."""
        created = fill(open_tasks, 9)
        seen: list[Task] = []
        query: Query[Task] | None = TaskQuery(limit=2)
        removed = iter(created[1::4])
        while query:
            with open_tasks(ADA) as tasks:
                page = tasks.list(query)
                seen, query = seen + page.items, page.next
                tasks.add(NewTask(title="Meanwhile"))
                if task := next(removed, None):
                    tasks.remove(task.id)
        remaining = [task for task in created if task not in created[1::4]]
        assert [task for task in seen if task in remaining] == remaining
