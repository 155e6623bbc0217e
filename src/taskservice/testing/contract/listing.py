"""What the port promises of lists, and of their pages."""

from itertools import chain, product

import pytest

from taskservice.core.query import TaskQuery
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA


def fill(open_tasks: OpenTasks, count: int) -> list[Task]:
    """Store tasks of which every third is completed; return them newest first."""
    with open_tasks(ADA) as tasks:
        made = [tasks.add(title=f"Task {n}", completed=n % 3 == 0) for n in range(count)]
    return made[::-1]


def walk(open_tasks: OpenTasks, query: TaskQuery) -> list[list[Task]]:
    """Return all pages, from `query` on."""
    pages = []
    step: TaskQuery | None = query
    while step:
        with open_tasks(ADA) as tasks:
            page = tasks.list(step)
        pages.append(page.tasks)
        step = page.next
    return pages


class Listing(ContractBase):
    """What the port promises of lists, and of their pages."""

    def test_a_list_is_newest_first(self, open_tasks: OpenTasks) -> None:
        """The order is that of creation, the newest first."""
        made = fill(open_tasks, 7)
        assert walk(open_tasks, TaskQuery()) == [made]

    @pytest.mark.parametrize(
        ("completed", "limit", "skipped"),
        list(product([None, True, False], [1, 2, 7, 200], [0, 3])),
    )
    def test_a_list_is_what_the_query_admits(
        self, open_tasks: OpenTasks, completed: bool | None, limit: int, skipped: int
    ) -> None:
        """Every page is what `TaskQuery.admits` says, in the order of its sort key."""
        made = fill(open_tasks, 7)
        after = (made[skipped - 1].id,) if skipped else None
        query = TaskQuery(completed=completed, limit=limit, after=after)
        expected = [task for task in made[skipped:] if query.admits(task)]
        assert list(chain.from_iterable(walk(open_tasks, query))) == expected

    @pytest.mark.parametrize(("count", "sizes"), [(0, [0]), (3, [3]), (4, [3, 1]), (6, [3, 3])])
    def test_a_full_last_page_leads_nowhere(
        self, open_tasks: OpenTasks, count: int, sizes: list[int]
    ) -> None:
        """There is a next page only while there is more."""
        fill(open_tasks, count)
        assert [len(page) for page in walk(open_tasks, TaskQuery(limit=3))] == sizes

    def test_pages_show_what_stood_throughout_exactly_once(self, open_tasks: OpenTasks) -> None:
        """What comes or goes between two pages neither hides nor doubles a task that stayed."""
        made = fill(open_tasks, 9)
        seen: list[Task] = []
        query: TaskQuery | None = TaskQuery(limit=2)
        removed = iter(made[1::4])
        while query:
            with open_tasks(ADA) as tasks:
                page = tasks.list(query)
                seen, query = seen + page.tasks, page.next
                tasks.add(title="Meanwhile")
                if gone := next(removed, None):
                    tasks.remove(gone.id)
        stood = [task for task in made if task not in made[1::4]]
        assert [task for task in seen if task in stood] == stood
