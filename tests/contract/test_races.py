"""300 races of each kind that could break a tree, list, order or series (tox -e contract)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from threading import Barrier
from typing import Any, cast
from uuid import UUID

import pytest
from tests.contract.batches import batch, create, edit

from taskservice.adapters.sql.storage.owner_data import SqlOwnerData
from taskservice.core.batch import Command
from taskservice.core.entity import Edit
from taskservice.core.errors import CommandFailed, InvalidEntity, TaskNotFound, UndoConflict
from taskservice.core.history import history
from taskservice.core.idempotency import IdempotencyKey, begin
from taskservice.core.lists import Removed, create_list, remove_list
from taskservice.core.moves import Move
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import (
    Completion,
    change_task,
    complete_task,
    create_task,
    move_task,
    remove_task,
)
from taskservice.core.trash import purge_all, purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.undo import undo
from taskservice.core.workspace import OpenOwnWorkspace, OpenWorkspace, joining
from taskservice.testing import ADA

RACES = 300
SECONDS = 30

pytestmark = [
    pytest.mark.lengthy,
    pytest.mark.parametrize(
        "open_workspace", ["sqlite", "postgresql", "pooler", "partitioned"], indirect=True
    ),
]


@pytest.fixture
def open_own(open_workspace: OpenWorkspace) -> OpenOwnWorkspace:
    """The workspace of one owner."""
    return partial(open_workspace, ADA)


def race(pool: ThreadPoolExecutor, *attempts: Callable[[], Any]) -> list[Any]:
    """Run attempts at once; return the result of each, or the error of the caller's."""
    barrier = Barrier(len(attempts))

    def run(attempt: Callable[[], Any]) -> Any:
        barrier.wait(SECONDS)
        try:
            return attempt()
        except (CommandFailed, InvalidEntity, TaskNotFound, UndoConflict) as error:
            return error

    return [*pool.map(run, attempts)]


def refused(results: list[Any]) -> list[str]:
    """Return the fields of the errors among results."""
    return [one.errors[0].field for one in results if isinstance(one, InvalidEntity)]


def stored(open_own: OpenOwnWorkspace) -> dict[Any, Task]:
    """Return up to 200 tasks by their ids."""
    with open_own() as workspace:
        return {task.id: task for task in workspace.tasks.list(TaskQuery(limit=200)).items}


def new(open_own: OpenOwnWorkspace, **fields: Any) -> Task:
    """Create a task."""
    return create_task(open_own, NewTask(title="x", **fields))


def test_opposite_changes_of_parent_never_make_a_cycle(open_own: OpenOwnWorkspace) -> None:
    """One is done, and the other is refused."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            a, b = new(open_own), new(open_own)
            results = race(
                pool,
                partial(change_task, open_own, a.id, Edit({"parent_id": b.id})),
                partial(change_task, open_own, b.id, Edit({"parent_id": a.id})),
            )
            assert refused(results) == ["parent_id"]


def test_a_subtask_that_is_created_while_its_parent_is_deleted(open_own: OpenOwnWorkspace) -> None:
    """It is refused, or it takes the place of the parent."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            parent = new(open_own)
            created, _ = race(
                pool,
                partial(new, open_own, parent_id=parent.id),
                partial(remove_task, open_own, parent.id),
            )
            assert refused([created]) in ([], ["parent_id"])
            if isinstance(created, Task):
                assert stored(open_own)[created.id].parent_id is None


def test_a_task_that_is_created_while_its_list_is_deleted(open_own: OpenOwnWorkspace) -> None:
    """It is refused, or it is in the inbox."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            a_list = create_list(open_own, NewTaskList(name="x"))
            new(open_own, list_id=a_list.id)
            created, removed = race(
                pool,
                partial(new, open_own, list_id=a_list.id),
                partial(remove_list, open_own, a_list.id, None, "inbox"),
            )
            assert (removed.done, refused([created])) in [(2, []), (1, ["list_id"])]
            assert {task.list_id for task in stored(open_own).values()} == {None}


def test_a_subtask_that_is_created_while_its_tree_moves(open_own: OpenOwnWorkspace) -> None:
    """It is in the list of its parent."""
    target = create_list(open_own, NewTaskList(name="x")).id
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            parent = new(open_own)
            created, moved = race(
                pool,
                partial(new, open_own, parent_id=parent.id),
                partial(change_task, open_own, parent.id, Edit({"list_id": target})),
            )
            assert (moved.list_id, stored(open_own)[created.id].list_id) == (target, target)


def test_two_equal_changes_of_list_are_one(open_own: OpenOwnWorkspace) -> None:
    """The second finds the task where it wants it, and writes nothing."""
    target = create_list(open_own, NewTaskList(name="x")).id
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = new(open_own)
            move = partial(change_task, open_own, task.id, Edit({"list_id": target}))
            one, other = race(pool, move, move)
            assert (one, one.version) == (other, 2)


def test_moves_into_one_gap_all_succeed(open_own: OpenOwnWorkspace) -> None:
    """All stand behind the neighbor that each named, and before what followed."""
    first, last = new(open_own), new(open_own)
    others = [new(open_own) for _ in range(8)]
    attempts = [partial(move_task, open_own, one.id, Move(after=first.id)) for one in others]
    by_position = Sort(field="position", descending=False)
    with ThreadPoolExecutor(len(attempts)) as pool:
        for _ in range(RACES // len(attempts)):
            race(pool, *attempts)
            with open_own() as workspace:
                query = TaskQuery(list_id=(None,), sort=by_position)
                found = [task.id for task in workspace.tasks.list(query).items]
            assert (found[0], found[-1], len(found)) == (first.id, last.id, 10)


PARALLEL = 50
SHORTER = RACES // 3
"""Races that take long to prepare, or that have many writes."""
DAILY = "FREQ=DAILY"


def daily(open_own: OpenOwnWorkspace) -> Task:
    """Create a task that recurs."""
    return new(open_own, due=date(2026, 3, 1), recurrence=DAILY)


def complete(open_own: OpenOwnWorkspace, task_id: UUID | None, *, completed: bool = True) -> Task:
    """Complete a task, or reopen it."""
    assert task_id is not None
    return complete_task(open_own, task_id, Completion(completed))


def series(open_own: OpenOwnWorkspace, task: Task) -> dict[Any, Task]:
    """Return the tasks of a series by their ids."""
    with open_own() as workspace:
        query = TaskQuery(series_id=task.series_id)
        return {one.id: one for one in workspace.tasks.list(query).items}


def going_on(tasks: dict[Any, Task]) -> list[UUID]:
    """Return the open tasks that recur."""
    return [one.id for one in tasks.values() if one.recurrence and not one.completed]


def test_completions_at_once_make_one_successor(open_own: OpenOwnWorkspace) -> None:
    """All have the same answer."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        for _ in range(RACES // PARALLEL):
            task = daily(open_own)
            answers = race(pool, *[partial(complete, open_own, task.id)] * PARALLEL)
            assert answers == answers[:1] * PARALLEL
            assert series(open_own, task).keys() == {task.id, answers[0].next_id}


def test_a_task_that_is_completed_while_it_is_skipped(open_own: OpenOwnWorkspace) -> None:
    """It is cancelled, whichever was first, and has one successor."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            task = daily(open_own)
            completed, skipped = race(
                pool,
                partial(complete, open_own, task.id),
                partial(change_task, open_own, task.id, Edit({"status": "cancelled"})),
            )
            left = series(open_own, task)
            assert left.keys() == {task.id, completed.next_id} == {task.id, skipped.next_id}
            assert left[task.id].status == "cancelled"


def test_a_task_that_is_completed_while_it_is_reopened(open_own: OpenOwnWorkspace) -> None:
    """It is open and alone, or closed again with another successor."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            closed = complete(open_own, daily(open_own).id)
            race(
                pool,
                partial(complete, open_own, closed.id),
                partial(complete, open_own, closed.id, completed=False),
            )
            left = series(open_own, closed)
            last = left[closed.id].next_id or closed.id
            assert left.keys() == {closed.id, last} != {closed.id, closed.next_id}
            assert going_on(left) == [last]


def test_a_successor_that_is_changed_while_it_is_taken_back(open_own: OpenOwnWorkspace) -> None:
    """It is removed before it is changed, or it stays and goes on: nothing is lost."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            closed = complete(open_own, daily(open_own).id)
            assert closed.next_id is not None
            changed, reopened = race(
                pool,
                partial(change_task, open_own, closed.next_id, Edit({"title": "y"})),
                partial(complete, open_own, closed.id, completed=False),
            )
            stays = isinstance(changed, Task)
            expected = {changed.id: changed} if stays else {}
            left = series(open_own, closed)
            assert left == {closed.id: reopened, **expected}
            assert going_on(left) == [changed.id if stays else closed.id]


def test_a_task_that_begins_to_recur_while_it_gets_a_subtask(open_own: OpenOwnWorkspace) -> None:
    """One is done, and the other is refused."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = new(open_own, due=date(2026, 3, 1))
            results = race(
                pool,
                partial(change_task, open_own, task.id, Edit({"recurrence": DAILY})),
                partial(new, open_own, parent_id=task.id),
            )
            assert refused(results) in (["recurrence"], ["parent_id"])


def test_of_two_tasks_of_a_series_that_are_reopened_one_recurs(open_own: OpenOwnWorkspace) -> None:
    """Each would alone, as its successor was deleted."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            first = complete(open_own, daily(open_own).id)
            second = complete(open_own, first.next_id)
            third = complete(open_own, second.next_id)
            for gone in (first.next_id, third.next_id):
                assert gone is not None
                remove_task(open_own, gone)
            race(
                pool,
                *(partial(complete, open_own, one.id, completed=False) for one in (first, third)),
            )
            left = series(open_own, first)
            assert left.keys() == {first.id, third.id}
            assert len(going_on(left)) == 1


def test_a_closed_task_that_begins_to_recur_while_it_is_reopened(
    open_own: OpenOwnWorkspace,
) -> None:
    """If another one of its series recurs, it does not, or it is still closed."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            closed = complete(open_own, daily(open_own).id)
            assert closed.next_id is not None
            change_task(open_own, closed.next_id, Edit({"title": "y"}))
            change_task(open_own, closed.id, Edit({"recurrence": None}))
            race(
                pool,
                partial(change_task, open_own, closed.id, Edit({"recurrence": DAILY})),
                partial(complete, open_own, closed.id, completed=False),
            )
            assert going_on(series(open_own, closed)) == [closed.next_id]


def deleted(open_own: OpenOwnWorkspace, **fields: Any) -> Task:
    """Create a task and move it to the trash."""
    task = new(open_own, **fields)
    remove_task(open_own, task.id)
    return task


def places_of(open_own: OpenOwnWorkspace, task_id: UUID) -> list[type[Task]]:
    """Return where a task is: as a `Task`, as a `TrashedTask`, nowhere; never both."""
    with open_own() as workspace:
        tasks = stored(open_own).keys()
        trashed = {one.id for one in workspace.trash.list(TrashQuery(limit=200)).items}
    found = [(Task, task_id in tasks), (TrashedTask, task_id in trashed)]
    return [kind for kind, is_there in found if is_there]


def changes_of(open_own: OpenOwnWorkspace, task_id: UUID) -> list[str]:
    """Return what happened to a task, the oldest first."""
    with open_own() as workspace:
        found = workspace.changes.of_entity(task_id, None, 100)
    return [one.change.type.removeprefix("task.") for one in reversed(found)]


def test_a_task_that_is_restored_while_it_is_purged(open_own: OpenOwnWorkspace) -> None:
    """One wins, and the other finds no task. It is in one place at most."""
    winners = set()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = deleted(open_own)
            restored, purged = race(
                pool,
                partial(restore_task, open_own, task.id),
                partial(purge_task, open_own, task.id),
            )
            is_restored = isinstance(restored, Task)
            assert isinstance(purged if is_restored else restored, TaskNotFound)
            assert is_restored or purged is None
            assert places_of(open_own, task.id) == ([Task] if is_restored else [])
            last = "restored" if is_restored else "purged"
            assert changes_of(open_own, task.id) == ["created", "removed", last]
            winners.add(last)
            if is_restored:
                remove_task(open_own, task.id)
            purge_all(open_own)
    assert winners == {"restored", "purged"}


def test_a_task_that_two_restore_is_restored_once(open_own: OpenOwnWorkspace) -> None:
    """The other finds no task in the trash."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = deleted(open_own)
            results = race(pool, *[partial(restore_task, open_own, task.id)] * 2)
            assert sorted(type(one).__name__ for one in results) == ["Task", "TaskNotFound"]
            assert places_of(open_own, task.id) == [Task]
            assert changes_of(open_own, task.id) == ["created", "removed", "restored"]
            remove_task(open_own, task.id)
            purge_all(open_own)


@pytest.fixture
def owner_data(open_workspace: OpenWorkspace) -> SqlOwnerData:
    """All data of the same owner."""
    return SqlOwnerData(cast(Any, open_workspace).__self__._engine, ADA)


def test_a_task_that_is_restored_while_it_is_imported(
    open_own: OpenOwnWorkspace, owner_data: SqlOwnerData
) -> None:
    """The import is refused: before that the id is taken by the trash, and then by the task."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = deleted(open_own)
            restored, refused = race(
                pool,
                partial(restore_task, open_own, task.id),
                partial(owner_data.import_entities, [task]),
            )
            assert [one.entity for one in refused] == [task]
            assert places_of(open_own, task.id) == [Task]
            assert stored(open_own)[task.id] == restored
            remove_task(open_own, task.id)
            purge_all(open_own)


def test_a_task_that_is_purged_while_it_is_imported(
    open_own: OpenOwnWorkspace, owner_data: SqlOwnerData
) -> None:
    """The import is refused, or it comes after the purge."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = deleted(open_own)
            purged, refused = race(
                pool,
                partial(purge_task, open_own, task.id),
                partial(owner_data.import_entities, [task]),
            )
            assert purged is None
            assert places_of(open_own, task.id) == ([] if refused else [Task])
            if not refused:
                assert stored(open_own)[task.id] == task
                remove_task(open_own, task.id)
                purge_all(open_own)


def test_a_task_that_is_deleted_while_it_is_changed(open_own: OpenOwnWorkspace) -> None:
    """It is in the trash as it was last, and the change is in it, or found no task."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = new(open_own)
            removed, changed = race(
                pool,
                partial(remove_task, open_own, task.id),
                partial(change_task, open_own, task.id, Edit({"title": "y"})),
            )
            assert removed is None
            assert places_of(open_own, task.id) == [TrashedTask]
            with open_own() as workspace:
                trashed = workspace.trash.get(task.id)
            assert trashed.task == (changed if isinstance(changed, Task) else task)
            edits = [] if isinstance(changed, TaskNotFound) else ["changed"]
            assert changes_of(open_own, task.id) == ["created", *edits, "removed"]
            purge_all(open_own)


def test_an_edit_that_is_undone_while_the_field_is_changed(open_own: OpenOwnWorkspace) -> None:
    """The change is what stands in the end. If it was first, the undo is refused."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = new(open_own)
            change_task(open_own, task.id, Edit({"title": "y"}))
            sequence = newest_change(open_own, task)
            undone, changed = race(
                pool,
                partial(undo, open_own, task.id, sequence),
                partial(change_task, open_own, task.id, Edit({"title": "z"})),
            )
            is_refused = isinstance(undone, UndoConflict)
            assert changed.version == (3 if is_refused else 4)
            assert is_refused or (undone.title, undone.version) == ("x", 3)
            with open_own() as workspace:
                assert workspace.tasks.get(task.id) == changed
            remove_task(open_own, task.id)


def newest_change(open_own: OpenOwnWorkspace, task: Task) -> int:
    """Return the number of the newest change of a task."""
    with open_own() as workspace:
        return history(workspace, task.id, None, 1).changes[0].sequence


def test_a_removal_that_is_undone_while_the_task_is_purged(open_own: OpenOwnWorkspace) -> None:
    """It is restored, and then there is nothing to purge; or it is gone, and nothing to undo."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(RACES):
            task = deleted(open_own)
            undone, purged = race(
                pool,
                partial(undo, open_own, task.id, newest_change(open_own, task)),
                partial(purge_task, open_own, task.id),
            )
            places = places_of(open_own, task.id)
            found = [type(one).__name__ for one in (undone, purged)]
            assert (found, places) in (
                (["Task", "TaskNotFound"], [Task]),
                (["TaskNotFound", "NoneType"], []),
            )
            if places:
                remove_task(open_own, task.id)
            purge_all(open_own)


def test_a_task_that_is_restored_while_its_list_is_deleted(open_own: OpenOwnWorkspace) -> None:
    """It is in the inbox, in which the list's tasks are put."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            a_list = create_list(open_own, NewTaskList(name="x"))
            task = deleted(open_own, list_id=a_list.id)
            restored, removed = race(
                pool,
                partial(restore_task, open_own, task.id),
                partial(remove_list, open_own, a_list.id, None, "inbox"),
            )
            assert (type(restored), type(removed)) == (Task, Removed)
            assert stored(open_own)[task.id].list_id is None
            remove_task(open_own, task.id)


def test_a_batch_that_has_one_task_and_wants_another_that_is_changed(
    open_own: OpenOwnWorkspace,
) -> None:
    """Neither is in the way of the other for long: both are done, in either mode."""
    with ThreadPoolExecutor(2) as pool:
        for number in range(RACES):
            a, b = new(open_own), new(open_own)
            commands = edit(a, title="y"), edit(b, title="y")
            results, changed = race(
                pool,
                partial(batch, open_own, *commands, atomic=number % 2 == 0),
                partial(change_task, open_own, b.id, Edit({"priority": 1})),
            )
            with open_own() as workspace:
                found = [workspace.tasks.get(one.id) for one in (a, b)]
            assert [(one.title, one.version) for one in found] == [("y", 2), ("y", 3)]
            assert found[1].priority == changed.priority == 1
            assert [found[0], max(results[1], changed, key=version)] == found


def version(task: Task) -> int:
    """Return the version of a task."""
    return task.version


def test_batches_that_change_the_same_tasks_in_opposite_order(open_own: OpenOwnWorkspace) -> None:
    """Both are done, one after the other: the second has changed all of them last."""
    with ThreadPoolExecutor(2) as pool:
        for number in range(SHORTER):
            tasks = [new(open_own) for _ in range(3)]
            one = [edit(task, title="one") for task in tasks]
            other = [edit(task, title="other") for task in reversed(tasks)]
            atomic = number % 2 == 0
            race(
                pool,
                partial(batch, open_own, *one, atomic=atomic),
                partial(batch, open_own, *other, atomic=not atomic),
            )
            with open_own() as workspace:
                found = [workspace.tasks.get(task.id) for task in tasks]
            assert {task.version for task in found} == {3}
            assert len({task.title for task in found}) == 1


def once(open_own: OpenOwnWorkspace, key: str, *commands: Command, atomic: bool) -> bytes:
    """Run a batch with a key, and return the ids of its tasks, or those of an earlier one."""
    with open_own(atomic=True) as workspace:
        result = begin(workspace.idempotency, IdempotencyKey(key, b"fingerprint"))
        if result is None:
            tasks = batch(joining(workspace), *commands, atomic=atomic)
            result = b" ".join(str(cast(Task, task).id).encode() for task in tasks)
            workspace.idempotency.complete(key, result)
        return result


def test_a_batch_and_its_retry_are_done_once(open_own: OpenOwnWorkspace) -> None:
    """Both have the same result. Its changes stand together in the log."""
    with ThreadPoolExecutor(3) as pool:
        for number in range(SHORTER):
            task = new(open_own)
            commands = create(), edit(task, title="y"), create(parent_id=task.id)
            attempt = partial(once, open_own, f"{number}", *commands, atomic=number % 2 == 0)
            one, retry, _ = race(pool, attempt, attempt, partial(new, open_own))
            assert one == retry
            ids = [UUID(found) for found in one.decode().split()]
            sequences = [[newest_number(open_own, found)] for found in ids]
            assert sequences == [[sequences[0][0] + place] for place in range(3)]
            with open_own() as workspace:
                assert workspace.tasks.get(task.id).version == 2
                assert [found.id for found in workspace.tasks.descendants([task.id])] == ids[2:]


def newest_number(open_own: OpenOwnWorkspace, task_id: UUID) -> int:
    """Return the number of the newest change of a task."""
    with open_own() as workspace:
        return history(workspace, task_id, None, 1).changes[0].sequence


@pytest.mark.parametrize("tasks", ["inbox", "delete"])
def test_an_atomic_batch_while_its_list_is_deleted(open_own: OpenOwnWorkspace, tasks: str) -> None:
    """It is done before that as a whole, or it is refused and has created nothing."""
    outcomes = set()
    with ThreadPoolExecutor(2) as pool:
        for _ in range(SHORTER):
            a_list = create_list(open_own, NewTaskList(name="x"))
            inside = new(open_own, list_id=a_list.id)
            commands = create(), create(list_id=a_list.id), edit(inside, title="y")
            done, removed = race(
                pool,
                partial(batch, open_own, *commands, atomic=True),
                partial(remove_list, open_own, a_list.id, None, tasks),
            )
            is_refused = isinstance(done, CommandFailed)
            outcomes.add(is_refused)
            assert (removed.done, removed.more) == (1 if is_refused else 2, False)
            if is_refused:
                assert (done.index, refused([done.error])) == (1, ["list_id"])
            created = [] if is_refused else [one.id for one in done[:2]]
            titles = take_all(open_own)
            assert titles == {
                inside.id: "x" if is_refused else "y",
                **dict.fromkeys(created, "x"),
            }
    assert outcomes == {False, True}


def take_all(open_own: OpenOwnWorkspace) -> dict[Any, str]:
    """Delete all tasks for good, and return their titles, also of those in the trash."""
    with open_own() as workspace:
        trashed = workspace.trash.list(TrashQuery(limit=200)).items
    found = {**stored(open_own), **{one.id: one.task for one in trashed}}
    left = [*stored(open_own).values()]
    with open_own(atomic=True) as workspace:
        workspace.lock()
        workspace.tasks.remove_all(left)
    purge_all(open_own)
    return {task_id: task.title for task_id, task in found.items()}
