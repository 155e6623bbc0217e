"""A model of batches: random commands, and what they leave, to compare with single operations."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from taskservice.core.batch import Command, Result
from taskservice.core.changes import Position
from taskservice.core.entity import Edit
from taskservice.core.errors import StaleEntity, TaskServiceError
from taskservice.core.task import Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import Completion, change_task, complete_task, create_task, remove_task
from taskservice.core.trash import restore_task
from taskservice.core.trashed_task import TrashQuery
from taskservice.core.workspace import OpenOwnWorkspace, OpenWorkspace, joining
from taskservice.testing.contract.numbering import numbers
from taskservice.testing.contract.placement import new_task
from taskservice.testing.contract.series import DAILY
from taskservice.testing.contract.sync_client import entries_since


class Owned(NamedTuple):
    """What an owner has when a batch begins: tasks by number, and a list."""

    tasks: Sequence[UUID]
    a_list: UUID


Operation = Callable[[OpenOwnWorkspace, UUID, UUID], Task | None]
"""Runs an operation on a task. The last argument is a list."""


def failing(operation: Operation) -> Operation:
    """Return an operation that fails after it wrote."""

    def run(open_own: OpenOwnWorkspace, task_id: UUID, list_id: UUID) -> Task | None:
        with open_own(atomic=True) as workspace:
            operation(joining(workspace), task_id, list_id)
            raise StaleEntity(task_id)

    return run


def change(**values: Any) -> Operation:
    """Return the operation that sets fields of a task."""
    return lambda open_own, task_id, _: change_task(open_own, task_id, Edit(values))


def create(open_own: OpenOwnWorkspace, *_: UUID) -> Task:
    """Create a task in the inbox."""
    return create_task(open_own, new_task())


def close(open_own: OpenOwnWorkspace, task_id: UUID, *_: UUID) -> Task:
    """Complete a task. If it recurs, another one is inserted."""
    return complete_task(open_own, task_id, Completion(completed=True))


def remove(open_own: OpenOwnWorkspace, task_id: UUID, *_: UUID) -> None:
    """Delete a task. Its sub-tasks take its place."""
    remove_task(open_own, task_id)


OPERATIONS: Mapping[str, Operation] = {
    "create": create,
    "create in a list": lambda own, _, list_id: create_task(own, new_task(list_id=list_id)),
    "create in a missing list": lambda own, *_: create_task(own, new_task(list_id=uuid4())),
    "create below": lambda own, task_id, _: create_task(own, new_task(parent_id=task_id)),
    "create, and fail": failing(create),
    "change": change(title="Buy bread"),
    "change, and fail": failing(change(title="Rye")),
    "move to a list": lambda own, task_id, list_id: change(list_id=list_id)(own, task_id, list_id),
    "complete": close,
    "complete, and fail": failing(close),
    "reopen": lambda own, task_id, _: complete_task(own, task_id, Completion(completed=False)),
    "delete": remove,
    "delete, and fail": failing(remove),
    "delete a tree": lambda own, task_id, _: remove_task(own, task_id, with_subtasks=True),
    "restore": lambda own, task_id, _: restore_task(own, task_id),
}


def prepare(open_workspace: OpenWorkspace, owner: str) -> Owned:
    """Add a list, a task with a sub-task, one in the list, one that recurs, one in the trash."""
    with open_workspace(owner) as workspace:
        a_list = workspace.lists.add(NewTaskList(name="Groceries"))
        root = workspace.tasks.add(new_task())
        news = [new_task(parent_id=root.id), new_task(list_id=a_list.id), DAILY, new_task()]
        tasks = [root, *map(workspace.tasks.add, news)]
        workspace.tasks.trash(tasks[-1].id)
    return Owned([task.id for task in tasks], a_list.id)


def command(owned: Owned, name: str, number: int) -> Command:
    """Return the command that runs an operation on a task."""
    return Command(lambda own, _: OPERATIONS[name](own, owned.tasks[number], owned.a_list))


def one_by_one(open_own: OpenOwnWorkspace, commands: Sequence[Command]) -> Sequence[Result]:
    """Return the results of the same operations without a batch."""
    return [_result(open_own, one) for one in commands]


def _result(open_own: OpenOwnWorkspace, command: Command) -> Result:
    try:
        return command.run(open_own, {})
    except TaskServiceError as error:
        return error


def summaries(results: Sequence[Result]) -> list[Any]:
    """Return of each result what the same operation has for another owner."""
    return [
        (one.title, one.version, one.status) if isinstance(one, Task) else type(one)
        for one in results
    ]


def shape(open_workspace: OpenWorkspace, owner: str, start: Position) -> list[Any]:
    """Return all that an owner has, and the log behind a start, with numbers in place of ids."""
    with open_workspace(owner) as workspace:
        tasks = workspace.tasks.list(TaskQuery(limit=200)).items
        trashed = workspace.trash.list(TrashQuery(limit=200)).items
    found: list[Any] = sorted([*tasks, *trashed], key=lambda one: one.id)
    ids: dict[Any, int] = {one.id: number for number, one in enumerate(found, 1)}
    in_order = sorted(
        tasks,
        key=lambda one: (one.list_id is None, ids.get(one.parent_id, 0), one.position, one.id),
    )
    entries = entries_since(open_workspace, start, owner=owner)
    return [
        [
            (type(one), one.title, one.version, one.status, one.recurrence, one.list_id is None)
            for one in found
        ],
        [[ids.get(getattr(one, name)) for one in found] for name in ("parent_id", "next_id")],
        [ids.get(getattr(one, "trashed_with", None)) for one in found],
        [ids[one.id] for one in in_order],
        [(number, ids.get(task_id)) for number, _, task_id in numbers(start, entries)],
    ]
