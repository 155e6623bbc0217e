"""The contract of concurrent requests: no lost update, no partial transaction."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from itertools import chain
from threading import Barrier, Thread
from uuid import UUID

from taskservice.core.errors import TaskNotFound
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA
from taskservice.testing.tasks import OpenTasks

CLIENTS = 8
SECONDS = 30


def increment(task: Task, now: datetime) -> Task:
    """A step that increments the number in the title."""
    return task.edit(now, title=str(int(task.title) + 1))


def increment_task(
    open_tasks: OpenTasks, task_id: UUID, times: int = 1, atomic: bool = False
) -> None:
    """Increment a task, each time in a new `open_tasks`."""
    for _ in range(times):
        with open_tasks(ADA, atomic=atomic) as tasks:
            tasks.change(task_id, increment)


def add_counter(open_tasks: OpenTasks) -> Task:
    """Add a task whose title is 0."""
    with open_tasks(ADA) as tasks:
        return tasks.add(NewTask(title="0"))


def read(open_tasks: OpenTasks, task: Task) -> Task:
    """Return the current task."""
    with open_tasks(ADA) as tasks:
        return tasks.get(task.id)


class Concurrency(ContractBase):
    """The contract of concurrent requests: no lost update, no partial transaction."""

    def test_a_concurrent_change_is_not_overwritten(self, open_tasks: OpenTasks) -> None:
        """A change between the read and the write of another change is not lost."""
        task = add_counter(open_tasks)
        other = Thread(target=increment_task, args=(open_tasks, task.id))

        def step(task: Task, now: datetime) -> Task:
            if not other.ident:
                other.start()
                # If the storage is locked, the other thread waits for this one.
                other.join(timeout=0.5)
            return increment(task, now)

        with open_tasks(ADA) as tasks:
            tasks.change(task.id, step)
        other.join(SECONDS)
        assert (read(open_tasks, task).title, read(open_tasks, task).version) == ("2", 3)

    def test_no_change_is_lost(self, open_tasks: OpenTasks) -> None:
        """200 increments by 8 clients end at 200."""
        task = add_counter(open_tasks)
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda _: increment_task(open_tasks, task.id, times=25), range(CLIENTS)))
        assert (read(open_tasks, task).title, read(open_tasks, task).version) == ("200", 201)

    def test_no_change_in_a_transaction_is_lost(self, open_tasks: OpenTasks) -> None:
        """Changes inside transactions are serialized with each other, and with those outside."""
        task = add_counter(open_tasks)
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(
                pool.map(
                    lambda n: increment_task(open_tasks, task.id, times=10, atomic=n % 2 == 0),
                    range(CLIENTS),
                )
            )
        assert read(open_tasks, task).title == "80"

    def test_parallel_completions_are_one_change(self, open_tasks: OpenTasks) -> None:
        """Any number of concurrent completions change the task once."""
        task = add_counter(open_tasks)
        barrier = Barrier(CLIENTS)

        def complete() -> Task:
            barrier.wait(SECONDS)
            with open_tasks(ADA) as tasks:
                return tasks.change(task.id, Task.complete)

        with ThreadPoolExecutor(CLIENTS) as pool:
            futures = [pool.submit(complete) for _ in range(13 * CLIENTS)]
            assert {future.result() for future in futures} == {read(open_tasks, task)}
        assert read(open_tasks, task).version == 2

    def test_a_removed_task_does_not_come_back(self, open_tasks: OpenTasks) -> None:
        """A change that is concurrent with a removal never restores the task."""
        task = add_counter(open_tasks)

        def step(task: Task, now: datetime) -> Task:
            remover.start()
            remover.join(timeout=0.5)
            return increment(task, now)

        def remove() -> None:
            with open_tasks(ADA) as tasks:
                tasks.remove(task.id)

        remover = Thread(target=remove)
        with open_tasks(ADA) as tasks, suppress(TaskNotFound):
            tasks.change(task.id, step)
        remover.join(SECONDS)
        with open_tasks(ADA) as tasks:
            assert tasks.list(TaskQuery()).items == []

    def test_parallel_creations_are_all_stored(self, open_tasks: OpenTasks) -> None:
        """Every created task is stored exactly once."""

        def create(_: int) -> list[Task]:
            with open_tasks(ADA) as tasks:
                return [tasks.add(NewTask(title="Buy milk")) for _ in range(20)]

        with ThreadPoolExecutor(CLIENTS) as pool:
            created = list(chain.from_iterable(pool.map(create, range(CLIENTS))))
        with open_tasks(ADA) as tasks:
            stored = tasks.list(TaskQuery(limit=200)).items
        assert sorted(stored, key=lambda task: task.id) == sorted(created, key=lambda task: task.id)
        assert len(created) == 160

    def test_no_dirty_read_of_an_open_transaction(self, open_tasks: OpenTasks) -> None:
        """Other threads see all changes of a transaction, or none."""
        seen: list[int] = []

        def read_all() -> None:
            with open_tasks(ADA) as tasks:
                seen.append(len(tasks.list(TaskQuery()).items))

        reader = Thread(target=read_all)
        with open_tasks(ADA, atomic=True) as tasks:
            tasks.add(NewTask(title="Buy milk"))
            reader.start()
            reader.join(timeout=0.5)
            tasks.add(NewTask(title="Buy bread"))
        reader.join(SECONDS)
        assert seen != [1]
