"""Batches as a function over the port: how it opens the workspace, and what ends it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from uuid import uuid4

import pytest

from taskservice.adapters.memory import InMemoryStorage
from taskservice.core.batch import (
    CHANGES_LIMIT,
    COMMANDS_LIMIT,
    Batch,
    Command,
    References,
    Result,
    run_batch,
)
from taskservice.core.entity import Edit
from taskservice.core.errors import (
    CommandFailed,
    FieldError,
    InvalidEntity,
    InvalidOption,
    StorageFull,
    TaskNotFound,
    TaskServiceError,
    Unavailable,
)
from taskservice.core.subtasks import TOO_MANY
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import change_task, create_task
from taskservice.core.workspace import OpenOwnWorkspace, Workspace, joining
from taskservice.testing import ADA, TickingClock

MODES = pytest.mark.parametrize("is_atomic", [False, True])


@pytest.fixture
def open_own() -> OpenOwnWorkspace:
    """The workspace of an owner, in memory."""
    return partial(InMemoryStorage(TickingClock()).open_workspace, ADA)


def create(open_own: OpenOwnWorkspace, _: References) -> Task:
    """Create a task."""
    return create_task(open_own, NewTask(title="Buy milk"))


def tasks_of(open_own: OpenOwnWorkspace) -> Sequence[Task]:
    """Return all tasks, the oldest first."""
    with open_own() as workspace:
        return workspace.tasks.list(TaskQuery()).items[::-1]


def raising(error: Exception) -> Command:
    """Return a command that creates a task and raises an error."""

    def run(open_own: OpenOwnWorkspace, references: References) -> Task:
        create(open_own, references)
        raise error

    return Command(run)


class RecordedWorkspace:
    """Opens a workspace, and records what a batch does with it."""

    def __init__(self, open_own: OpenOwnWorkspace) -> None:
        self._open_own = open_own
        self.calls: list[str] = []

    @contextmanager
    def __call__(self, *, atomic: bool = False) -> Iterator[Workspace]:
        self.calls.append(f"open atomic={atomic}")
        with self._open_own(atomic=atomic) as workspace:
            yield workspace._replace(
                lock=partial(self.calls.append, "lock"),
                savepoint=partial(self._savepoint, workspace),
            )
        self.calls.append("commit")

    @contextmanager
    def _savepoint(self, workspace: Workspace) -> Iterator[None]:
        self.calls.append("savepoint")
        with workspace.savepoint():
            yield


@MODES
def test_a_batch_is_one_transaction_that_is_locked_first(
    open_own: OpenOwnWorkspace, is_atomic: bool
) -> None:
    """Only in a batch that is not atomic does each command have a savepoint."""
    recorded = RecordedWorkspace(open_own)

    def run(open_own: OpenOwnWorkspace, references: References) -> Task:
        recorded.calls.append("run")
        with open_own(atomic=True):
            return create(open_own, references)

    results = run_batch(recorded, Batch([Command(run)] * 2, is_atomic))
    step = ["run"] if is_atomic else ["savepoint", "run"]
    assert recorded.calls == ["open atomic=True", "lock", *step, *step, "commit"]
    assert results == tasks_of(open_own)


@MODES
@pytest.mark.parametrize(
    "error", [Unavailable("the database is gone"), StorageFull("full"), ZeroDivisionError()]
)
def test_what_is_no_fault_of_a_command_ends_the_batch(
    open_own: OpenOwnWorkspace, is_atomic: bool, error: Exception
) -> None:
    """It is raised as it is, in every mode, and nothing is changed."""
    commands = [Command(create), raising(error), Command(create)]
    with pytest.raises(type(error)) as caught:
        run_batch(open_own, Batch(commands, is_atomic))
    assert caught.value is error
    assert tasks_of(open_own) == []


@pytest.mark.parametrize(
    "error",
    [
        TaskNotFound(uuid4()),
        InvalidEntity([FieldError("title", "must not be blank")]),
        InvalidOption([FieldError("subtasks", "is too much")]),
    ],
)
def test_an_error_of_a_command_is_its_result(
    open_own: OpenOwnWorkspace, error: TaskServiceError
) -> None:
    """An atomic batch raises it, with the number of the command, and runs no other."""
    ran: list[Result] = []
    commands = [Command(create), raising(error), Command(lambda own, _: ran.append(None))]
    with pytest.raises(CommandFailed) as caught:
        run_batch(open_own, Batch(commands))
    assert (caught.value.index, caught.value.error, ran) == (1, error, [])
    first, second, third = run_batch(open_own, Batch(commands, is_atomic=False))
    assert (second, third, ran) == (error, None, [None])
    assert tasks_of(open_own) == [first]


def test_a_command_sees_what_those_before_it_did(open_own: OpenOwnWorkspace) -> None:
    """A result is the task as it was then, not as it is in the end."""

    def rename(open_own: OpenOwnWorkspace, references: References) -> Task:
        return change_task(open_own, references["a"], Edit({"title": "Buy bread"}))

    created, renamed = run_batch(open_own, Batch([Command(create, "a"), Command(rename)]))
    assert [renamed] == tasks_of(open_own)
    states = [one for one in (created, renamed) if isinstance(one, Task)]
    assert [(one.title, one.version) for one in states] == [("Buy milk", 1), ("Buy bread", 2)]


@MODES
def test_a_name_that_is_used_again_stands_for_the_last_task(
    open_own: OpenOwnWorkspace, is_atomic: bool
) -> None:
    """The references that a command gets are those of its own batch."""
    found: list[References] = []
    look = Command(lambda _, references: found.append(dict(references)))
    commands = [look, Command(create, "a"), Command(create, "a"), Command(create), look]
    results = run_batch(open_own, Batch(commands, is_atomic))
    run_batch(open_own, Batch([look], is_atomic))
    assert isinstance(results[2], Task)
    assert found == [{}, {"a": results[2].id}, {}]


@MODES
def test_a_batch_joins_a_transaction(open_own: OpenOwnWorkspace, is_atomic: bool) -> None:
    """That of an idempotency key: if that fails, nothing of the batch is kept."""
    with pytest.raises(ZeroDivisionError), open_own(atomic=True) as workspace:
        run_batch(joining(workspace), Batch([Command(create)], is_atomic))
        assert len(workspace.tasks.list(TaskQuery()).items) == 1
        raise ZeroDivisionError
    assert tasks_of(open_own) == []


@MODES
def test_an_empty_batch_does_nothing(open_own: OpenOwnWorkspace, is_atomic: bool) -> None:
    """It has no results."""
    assert run_batch(open_own, Batch([], is_atomic)) == []


@MODES
def test_a_batch_makes_up_to_a_thousand_changes(
    open_own: OpenOwnWorkspace, is_atomic: bool
) -> None:
    """The command that would make more fails, and each behind it, before it does anything."""
    calls: list[str] = []

    def create_many(open_own: OpenOwnWorkspace, _: References) -> None:
        calls.append("create many")
        with open_own() as workspace:
            for number in range(CHANGES_LIMIT // 2):
                workspace.tasks.add(NewTask(title=f"{number}"))

    commands = [Command(create_many), Command(create_many), Command(create), Command(create_many)]
    if is_atomic:
        with pytest.raises(CommandFailed) as caught:
            run_batch(open_own, Batch(commands))
        failed: dict[int, Result] = {caught.value.index: caught.value.error}
    else:
        results = run_batch(open_own, Batch(commands, is_atomic=False))
        failed = {index: one for index, one in enumerate(results) if one is not None}
        with open_own() as workspace:
            assert workspace.tasks.list(TaskQuery(limit=1, with_total=True)).total == CHANGES_LIMIT
    assert [*failed] == ([2] if is_atomic else [2, 3])
    for error in failed.values():
        assert isinstance(error, InvalidEntity)
        assert error.errors == (("op", TOO_MANY),)
    assert calls == ["create many"] * 2


def test_a_batch_gives_each_task_a_place_of_its_own() -> None:
    """So that a move or a completion of one later changes no other."""
    open_own = partial(InMemoryStorage().open_workspace, ADA)
    created = run_batch(open_own, Batch([Command(create)] * COMMANDS_LIMIT))
    assert len({task.position for task in created if isinstance(task, Task)}) == COMMANDS_LIMIT
