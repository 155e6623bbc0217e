"""The contract of operations on many tasks, in steps: a label is renamed, a list is deleted."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from taskservice.core.errors import InvalidOption, ListNotFound
from taskservice.core.label_rename import LabelRename, RenamedLabel, rename_label
from taskservice.core.lists import Removed, remove_list
from taskservice.core.moves import Move
from taskservice.core.query import Sort
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.tasks import move_task
from taskservice.core.workspace import OpenWorkspace, all_pages
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.numbering import numbered
from taskservice.testing.contract.placement import add, add_list, all_tasks
from taskservice.testing.contract.queries import remove_all
from taskservice.testing.contract.restoration import add_tree, with_roots
from taskservice.testing.contract.strategies import FOR_EVERY_ADAPTER
from taskservice.testing.contract.sync_client import end_of_log, everything
from taskservice.testing.contract.trash import trash, trash_of
from taskservice.testing.owners import ADA, BOB
from taskservice.testing.tasks import tasks_of

STEP = 5
"""The most tasks that one step changes."""

SPELLINGS = ("home", "Home", "HOME", "house", "House", "Straße", "STRASSE", "strasse", "a%")
"""Labels, some of which are the same one."""

label_sets = st.lists(st.sampled_from(SPELLINGS), unique_by=str.casefold, max_size=4)


def renamed_labels(labels: tuple[str, ...], rename: LabelRename) -> tuple[str, ...]:
    """Return what the labels of a task are after a renaming."""
    same = {rename.label.casefold(), rename.new.casefold()}
    others = {one for one in labels if one.casefold() not in same}
    return tuple(sorted(others | {rename.new})) if len(others) < len(labels) else labels


def tasks_in(open_workspace: OpenWorkspace, list_id: UUID | None) -> list[Task]:
    """Return the tasks of a list that are below none, in their order."""
    by_position = Sort(field="position", descending=False)
    query = TaskQuery(list_id=(list_id,), parent_id=(None,), sort=by_position, limit=2)
    with open_workspace(ADA) as workspace:
        return [*all_pages(workspace.tasks, query)]


class BulkOperations(ContractBase):
    """The contract of operations on many tasks."""

    @settings(FOR_EVERY_ADAPTER, max_examples=25)
    @example([["home", "House"], ["HOME", "a%"]], LabelRename("HoMe", "house"), None)
    @example([["home"], ["Home"], ["HOME"]], LabelRename("home", "Home"), 1)
    @example([["strasse"], ["STRASSE", "a%"], ["Straße"]], LabelRename("Straße", "a%"), 2)
    @given(
        st.lists(label_sets, min_size=1, max_size=5),
        st.builds(LabelRename, st.sampled_from(SPELLINGS), st.sampled_from(SPELLINGS)),
        st.none() | st.integers(1, 3),
    )
    def test_a_label_is_renamed_on_all_tasks(
        self,
        open_workspace: OpenWorkspace,
        labels: list[list[str]],
        rename: LabelRename,
        limit: int | None,
    ) -> None:
        """Whatever its case, once on each task, up to a limit; what has the new name stays."""
        remove_all(tasks_of(open_workspace))
        open_own = partial(open_workspace, ADA)
        with open_own() as workspace:
            for number, one in enumerate(labels):
                new = NewTask(title="Buy milk", labels=tuple(one), completed=number % 2 == 1)
                workspace.tasks.add(new)
        before, start = all_tasks(open_workspace), end_of_log(open_workspace)
        expected = [renamed_labels(one.labels, rename) for one in before]
        to_change = sum(one.labels != after for one, after in zip(before, expected, strict=True))
        for done in range(0, to_change + 1, limit or len(labels) + 1):
            left = to_change - done
            result = rename_label(open_own, replace(rename, limit=limit))
            assert result.more is (limit is not None and left > limit)
            assert len(numbered(open_workspace, start)) == min(to_change, done + (limit or left))
        after = all_tasks(open_workspace)
        assert [one.labels for one in after] == expected
        assert [one.version for one in after] == [
            1 + (one.labels != labels) for one, labels in zip(before, expected, strict=True)
        ]
        found = [one for one in after if rename.new in one.labels]
        opened = sum(not one.completed for one in found)
        end = end_of_log(open_workspace)
        assert rename_label(open_own, rename) == RenamedLabel(rename.new, opened, len(found), False)
        assert end_of_log(open_workspace) == end

    def test_only_the_owners_tasks_have_another_label(self, open_workspace: OpenWorkspace) -> None:
        """Not those of another owner, nor those in the trash."""
        labels = NewTask(title="Buy milk", labels=("home",))
        for owner in (ADA, BOB):
            with open_workspace(owner) as workspace:
                task = workspace.tasks.add(labels)
                if owner == ADA:
                    workspace.tasks.trash(task.id)
        trashed, foreign = trash_of(open_workspace), everything(open_workspace, BOB)
        renamed = rename_label(partial(open_workspace, ADA), LabelRename("home", "house"))
        assert renamed == RenamedLabel("house", 0, 0, more=False)
        assert (trash_of(open_workspace), everything(open_workspace, BOB)) == (trashed, foreign)

    @pytest.mark.parametrize("tasks", ["inbox", "delete"])
    def test_a_list_is_deleted_in_steps_of_whole_trees(
        self, open_workspace: OpenWorkspace, tasks: str
    ) -> None:
        """In its order, up to a limit. The list goes with the last of them."""
        open_own, a_list = partial(open_workspace, ADA), add_list(open_workspace)
        in_inbox = [add(open_workspace)]
        trees = [
            add_tree(open_workspace, a_list.id),
            [add(open_workspace, list_id=a_list.id)],
            [add(open_workspace, list_id=a_list.id)],
            add_tree(open_workspace, a_list.id),
            [add(open_workspace, list_id=a_list.id)],
        ]
        move_task(open_own, trees[-1][0].id, Move(place="first"))
        trees = [trees[-1], *trees[:-1]]
        steps = [trees[:2], trees[2:4], trees[4:]]
        roots, start = [tree[0] for tree in trees], end_of_log(open_workspace)
        for step in steps:
            ids = {task.id for tree in step for task in tree}
            is_last = step is steps[-1]
            assert [one.id for one in tasks_in(open_workspace, a_list.id)] == [
                one.id for one in roots
            ]
            removed = remove_list(open_own, a_list.id, tasks=tasks, limit=STEP)
            assert removed == Removed(len(ids), more=not is_last)
            found = numbered(open_workspace, start)
            assert {one for _, _, one in found} == ids | ({a_list.id} if is_last else set())
            assert [number for number, _, _ in found] == [*range(1, len(ids) + 1 + is_last)]
            start, roots = end_of_log(open_workspace), roots[len(step) :]
        with open_own() as workspace, pytest.raises(ListNotFound):
            workspace.lists.get(a_list.id)
        stored = {task.id: task for task in all_tasks(open_workspace)}
        if tasks == "inbox":
            in_inbox += [tree[0] for tree in trees]
            assert {one.id: one.parent_id for one in stored.values()} == {
                one.id: one.parent_id for one in [in_inbox[0], *(t for tree in trees for t in tree)]
            }
        else:
            assert with_roots(open_workspace) == {
                task.id: tree[0].id if len(tree) > 1 else None for tree in trees for task in tree
            }
        assert [one.id for one in tasks_in(open_workspace, None)] == [one.id for one in in_inbox]
        assert {one.list_id for one in stored.values()} == {None}
        positions = [one.position for one in tasks_in(open_workspace, None)]
        assert all(low < high for low, high in pairwise(positions))

    def test_a_tree_that_is_larger_than_a_step_does_not_move_in_parts(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The error is that of the limit. What stands around the tree is moved before."""
        open_own, a_list = partial(open_workspace, ADA), add_list(open_workspace)
        tree = add_tree(open_workspace, a_list.id)
        last = add(open_workspace, list_id=a_list.id)
        assert remove_list(open_own, a_list.id, tasks="inbox", limit=3) == Removed(1, more=True)
        start, stored = end_of_log(open_workspace), everything(open_workspace)
        with pytest.raises(InvalidOption) as caught:
            remove_list(open_own, a_list.id, tasks="inbox", limit=3)
        assert [one.field for one in caught.value.errors] == ["limit"]
        assert (end_of_log(open_workspace), everything(open_workspace)) == (start, stored)
        assert remove_list(open_own, a_list.id, tasks="inbox", limit=4) == Removed(4, more=False)
        assert {one.id for one in all_tasks(open_workspace)} == {last.id, *(one.id for one in tree)}

    def test_a_tree_that_is_larger_than_a_step_is_deleted_from_below(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Those at the bottom are first, so that no other task is promoted."""
        open_own, a_list = partial(open_workspace, ADA), add_list(open_workspace)
        tree = add_tree(open_workspace, a_list.id)
        gone = trash(open_workspace, add(open_workspace, tree[0]))
        for expected in (Removed(2, more=True), Removed(2, more=False)):
            assert remove_list(open_own, a_list.id, tasks="delete", limit=2) == expected
        assert with_roots(open_workspace).keys() == {gone.id, *(one.id for one in tree)}
        parents = {one.id: one.parent_id for one in trash_of(open_workspace)}
        assert {one.id: one.parent_id for one in tree}.items() <= parents.items()
