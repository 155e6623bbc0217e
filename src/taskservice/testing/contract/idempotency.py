"""A request with a key is done at most once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskservice.core.errors import IdempotencyKeyReused, InvalidTask, StaleTask, TaskNotFound
from taskservice.core.idempotency import IdempotencyKey
from taskservice.core.idempotent_tasks import IdempotentTasks
from taskservice.core.preconditions import at_version, with_precondition
from taskservice.core.query import TaskQuery
from taskservice.core.service import OpenTasks
from taskservice.core.task import Task
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA, BOB

FIRST = IdempotencyKey("key", b"digest of one request")
OTHER = IdempotencyKey("key", b"digest of another")


def once(
    open_tasks: OpenTasks, attempt: IdempotencyKey, door: Any, owner: str = ADA
) -> tuple[Any, bool]:
    """Go through a door with a key; return the result, and whether it is a replay."""
    with open_tasks(owner, atomic=True) as tasks:
        keyed = IdempotentTasks(tasks, attempt)
        result = door(keyed)
    return result, keyed.replayed


def create(tasks: IdempotentTasks) -> Task:
    """Add a task, as a door for `once`."""
    return tasks.add(title="Buy milk", description="Two litres")


def all_tasks(open_tasks: OpenTasks, owner: str = ADA) -> list[Task]:
    """Return up to 200 tasks of an owner, the newest first."""
    with open_tasks(owner) as tasks:
        return tasks.list(TaskQuery(limit=200)).tasks


def complete(open_tasks: OpenTasks, task_id: UUID, done: list[str]) -> None:
    """Complete a task, and note it where the task was not gone by then."""
    with open_tasks(ADA) as tasks, suppress(TaskNotFound):
        tasks.change(task_id, Task.complete)
        done.append("completed")


class Idempotency(ContractBase):
    """A request with a key is done at most once."""

    def test_a_repeated_creation_returns_the_first_task(self, open_tasks: OpenTasks) -> None:
        """The second attempt returns what the first did, to the microsecond, and makes nothing."""
        first, replayed = once(open_tasks, FIRST, create)
        assert not replayed
        with open_tasks(ADA) as tasks:
            tasks.change(first.id, Task.complete)
        again, replayed = once(open_tasks, FIRST, create)
        assert replayed
        assert again == first
        assert len(all_tasks(open_tasks)) == 1

    def test_a_repeated_change_is_not_done_again(self, open_tasks: OpenTasks) -> None:
        """A replay comes before existence and precondition: it succeeds where a retry would not."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")

        def change(tasks: IdempotentTasks) -> Task:
            return tasks.change(task.id, with_precondition(at_version({1}), Task.complete))

        done, _ = once(open_tasks, FIRST, change)
        assert once(open_tasks, FIRST, change) == (done, True)
        with open_tasks(ADA) as tasks:
            tasks.remove(task.id)
        assert once(open_tasks, FIRST, change) == (done, True)

    def test_a_repeated_removal_is_no_error(self, open_tasks: OpenTasks) -> None:
        """A removal that was done is done, for whoever asks with the same key."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
        assert once(open_tasks, FIRST, lambda tasks: tasks.remove(task.id)) == (None, False)
        assert once(open_tasks, FIRST, lambda tasks: tasks.remove(task.id)) == (None, True)
        with pytest.raises(TaskNotFound):
            once(open_tasks, IdempotencyKey("new", b""), lambda tasks: tasks.remove(task.id))

    def test_a_key_stands_for_one_request(self, open_tasks: OpenTasks) -> None:
        """The same key with another request is refused, and does nothing."""
        once(open_tasks, FIRST, create)
        with pytest.raises(IdempotencyKeyReused):
            once(open_tasks, OTHER, create)
        assert len(all_tasks(open_tasks)) == 1

    @pytest.mark.parametrize(
        ("door", "error"),
        [
            (lambda tasks: tasks.add(title=" "), InvalidTask),
            (lambda tasks: tasks.remove(uuid4()), TaskNotFound),
            (lambda tasks: tasks.change(uuid4(), Task.complete), TaskNotFound),
        ],
    )
    def test_what_did_not_succeed_is_not_remembered(
        self, open_tasks: OpenTasks, door: Any, error: type[Exception]
    ) -> None:
        """A refused request leaves its key free, for another request too."""
        with pytest.raises(error):
            once(open_tasks, FIRST, door)
        assert once(open_tasks, OTHER, create)[1] is False

    def test_keys_belong_to_their_owner(self, open_tasks: OpenTasks) -> None:
        """Two owners may use the same key, for their own tasks."""
        mine, _ = once(open_tasks, FIRST, create)
        theirs, replayed = once(open_tasks, FIRST, create, owner=BOB)
        assert (theirs.user_id, replayed) == (BOB, False)
        assert all_tasks(open_tasks) == [mine]
        assert all_tasks(open_tasks, BOB) == [theirs]

    def test_parallel_attempts_make_one_task(self, open_tasks: OpenTasks) -> None:
        """However many attempts run at once, one is done and the others return its task."""
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: once(open_tasks, FIRST, create), range(50)))
        assert [task for task, _ in results] == all_tasks(open_tasks) * 50
        assert sum(not replayed for _, replayed in results) == 1

    def test_a_guarded_removal_takes_the_version_that_was_meant(
        self, open_tasks: OpenTasks
    ) -> None:
        """A guard that raises keeps the task; one that does not lets it go."""
        with open_tasks(ADA) as tasks:
            task = tasks.change(tasks.add(title="Buy milk").id, Task.complete)
            with pytest.raises(StaleTask):
                tasks.remove(task.id, at_version({1, 3}))
            assert tasks.get(task.id) == task
            tasks.remove(task.id, at_version({1, 2}))
            with pytest.raises(TaskNotFound):
                tasks.remove(task.id, at_version({2}))

    def test_a_guarded_removal_sees_a_change_in_between(self, open_tasks: OpenTasks) -> None:
        """Of a change, and a removal of what was there before it, one is done."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(title="Buy milk")
        done: list[str] = []
        other = Thread(target=lambda: complete(open_tasks, task.id, done))

        def guard(task: Task) -> None:
            at_version({1})(task)
            other.start()
            # Where the store is locked the other waits for us, so we cannot wait for its end.
            other.join(timeout=0.5)

        with open_tasks(ADA) as tasks, suppress(StaleTask):
            tasks.remove(task.id, guard)
            done.append("removed")
        other.join(30)
        assert len(done) == 1
        left = [task.version for task in all_tasks(open_tasks)]
        assert left == ([] if done == ["removed"] else [2])

    def test_counted_updates_with_a_precondition_and_retry(self, open_tasks: OpenTasks) -> None:
        """200 updates by 8 clients that each name the version they saw end at 200."""
        with open_tasks(ADA) as tasks:
            counter = tasks.add(title="0")

        def count(_: int) -> None:
            while True:
                with open_tasks(ADA) as tasks:
                    seen = tasks.get(counter.id)

                    def step(task: Task, now: datetime, seen: Task = seen) -> Task:
                        return task.edit(now, title=str(int(seen.title) + 1))

                    try:
                        tasks.change(
                            counter.id, with_precondition(at_version({seen.version}), step)
                        )
                    except StaleTask:
                        continue
                    return

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count, range(200)))
        (after,) = all_tasks(open_tasks)
        assert (after.title, after.version) == ("200", 201)
