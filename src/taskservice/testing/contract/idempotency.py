"""The contract of idempotency keys and of preconditions."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest

from taskservice.core.errors import IdempotencyKeyReused, InvalidEntity, StaleEntity, TaskNotFound
from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.preconditions import at_version, with_precondition
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.workspace import OpenWorkspace, TaskService
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import OpenTasks

FIRST = IdempotencyKey("key", b"fingerprint of one request")
OTHER = IdempotencyKey("key", b"fingerprint of another")


Write = Callable[[TaskService], Task | None]
"""The writes of a request, which return what it responds with."""


def send(
    open_workspace: OpenWorkspace, key: IdempotencyKey, write: Write, owner: str = ADA
) -> tuple[Any, bool]:
    """Send a request with a key; return its response, and whether it is a replay."""
    with open_workspace(owner, atomic=True) as workspace:
        stored = begin(workspace.idempotency, key)
        result = stored
        if result is None:
            result = _to_bytes(write(workspace.tasks))
            workspace.idempotency.complete(key.key, result)
    return _from_bytes(result), stored is not None


def _to_bytes(task: Task | None) -> bytes:
    return json.dumps(task and task.dump()).encode()


def _from_bytes(result: bytes) -> Task | None:
    stored = json.loads(result)
    return stored and Task.load(stored)


def create(tasks: TaskService) -> Task:
    """Add a task; a write for `send`."""
    return tasks.add(NewTask(title="Buy milk", description="Two liters"))


def all_tasks(open_tasks: OpenTasks, owner: str = ADA) -> list[Task]:
    """Return up to 200 tasks of an owner, the newest first."""
    with open_tasks(owner) as tasks:
        return tasks.list(TaskQuery(limit=200)).items


def complete(open_tasks: OpenTasks, task_id: UUID, done: list[str]) -> None:
    """Complete a task, and record it unless the task was already removed."""
    with open_tasks(ADA) as tasks, suppress(TaskNotFound):
        tasks.change(task_id, Task.complete)
        done.append("completed")


class Idempotency(ContractBase):
    """The contract of idempotency keys and of preconditions."""

    def test_a_repeated_creation_returns_the_first_task(
        self, open_workspace: OpenWorkspace, open_tasks: OpenTasks
    ) -> None:
        """A retry returns the first result, equal in every field, and creates nothing."""
        first, replayed = send(open_workspace, FIRST, create)
        assert not replayed
        with open_tasks(ADA) as tasks:
            tasks.change(first.id, Task.complete)
        again, replayed = send(open_workspace, FIRST, create)
        assert replayed
        assert again == first
        assert len(all_tasks(open_tasks)) == 1

    def test_a_repeated_change_is_applied_once(
        self, open_workspace: OpenWorkspace, open_tasks: OpenTasks
    ) -> None:
        """A replay checks neither existence nor precondition."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))

        def change(tasks: TaskService) -> Task:
            return tasks.change(task.id, with_precondition(at_version({1}), Task.complete))

        done, _ = send(open_workspace, FIRST, change)
        assert send(open_workspace, FIRST, change) == (done, True)
        with open_tasks(ADA) as tasks:
            tasks.remove(task.id)
        assert send(open_workspace, FIRST, change) == (done, True)

    def test_two_writes_of_a_request_both_happen_once(
        self, open_workspace: OpenWorkspace, open_tasks: OpenTasks
    ) -> None:
        """A request may write any number of times; a retry repeats none of its writes."""

        def complete_and_repeat(tasks: TaskService) -> Task:
            done = tasks.change(tasks.add(NewTask(title="Water the plants")).id, Task.complete)
            tasks.add(NewTask(title=done.title))
            return done

        done, _ = send(open_workspace, FIRST, complete_and_repeat)
        assert send(open_workspace, FIRST, complete_and_repeat) == (done, True)
        stored = [(task.title, task.completed) for task in all_tasks(open_tasks)]
        assert stored == [("Water the plants", False), ("Water the plants", True)]

    def test_a_repeated_removal_succeeds(
        self, open_workspace: OpenWorkspace, open_tasks: OpenTasks
    ) -> None:
        """A retry of a removal succeeds, although the task no longer exists."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
        assert send(open_workspace, FIRST, lambda tasks: tasks.remove(task.id)) == (None, False)
        assert send(open_workspace, FIRST, lambda tasks: tasks.remove(task.id)) == (None, True)
        with pytest.raises(TaskNotFound):
            send(open_workspace, IdempotencyKey("new", b""), lambda tasks: tasks.remove(task.id))

    def test_a_key_belongs_to_one_request(
        self, open_workspace: OpenWorkspace, open_tasks: OpenTasks
    ) -> None:
        """A different request with the same key is refused, and has no effect."""
        send(open_workspace, FIRST, create)
        with pytest.raises(IdempotencyKeyReused):
            send(open_workspace, OTHER, create)
        assert len(all_tasks(open_tasks)) == 1

    @pytest.mark.parametrize(
        ("write", "error"),
        [
            (lambda tasks: tasks.add(NewTask(title=" ")), InvalidEntity),
            (lambda tasks: tasks.remove(uuid4()), TaskNotFound),
            (lambda tasks: tasks.change(uuid4(), Task.complete), TaskNotFound),
        ],
    )
    def test_a_failed_request_stores_no_record(
        self,
        open_workspace: OpenWorkspace,
        open_tasks: OpenTasks,
        write: Any,
        error: type[Exception],
    ) -> None:
        """After a failure the key may be used again, also for another request."""
        with pytest.raises(error):
            send(open_workspace, FIRST, write)
        assert send(open_workspace, OTHER, create)[1] is False

    def test_keys_are_separate_for_each_owner(
        self, open_workspace: OpenWorkspace, open_tasks: OpenTasks
    ) -> None:
        """Two owners may use the same key."""
        mine, _ = send(open_workspace, FIRST, create)
        theirs, replayed = send(open_workspace, FIRST, create, owner=BOB)
        assert (theirs.user_id, replayed) == (BOB, False)
        assert all_tasks(open_tasks) == [mine]
        assert all_tasks(open_tasks, BOB) == [theirs]

    def test_parallel_retries_create_one_task(
        self, open_workspace: OpenWorkspace, open_tasks: OpenTasks
    ) -> None:
        """Of any number of concurrent retries, one creates a task and the others replay it."""
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(lambda _: send(open_workspace, FIRST, create), range(50)))
        assert [task for task, _ in results] == all_tasks(open_tasks) * 50
        assert sum(not replayed for _, replayed in results) == 1

    def test_a_removal_checks_its_precondition(self, open_tasks: OpenTasks) -> None:
        """The task is removed only if the precondition does not raise."""
        with open_tasks(ADA) as tasks:
            task = tasks.change(tasks.add(NewTask(title="Buy milk")).id, Task.complete)
            with pytest.raises(StaleEntity):
                tasks.remove(task.id, at_version({1, 3}))
            assert tasks.get(task.id) == task
            tasks.remove(task.id, at_version({1, 2}))
            with pytest.raises(TaskNotFound):
                tasks.remove(task.id, at_version({2}))

    def test_a_removal_checks_its_precondition_atomically(self, open_tasks: OpenTasks) -> None:
        """Of a change and a concurrent removal of the version before it, one succeeds."""
        with open_tasks(ADA) as tasks:
            task = tasks.add(NewTask(title="Buy milk"))
        done: list[str] = []
        other = Thread(target=lambda: complete(open_tasks, task.id, done))

        def precondition(task: Task) -> None:
            at_version({1})(task)
            other.start()
            # If the storage is locked, the other thread waits for this one.
            other.join(timeout=0.5)

        with open_tasks(ADA) as tasks, suppress(StaleEntity):
            tasks.remove(task.id, precondition)
            done.append("removed")
        other.join(30)
        assert len(done) == 1
        versions = [task.version for task in all_tasks(open_tasks)]
        assert versions == ([] if done == ["removed"] else [2])

    def test_no_update_with_a_precondition_and_retry_is_lost(self, open_tasks: OpenTasks) -> None:
        """200 increments by 8 clients, each with the version that it read, end at 200."""
        with open_tasks(ADA) as tasks:
            counter = tasks.add(NewTask(title="0"))

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
                    except StaleEntity:
                        continue
                    return

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(count, range(200)))
        (after,) = all_tasks(open_tasks)
        assert (after.title, after.version) == ("200", 201)
