"""What the port promises when threads meet."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from itertools import chain
from threading import Barrier, Thread
from uuid import UUID

from taskservice.core.errors import TaskNotFound
from taskservice.core.query import TaskQuery
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA

CLIENTS = 8
SECONDS = 30


def count_up(task: Task, now: datetime) -> Task:
    """A step that reads what it writes."""
    return task.edit(now, title=str(int(task.title) + 1))


def change(open_tasks: OpenTasks, task_id: UUID, times: int = 1, atomic: bool = False) -> None:
    """Count a task up, so many times, each on an opening of its own."""
    for _ in range(times):
        with open_tasks(ADA, atomic=atomic) as tasks:
            tasks.change(task_id, count_up)


def counter(open_tasks: OpenTasks) -> Task:
    """Add a task that counts."""
    with open_tasks(ADA) as tasks:
        return tasks.add(title="0")


def final(open_tasks: OpenTasks, task: Task) -> Task:
    """Return a task as it is in the end."""
    with open_tasks(ADA) as tasks:
        return tasks.get(task.id)


class Concurrency(ContractBase):
    """What the port promises when threads meet."""

    def test_a_change_in_between_is_seen(self, open_tasks: OpenTasks) -> None:
        """A change that comes between the reading and the writing of another is not overwritten."""
        task = counter(open_tasks)
        other = Thread(target=change, args=(open_tasks, task.id))

        def step(task: Task, now: datetime) -> Task:
            if not other.ident:
                other.start()
                # Where the store is locked the other waits for us, so we cannot wait for its end.
                other.join(timeout=0.5)
            return count_up(task, now)

        with open_tasks(ADA) as tasks:
            tasks.change(task.id, step)
        other.join(SECONDS)
        assert (final(open_tasks, task).title, final(open_tasks, task).version) == ("2", 3)

    def test_no_change_is_lost(self, open_tasks: OpenTasks) -> None:
        """200 counted changes by 8 clients end at 200."""
        task = counter(open_tasks)
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda _: change(open_tasks, task.id, times=25), range(CLIENTS)))
        assert (final(open_tasks, task).title, final(open_tasks, task).version) == ("200", 201)

    def test_no_change_is_lost_together(self, open_tasks: OpenTasks) -> None:
        """Changes inside transactions do not overlap either, nor with those outside."""
        task = counter(open_tasks)
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(
                pool.map(
                    lambda n: change(open_tasks, task.id, times=10, atomic=n % 2 == 0),
                    range(CLIENTS),
                )
            )
        assert final(open_tasks, task).title == "80"

    def test_parallel_completions_are_one_change(self, open_tasks: OpenTasks) -> None:
        """However many complete a task at once, it is completed once."""
        task = counter(open_tasks)
        barrier = Barrier(CLIENTS)

        def complete() -> Task:
            barrier.wait(SECONDS)
            with open_tasks(ADA) as tasks:
                return tasks.change(task.id, Task.complete)

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = [pool.submit(complete) for _ in range(13 * CLIENTS)]
            assert {answer.result() for answer in answers} == {final(open_tasks, task)}
        assert final(open_tasks, task).version == 2

    def test_a_removed_task_does_not_come_back(self, open_tasks: OpenTasks) -> None:
        """A change that meets a removal finds no task: it never brings one back."""
        task = counter(open_tasks)

        def step(task: Task, now: datetime) -> Task:
            remover.start()
            remover.join(timeout=0.5)
            return count_up(task, now)

        def remove() -> None:
            with open_tasks(ADA) as tasks:
                tasks.remove(task.id)

        remover = Thread(target=remove)
        with open_tasks(ADA) as tasks, suppress(TaskNotFound):
            tasks.change(task.id, step)
        remover.join(SECONDS)
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).tasks == []

    def test_parallel_creations_are_all_kept(self, open_tasks: OpenTasks) -> None:
        """Every task that was created is there, once."""

        def create(_: int) -> list[Task]:
            with open_tasks(ADA) as tasks:
                return [tasks.add(title="Buy milk") for _ in range(20)]

        with ThreadPoolExecutor(CLIENTS) as pool:
            made = list(chain.from_iterable(pool.map(create, range(CLIENTS))))
        with open_tasks(ADA) as tasks:
            kept = tasks.list(TaskQuery(limit=200)).tasks
        assert sorted(kept, key=lambda task: task.id) == sorted(made, key=lambda task: task.id)
        assert len(made) == 160

    def test_a_transaction_that_is_under_way_is_not_seen(self, open_tasks: OpenTasks) -> None:
        """What a block does together is seen by others whole, or not at all."""
        seen: list[int] = []

        def look() -> None:
            with open_tasks(ADA) as tasks:
                seen.append(len(tasks.list(TaskQuery()).tasks))

        looker = Thread(target=look)
        with open_tasks(ADA, atomic=True) as tasks:
            tasks.add(title="Buy milk")
            looker.start()
            looker.join(timeout=0.5)
            tasks.add(title="Buy bread")
        looker.join(SECONDS)
        assert seen != [1]
