"""The contract of savepoints and batches: several operations in one transaction."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from taskservice.core.batch import Batch, Command, References, Result, run_batch
from taskservice.core.entity import Edit
from taskservice.core.errors import (
    CommandFailed,
    EntityInUse,
    InvalidEntity,
    StaleEntity,
    TaskNotFound,
)
from taskservice.core.preconditions import at_version
from taskservice.core.query import Sort
from taskservice.core.task import Task
from taskservice.core.task_list import NewTaskList, TaskListQuery
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import change_task, create_task, remove_task
from taskservice.core.workspace import OpenOwnWorkspace, OpenWorkspace, Workspace
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.batch_model import (
    OPERATIONS,
    close,
    command,
    create,
    failing,
    one_by_one,
    prepare,
    shape,
    summaries,
)
from taskservice.testing.contract.numbering import numbered, numbers, renamed
from taskservice.testing.contract.placement import (
    RACES,
    add,
    add_list,
    all_tasks,
    at_once,
    new_task,
)
from taskservice.testing.contract.restoration import add_tree
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER
from taskservice.testing.contract.sync_client import end_of_log, entries_since, everything
from taskservice.testing.contract.trash import trash, trash_of
from taskservice.testing.owners import ADA

BY_CREATION = Sort(field="created_at", descending=False)

Write = Callable[[Workspace], object]


class Undone(Exception):
    """Ends a block whose writes are to be undone."""


def stale(open_own: OpenOwnWorkspace, task: Task) -> Task:
    """Change a task at a version that it does not have."""
    edit = Edit({"title": "Rye"})
    return change_task(open_own, task.id, edit, at_version([task.version + 9]))


def tasks_of_results(results: Sequence[Result]) -> list[Task]:
    """Return the tasks among the results of a batch."""
    return [one for one in results if isinstance(one, Task)]


class Batches(ContractBase):
    """The contract of savepoints and batches."""

    @pytest.mark.parametrize("is_locked", [False, True])
    def test_a_savepoint_undoes_what_its_block_wrote(
        self, open_workspace: OpenWorkspace, is_locked: bool
    ) -> None:
        """Of every kind. What was written before it and behind it is kept, with its numbers."""
        a_list, trashed = add_list(open_workspace), trash(open_workspace, add(open_workspace))
        one, other, gone = (add(open_workspace) for _ in range(3))
        start = end_of_log(open_workspace)
        with open_workspace(ADA, atomic=True) as workspace:
            if is_locked:
                workspace.lock()
            before = workspace.tasks.add(new_task())
            assert workspace.count_changes() == 1
            with pytest.raises(Undone), workspace.savepoint():
                added = workspace.tasks.add(new_task(list_id=a_list.id))
                workspace.tasks.change(one.id, renamed)
                workspace.lists.change(a_list.id, Edit({"name": "Food"}))
                workspace.tasks.trash(other.id)
                workspace.tasks.remove(gone.id)
                workspace.trash.remove(trashed.id)
                workspace.idempotency.begin("key", b"fingerprint")
                found = workspace.changes.since(start, start, 99).entries
                assert numbers(start, found) == [
                    *((1, "task", before.id), (2, "task", added.id), (3, "task", one.id)),
                    *((4, "list", a_list.id), (5, "task", other.id), (6, "task", gone.id)),
                    (7, "task", trashed.id),
                ]
                raise Undone
            assert workspace.count_changes() == 7
            assert workspace.tasks.get(one.id) == one
            assert workspace.idempotency.begin("key", b"fingerprint") is None
            after = workspace.tasks.change(one.id, renamed)
        assert numbered(open_workspace, start) == [(1, "task", before.id), (2, "task", one.id)]
        kept = [a_list, after, other, gone, before]
        assert everything(open_workspace) == {entity.id: entity for entity in kept}
        assert trash_of(open_workspace) == [trashed]

    @pytest.mark.parametrize("is_locked", [False, True])
    def test_after_a_savepoint_a_transaction_goes_on(
        self, open_workspace: OpenWorkspace, is_locked: bool
    ) -> None:
        """Whatever failed: a reference to nothing, an entity in use, not found or stale."""
        a_list, parent = add_list(open_workspace), add(open_workspace)
        in_list, below = add(open_workspace, list_id=a_list.id), add(open_workspace, parent)
        missing = uuid4()
        failures: list[tuple[type[Exception], Write]] = [
            (InvalidEntity, lambda own: own.tasks.add(new_task(list_id=missing))),
            (InvalidEntity, lambda own: own.tasks.change(below.id, Edit({"parent_id": missing}))),
            (InvalidEntity, lambda own: own.tasks.change_all([below], Edit({"list_id": missing}))),
            (EntityInUse, lambda own: own.lists.remove(a_list.id)),
            (EntityInUse, lambda own: own.lists.remove_all([a_list])),
            (EntityInUse, lambda own: own.tasks.trash(parent.id)),
            (EntityInUse, lambda own: own.tasks.trash_all([parent], {})),
            (TaskNotFound, lambda own: own.tasks.remove(missing)),
            (StaleEntity, lambda own: own.tasks.remove(below.id, at_version([7]))),
        ]
        start, kept = end_of_log(open_workspace), []
        with open_workspace(ADA, atomic=True) as workspace:
            if is_locked:
                workspace.lock()
            for error, write in failures:
                with workspace.savepoint():
                    kept.append(workspace.tasks.add(new_task()))
                with pytest.raises(error), workspace.savepoint():
                    workspace.tasks.add(new_task())
                    workspace.tasks.change(in_list.id, renamed)
                    write(workspace)
                kept.append(workspace.tasks.add(new_task(list_id=a_list.id)))
        assert numbered(open_workspace, start) == [
            (number, "task", task.id) for number, task in enumerate(kept, 1)
        ]
        stored = [a_list, parent, in_list, below, *kept]
        assert everything(open_workspace) == {entity.id: entity for entity in stored}

    def test_what_a_locked_workspace_creates_is_seen_at_once(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """By every query, in the order of the log, by references, and by the next change."""
        root, *_ = add_tree(open_workspace)
        start = end_of_log(open_workspace)
        with open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            first = workspace.tasks.add(new_task(labels=("home",)))
            assert workspace.tasks.get(first.id) == first
            second = workspace.tasks.add(new_task(labels=("home",)))
            assert workspace.tasks.list(TaskQuery(limit=2)).items == [second, first]
            third = workspace.tasks.add(new_task(labels=("home",)))
            assert [(one.label, one.all) for one in workspace.tasks.count_labels()] == [("home", 3)]
            a_list = workspace.lists.add(NewTaskList(name="Groceries"))
            fourth = workspace.tasks.add(new_task())
            assert workspace.tasks.count_by_list(TaskQuery()) == {None: 8}
            fifth = workspace.tasks.add(new_task(list_id=a_list.id))
            sixth = workspace.tasks.add(new_task())
            empty = workspace.lists.add(NewTaskList(name="Food"))
            below = workspace.tasks.add(new_task(parent_id=sixth.id))
            assert [*workspace.tasks.descendants([sixth.id])] == [below]
            last = workspace.tasks.add(new_task())
            changed = workspace.tasks.change(last.id, renamed)
            gone = workspace.tasks.add(new_task())
            workspace.tasks.remove(gone.id)
            trashed = workspace.tasks.add(new_task())
            workspace.tasks.trash(trashed.id)
            removed = workspace.lists.add(NewTaskList(name="x"))
            workspace.lists.remove(removed.id)
            end = Task.create(ADA, last.created_at, workspace.new_id, new_task())
            workspace.tasks.insert(end)
            found = workspace.changes.since(start, start, 99).entries
        order = [
            *(first, second, third, a_list, fourth, fifth, sixth, empty, below, last, last),
            *(gone, gone, trashed, trashed, removed, removed, end),
        ]
        expected = [(number, one.type_name, one.id) for number, one in enumerate(order, 1)]
        assert numbers(start, found) == numbered(open_workspace, start) == expected
        with open_workspace(ADA) as workspace:
            for one in (*order[:9], changed, end):
                assert workspace.find(one.type_name, one.id) == one
            assert workspace.tasks.list(TaskQuery(parent_id=(root.id,))).items
            assert workspace.lists.list(TaskListQuery(sort=BY_CREATION)).items == [a_list, empty]

    def test_a_missing_list_undoes_what_a_locked_workspace_created(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """At its field. The block is one transaction, and no number is used."""
        a_list, start = add_list(open_workspace), end_of_log(open_workspace)
        stored = everything(open_workspace)
        with pytest.raises(InvalidEntity) as caught, open_workspace(ADA, atomic=True) as workspace:
            workspace.lock()
            workspace.tasks.add(new_task())
            workspace.lists.add(NewTaskList(name="Food"))
            workspace.tasks.add(new_task(list_id=a_list.id))
            workspace.tasks.add(new_task(list_id=uuid4()))
        assert [one.field for one in caught.value.errors] == ["list_id"]
        assert (everything(open_workspace), end_of_log(open_workspace)) == (stored, start)

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @example(commands=[("create", 0), ("create, and fail", 0), ("create", 0), ("delete", 0)])
    @example(commands=[("create in a missing list", 0), ("create", 0), ("complete, and fail", 3)])
    @example(commands=[("complete", 3), ("change, and fail", 3), ("create", 0), ("reopen", 3)])
    @example(commands=[("create", 0), ("delete, and fail", 2), ("restore", 4), ("restore", 2)])
    @given(
        commands=st.lists(
            st.tuples(st.sampled_from(sorted(OPERATIONS)), st.integers(0, 4)), max_size=8
        )
    )
    def test_a_batch_does_what_its_operations_do(
        self, open_workspace: OpenWorkspace, commands: list[tuple[str, int]]
    ) -> None:
        """One after another, whichever of them fail: results, tasks, trash, order and log."""

        def outcome(run: Callable[[OpenOwnWorkspace, Sequence[Command]], Sequence[Result]]) -> Any:
            owner = f"{uuid4()}"
            owned, start = prepare(open_workspace, owner), end_of_log(open_workspace, owner)
            given = [command(owned, *one) for one in commands]
            results = run(partial(open_workspace, owner), given)
            return summaries(results), shape(open_workspace, owner, start)

        def in_a_batch(open_own: OpenOwnWorkspace, given: Sequence[Command]) -> Sequence[Result]:
            return run_batch(open_own, Batch(given, is_atomic=False))

        assert outcome(in_a_batch) == outcome(one_by_one)

    @pytest.mark.parametrize("index", [0, 2, 4])
    def test_an_atomic_batch_is_done_whole_or_not_at_all(
        self, open_workspace: OpenWorkspace, index: int
    ) -> None:
        """The command that fails is named. Nothing is changed, and no number is used."""
        one, other = add(open_workspace), add(open_workspace)
        a_list, open_own = add_list(open_workspace), partial(open_workspace, ADA)
        start, stored = end_of_log(open_workspace), everything(open_workspace)
        commands = [
            Command(create_one),
            Command(lambda own, _: close(own, one.id, a_list.id)),
            Command(lambda own, _: create_task(own, new_task(list_id=a_list.id))),
            Command(lambda own, _: remove_task(own, other.id)),
        ]
        failing_one = Command(lambda own, _: stale(own, one))
        with pytest.raises(CommandFailed) as caught:
            run_batch(open_own, Batch([*commands[:index], failing_one, *commands[index:]]))
        assert (caught.value.index, type(caught.value.error)) == (index, StaleEntity)
        assert (everything(open_workspace), trash_of(open_workspace)) == (stored, [])
        assert end_of_log(open_workspace) == start
        done = tasks_of_results(run_batch(open_own, Batch(commands)))
        assert numbered(open_workspace, start) == [
            (number, "task", task_id)
            for number, task_id in enumerate([*(task.id for task in done), other.id], 1)
        ]
        assert everything(open_workspace) == {entity.id: entity for entity in (a_list, *done)}

    @pytest.mark.parametrize("is_atomic", [False, True])
    def test_a_dry_run_leaves_everything_as_it_was(
        self, open_workspace: OpenWorkspace, is_atomic: bool
    ) -> None:
        """Tasks, the trash and the log. It has the results of the same batch."""
        open_own, owned = partial(open_workspace, ADA), prepare(open_workspace, ADA)
        chosen = [("create", 0), ("complete", 3), ("delete", 0), ("restore", 4)]
        chosen += [("create in a list", 0), ("create below", 2)]
        chosen += [] if is_atomic else [("create in a missing list", 0), ("change, and fail", 2)]
        commands = [command(owned, *one) for one in chosen]
        start, stored = end_of_log(open_workspace), everything(open_workspace)
        trashed = trash_of(open_workspace)
        tried = run_batch(open_own, Batch(commands, is_atomic, dry_run=True))
        assert (everything(open_workspace), trash_of(open_workspace)) == (stored, trashed)
        assert end_of_log(open_workspace) == start
        done = run_batch(open_own, Batch(commands, is_atomic))
        assert summaries(tried) == summaries(done)
        assert numbered(open_workspace, start)[0] == (1, "task", tasks_of_results(done)[0].id)

    @pytest.mark.parametrize("is_atomic", [False, True])
    def test_a_command_refers_to_what_an_earlier_one_created(
        self, open_workspace: OpenWorkspace, is_atomic: bool
    ) -> None:
        """Under its name. A name whose command failed stands for nothing."""

        def create_below(name: str, own: OpenOwnWorkspace, refs: References) -> Task:
            return create_task(own, new_task(parent_id=refs[name]))

        names: list[str] = []
        commands = [
            Command(create_one, "trip"),
            Command(partial(create_below, "trip"), "bags"),
            Command(lambda own, refs: close(own, refs["bags"], uuid4())),
            Command(partial(create_below, "bags")),
            *([] if is_atomic else [Command(lambda own, _: failing(create)(own, *ids), "lost")]),
            Command(lambda _, refs: names.extend(refs)),
        ]
        ids = uuid4(), uuid4()
        results = run_batch(partial(open_workspace, ADA), Batch(commands, is_atomic))
        assert names == ["trip", "bags"]
        trip, bags, closed, lowest = tasks_of_results(results)
        assert [one.parent_id for one in (bags, closed, lowest)] == [trip.id, trip.id, bags.id]
        assert all_tasks(open_workspace) == [trip, closed, lowest]

    def test_batches_at_once_wait_for_each_other(self, open_workspace: OpenWorkspace) -> None:
        """On the same tasks in opposite order: none fails, and the numbers of each are together."""
        one, other = add(open_workspace), add(open_workspace)
        start = end_of_log(open_workspace)

        def batch(first: Task, second: Task, *, is_atomic: bool) -> list[UUID]:
            renamings = [Command(partial(rename, task.id)) for task in (first, second)]
            given = Batch([*renamings, Command(create_one), Command(create_one)], is_atomic)
            results = run_batch(partial(open_workspace, ADA), given)
            return [task.id for task in tasks_of_results(results)]

        def single(task: Task) -> list[UUID]:
            return [rename(task.id, partial(open_workspace, ADA), {}).id]

        for _ in range(RACES // 4):
            calls = [
                partial(batch, one, other, is_atomic=True),
                partial(batch, other, one, is_atomic=False),
                *(partial(single, task) for task in (one, other)),
            ]
            written = at_once(calls)
            ids = [entry.entity_id for entry in entries_since(open_workspace, start)]
            assert len(ids) == sum(map(len, written)) == 10
            for block in written[:2]:
                place = ids.index(block[2])
                assert ids[place - 2 : place + 2] == block
            start = end_of_log(open_workspace)


def create_one(open_own: OpenOwnWorkspace, _: References) -> Task:
    """Create a task."""
    return create_task(open_own, new_task())


def rename(task_id: UUID, open_own: OpenOwnWorkspace, _: References) -> Task:
    """Change the title of a task."""
    with open_own() as workspace:
        return workspace.tasks.change(task_id, renamed)
