"""The contract of the history of a task: its changes, its earlier states, and their undoing."""

from contextlib import nullcontext
from functools import partial
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import assume, given, settings

from taskservice.core.changes import NumberedChange, Origin, Position
from taskservice.core.entity import Edit
from taskservice.core.errors import InvalidEntity, TaskNotFound, UndoConflict
from taskservice.core.fields import fields_of
from taskservice.core.history import state_at
from taskservice.core.lists import remove_list
from taskservice.core.moves import Move
from taskservice.core.task import NewTask, Task
from taskservice.core.tasks import Completion, change_task, complete_task, move_task, remove_task
from taskservice.core.trash import restore_task
from taskservice.core.trashed_task import TrashedTask
from taskservice.core.undo import undo
from taskservice.core.workspace import OpenOwnWorkspace, OpenWorkspace
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.placement import add, add_list, all_tasks
from taskservice.testing.contract.series import DAILY
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER, any_values, new_entities
from taskservice.testing.contract.sync_client import end_of_log, entries_since
from taskservice.testing.contract.trash import trash_of
from taskservice.testing.owners import ADA, BOB

STATES = 50
"""The versions of a task whose states are computed backwards."""


def changes_of(
    open_workspace: OpenWorkspace, task_id: UUID, before: int | None = None, limit: int = 200
) -> list[NumberedChange]:
    """Return the changes of a task, the newest first."""
    with open_workspace(ADA) as workspace:
        return [*workspace.changes.of_entity(task_id, before, limit)]


def types_of(open_workspace: OpenWorkspace, task_id: UUID) -> list[str]:
    """Return what happened to a task, the last first."""
    return [one.change.type for one in changes_of(open_workspace, task_id)]


def undo_last(open_workspace: OpenWorkspace, task_id: UUID) -> Task:
    """Undo the last change of a task."""
    (last,) = changes_of(open_workspace, task_id, limit=1)
    return undo(partial(open_workspace, ADA), task_id, last.sequence)


class Walk:
    """Changes a task by one operation after another, and keeps what they return."""

    def __init__(self, open_workspace: OpenWorkspace, random: Random) -> None:
        self._open_workspace = open_workspace
        self._open_own: OpenOwnWorkspace = partial(open_workspace, ADA)
        self._random = random
        self._lists = [None, *(add_list(open_workspace).id for _ in range(2))]
        self._parent = add(open_workspace, list_id=self._lists[1])
        self.task = add(open_workspace)
        self.states = {self.task.version: self.task}

    def step(self) -> None:
        """Apply one of the operations."""
        operations = [self._edit, self._relocate, self._complete, self._move]
        operations += [self._undo, self._remove_and_restore]
        self.task = self._random.choice(operations)()
        assert self.states.setdefault(self.task.version, self.task) == self.task

    def _edit(self) -> Task:
        values: dict[str, Any] = {
            "title": f"{self._random.random()}",
            "description": self._random.choice([None, "Ask first", "☎ 555\n0100"]),
            "labels": tuple(self._random.sample(["home", "Büro", "読書"], 2)),
            "due": self._random.choice([None, DAILY.due]),
            "priority": self._random.choice([None, 1, 9]),
        }
        name = self._random.choice([*values])
        return change_task(self._open_own, self.task.id, Edit({name: values[name]}))

    def _relocate(self) -> Task:
        places: list[dict[str, Any]] = [{"parent_id": self._parent.id}]
        places += [{"list_id": one, "parent_id": None} for one in self._lists]
        place = self._random.choice(places)
        return change_task(self._open_own, self.task.id, Edit(place))

    def _complete(self) -> Task:
        return complete_task(self._open_own, self.task.id, Completion(not self.task.completed))

    def _move(self) -> Task:
        add(self._open_workspace, list_id=self.task.list_id)
        place = self._random.choice(["first", "last"])
        return move_task(self._open_own, self.task.id, Move(place=place))

    def _undo(self) -> Task:
        undone = undo_last(self._open_workspace, self.task.id)
        if isinstance(undone, TrashedTask):
            return restore_task(self._open_own, self.task.id)
        return undone

    def _remove_and_restore(self) -> Task:
        remove_task(self._open_own, self.task.id)
        return restore_task(self._open_own, self.task.id)


class History(ContractBase):
    """The contract of the history of a task."""

    @pytest.mark.parametrize("atomic", [False, True])
    def test_the_changes_of_an_entity_are_read_backwards(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """Those of one entity alone, before a number and up to a limit, with their origin."""
        start, origin = end_of_log(open_workspace), Origin("app", "request")
        with open_workspace(ADA, origin=origin) as workspace:
            task = workspace.tasks.add(NewTask(title="Buy milk"))
            add(open_workspace)
            changed = workspace.tasks.change(task.id, Edit({"title": "Buy bread"}))
            add_list(open_workspace)
            closed = workspace.tasks.change(task.id, Task.complete)
        positions = [one.position for one in entries_since(open_workspace, start)]
        with open_workspace(ADA, atomic=atomic) as workspace:
            read = workspace.changes.of_entity
            found = [*read(task.id, None, 9)]
            assert [*read(task.id, None, 2)] == found[:2]
            assert [*read(task.id, found[0].sequence, 1)] == found[1:2]
            assert [*read(task.id, found[1].sequence, 9)] == found[2:]
            assert [*read(task.id, found[2].sequence, 9)] == [*read(uuid4(), None, 9)] == []
        assert [Position.of(number, change.id) for number, change in found] == positions[::-2]
        opened = {"status": "needs-action", "completed": False, "completed_at": None}
        assert [change[1:] for _, change in found] == [
            ("task.completed", "task", task.id, 3, closed.updated_at, opened, origin),
            ("task.changed", "task", task.id, 2, changed.updated_at, {"title": "Buy milk"}, origin),
            ("task.created", "task", task.id, 1, task.created_at, None, origin),
        ]

    def test_a_history_is_kept_over_removal_and_restoration(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """With the values of the changes before. A restoration that changes nothing has none."""
        open_own = partial(open_workspace, ADA)
        task = add(open_workspace)
        change_task(open_own, task.id, Edit({"title": "Buy bread"}))
        before = changes_of(open_workspace, task.id)
        remove_task(open_own, task.id)
        (trashed,) = trash_of(open_workspace)
        restored = restore_task(open_own, task.id)
        found = changes_of(open_workspace, task.id)
        assert found[2:] == before
        changes = [(one.type, one.version, one.at, one.previous) for _, one in found[:2]]
        assert changes == [
            ("task.restored", 3, restored.updated_at, {}),
            ("task.removed", 2, trashed.trashed_at, None),
        ]

    def test_another_owners_history_is_not_found(self, open_workspace: OpenWorkspace) -> None:
        """Nor is anything undone, of a task or of one in the trash."""
        open_own, open_other = partial(open_workspace, ADA), partial(open_workspace, BOB)
        tasks = [add(open_workspace) for _ in range(2)]
        remove_task(open_own, tasks[1].id)
        for task in tasks:
            before = changes_of(open_workspace, task.id)
            with open_other() as workspace:
                assert [*workspace.changes.of_entity(task.id, None, 9)] == []
            with pytest.raises(TaskNotFound):
                undo(open_other, task.id, before[0].sequence)
            assert changes_of(open_workspace, task.id) == before

    @settings(FOR_EVERY_ADAPTER, max_examples=20)
    @given(new=new_entities(Task, any_values), other=new_entities(Task, any_values))
    def test_every_field_or_query_of_an_earlier_state_is_known(
        self, open_workspace: OpenWorkspace, new: NewTask, other: NewTask
    ) -> None:
        """The log has each value as it was, and undoing sets it again."""
        with open_workspace(ADA) as workspace:
            task = workspace.tasks.add(new)
            try:
                changed = workspace.tasks.change(task.id, Edit(vars(other)))
            except InvalidEntity:
                assume(False)
        changes = changes_of(open_workspace, task.id)
        assert state_at(changed, changes) == task
        if changed.recurrence == task.recurrence:
            undone = undo_last(open_workspace, task.id)
            names = fields_of(NewTask).keys()
            assert [getattr(undone, one) for one in names] == [getattr(task, one) for one in names]

    @pytest.mark.parametrize("seed", range(3))
    def test_each_earlier_state_is_what_the_operation_returned(
        self, open_workspace: OpenWorkspace, seed: int
    ) -> None:
        """Through edits, moves, undoings, removals and restorations; also from the trash."""
        walk = Walk(open_workspace, Random(seed))  # noqa: S311
        while len(walk.states) < STATES:
            walk.step()
        with open_workspace(ADA) as workspace:
            assert workspace.tasks.get(walk.task.id) == walk.task
        remove_task(partial(open_workspace, ADA), walk.task.id)
        (trashed,) = [one for one in trash_of(open_workspace) if one.id == walk.task.id]
        changes = changes_of(open_workspace, trashed.id)
        states = {
            one.version: state_at(trashed, changes[: place + 1])
            for place, (_, one) in enumerate(changes)
            if one.type != "task.removed"
        }
        assert states == walk.states

    def test_creation_removal_and_restoration_are_undone(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The first and the last by a removal, that by a restoration; a sub-task is promoted."""
        task = add(open_workspace)
        below = add(open_workspace, task)
        undone = undo_last(open_workspace, task.id)
        assert [undone] == trash_of(open_workspace)
        (promoted,) = all_tasks(open_workspace)
        assert (promoted.id, promoted.parent_id) == (below.id, None)
        restored = undo_last(open_workspace, task.id)
        assert all_tasks(open_workspace) == [restored, promoted]
        assert undo_last(open_workspace, task.id) == trash_of(open_workspace)[0]
        types = ["removed", "restored", "removed", "created"]
        assert types_of(open_workspace, task.id) == [f"task.{one}" for one in types]

    def test_the_removal_of_a_tree_is_undone_with_it(self, open_workspace: OpenWorkspace) -> None:
        """By its root. An undoing of a sub-task's removal brings back that one."""
        open_own = partial(open_workspace, ADA)
        for is_root in (True, False):
            root = add(open_workspace)
            below = add(open_workspace, root)
            remove_task(open_own, root.id, with_subtasks=True)
            undone = undo_last(open_workspace, root.id if is_root else below.id)
            assert undone.parent_id is None
            parents = {one.id: one.parent_id for one in all_tasks(open_workspace)}
            assert parents == ({root.id: None, below.id: root.id} if is_root else {below.id: None})
            remaining = all_tasks(open_workspace)[::-1]
            with open_own(atomic=True) as workspace:
                workspace.lock()
                workspace.tasks.remove_all(remaining)

    def test_a_change_of_list_is_undone(self, open_workspace: OpenWorkspace) -> None:
        """With the position, and the sub-tasks go along; unless the list is gone."""
        open_own = partial(open_workspace, ADA)
        lists = [add_list(open_workspace) for _ in range(2)]
        task, last = (add(open_workspace, list_id=lists[0].id) for _ in range(2))
        below = add(open_workspace, task)
        for gone in (False, True):
            moved = change_task(open_own, task.id, Edit({"list_id": lists[1].id}))
            if gone:
                change_task(open_own, last.id, Edit({"list_id": None}))
                remove_list(open_own, lists[0].id)
                with pytest.raises(UndoConflict) as caught:
                    undo_last(open_workspace, task.id)
                assert "list_id" in {one.field for one in caught.value.errors}
                assert all_tasks(open_workspace)[0] == moved
            else:
                undone = undo_last(open_workspace, task.id)
                assert (undone.list_id, undone.position) == (lists[0].id, task.position)
                found = {one.id: one.list_id for one in all_tasks(open_workspace)}
                assert found == dict.fromkeys([task.id, last.id, below.id], lists[0].id)

    @pytest.mark.parametrize("is_changed", [False, True])
    def test_the_completion_of_a_task_that_recurs_is_undone(
        self, open_workspace: OpenWorkspace, is_changed: bool
    ) -> None:
        """Its successor is gone for good; one that was changed stays, and recurs instead of it."""
        open_own = partial(open_workspace, ADA)
        with open_own() as workspace:
            task = workspace.tasks.add(DAILY)
        closed = complete_task(open_own, task.id, Completion(completed=True))
        assert closed.next_id is not None
        kept: list[Task] = []
        if is_changed:
            kept = [change_task(open_own, closed.next_id, Edit({"title": "Buy bread"}))]
        undone = undo_last(open_workspace, task.id)
        recurrence = None if is_changed else DAILY.recurrence
        assert (undone.completed, undone.next_id, undone.recurrence) == (False, None, recurrence)
        assert all_tasks(open_workspace) == [undone, *kept]
        assert trash_of(open_workspace) == []

    def test_an_undoing_that_fails_changes_nothing(self, open_workspace: OpenWorkspace) -> None:
        """It is one transaction: here with the sub-tasks that had gone to the other list."""
        open_own = partial(open_workspace, ADA)
        a_list = add_list(open_workspace)
        task = add(open_workspace)
        add(open_workspace, task)
        change_task(open_own, task.id, Edit({"list_id": a_list.id}))
        (last, *_) = changes_of(open_workspace, task.id)
        before = (all_tasks(open_workspace), end_of_log(open_workspace))
        with pytest.raises(ZeroDivisionError), open_workspace(ADA, atomic=True) as workspace:
            undo(lambda **_: nullcontext(workspace), task.id, last.sequence)
            raise ZeroDivisionError
        assert (all_tasks(open_workspace), end_of_log(open_workspace)) == before
