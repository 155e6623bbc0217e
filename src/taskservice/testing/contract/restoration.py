"""The contract of operations that delete and restore several tasks: trees, lists and series."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest

from taskservice.core.entity import Edit
from taskservice.core.lists import remove_list
from taskservice.core.task import Task
from taskservice.core.tasks import Completion, change_task, complete_task, remove_task
from taskservice.core.trash import restore_task
from taskservice.core.workspace import OpenWorkspace
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.placement import add, add_list, all_tasks
from taskservice.testing.contract.series import DAILY
from taskservice.testing.contract.trash import trash_of
from taskservice.testing.owners import ADA


def add_tree(open_workspace: OpenWorkspace, list_id: UUID | None = None) -> list[Task]:
    """Add a task with two sub-tasks, of which the first has one."""
    root = add(open_workspace, list_id=list_id)
    first, second = (add(open_workspace, root) for _ in range(2))
    return [root, first, second, add(open_workspace, first)]


def places(tasks: Sequence[Task]) -> list[tuple[UUID, UUID | None, UUID | None, str]]:
    """Return the id, the list, the parent and the position of each task."""
    return [(one.id, one.list_id, one.parent_id, one.position) for one in tasks]


def with_roots(open_workspace: OpenWorkspace) -> dict[UUID, UUID | None]:
    """Return the ids of the tasks in the trash, each with that of the root of its tree."""
    return {one.id: one.trashed_with for one in trash_of(open_workspace)}


class Restoration(ContractBase):
    """The contract of operations that delete and restore several tasks."""

    def test_a_tree_is_trashed_and_restored_together(self, open_workspace: OpenWorkspace) -> None:
        """Its root brings it back, each task where it was. Another one in the trash stays there."""
        open_own = partial(open_workspace, ADA)
        a_list = add_list(open_workspace)
        alone = add(open_workspace, list_id=a_list.id)
        tree = add_tree(open_workspace, a_list.id)
        remove_task(open_own, alone.id)
        remove_task(open_own, tree[0].id, with_subtasks=True)
        assert with_roots(open_workspace) == {alone.id: None} | {one.id: tree[0].id for one in tree}
        restored = restore_task(open_own, tree[0].id)
        after = all_tasks(open_workspace)
        assert (after[0], places(after)) == (restored, places(tree))
        assert {one.version for one in after} == {2}
        assert with_roots(open_workspace) == {alone.id: None}

    def test_a_root_is_restored_without_what_was_restored_before(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """That stays where it came back, and what was below it is below it again."""
        open_own = partial(open_workspace, ADA)
        root, first, second, lowest = add_tree(open_workspace)
        remove_task(open_own, root.id, with_subtasks=True)
        alone = restore_task(open_own, first.id)
        assert (alone.parent_id, alone.list_id) == (None, None)
        restore_task(open_own, root.id)
        after = {one.id: one for one in all_tasks(open_workspace)}
        assert after[first.id] == alone
        assert {one.id: one.parent_id for one in after.values()} == {
            root.id: None,
            first.id: None,
            second.id: root.id,
            lowest.id: first.id,
        }
        assert with_roots(open_workspace) == {}

    @pytest.mark.parametrize("is_trashed", [False, True])
    def test_what_was_below_another_task_is_restored_without_it(
        self, open_workspace: OpenWorkspace, is_trashed: bool
    ) -> None:
        """That was purged or is in the trash: it is the last one of its own list."""
        open_own = partial(open_workspace, ADA)
        a_list = add_list(open_workspace)
        parent = add(open_workspace, list_id=a_list.id)
        below = add(open_workspace, parent)
        last = add(open_workspace, list_id=a_list.id)
        remove_task(open_own, below.id)
        with open_own() as workspace:
            (workspace.tasks.trash if is_trashed else workspace.tasks.remove)(parent.id)
        restored = restore_task(open_own, below.id)
        assert (restored.list_id, restored.parent_id) == (a_list.id, None)
        assert restored.position > last.position
        assert all_tasks(open_workspace) == [restored, last]

    def test_what_was_in_a_list_that_is_gone_is_restored_in_the_inbox(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """Behind all others. The tree of a root is together, in its order."""
        open_own = partial(open_workspace, ADA)
        a_list = add_list(open_workspace)
        root, first, second, lowest = add_tree(open_workspace, a_list.id)
        last = add(open_workspace)
        remove_task(open_own, root.id, with_subtasks=True)
        remove_list(open_own, a_list.id)
        restored = restore_task(open_own, root.id)
        assert (restored.list_id, restored.parent_id) == (None, None)
        assert restored.position > last.position
        *tree, found = all_tasks(open_workspace)
        assert found == last
        assert places(tree[1:]) == [
            (one.id, None, one.parent_id, one.position) for one in (first, second, lowest)
        ]

    def test_a_list_is_deleted_with_its_tasks(self, open_workspace: OpenWorkspace) -> None:
        """They are in the trash, those of each tree together; the list is gone for good."""
        open_own = partial(open_workspace, ADA)
        a_list = add_list(open_workspace)
        tree = add_tree(open_workspace, a_list.id)
        alone = add(open_workspace, list_id=a_list.id)
        elsewhere = add(open_workspace)
        remove_list(open_own, a_list.id, tasks="delete")
        assert all_tasks(open_workspace) == [elsewhere]
        assert with_roots(open_workspace) == {alone.id: None} | {one.id: tree[0].id for one in tree}
        with open_own() as workspace:
            types = [one.change.type for one in workspace.changes.of_entity(a_list.id, None, 9)]
        assert types == ["list.removed", "list.created"]

    def test_of_a_series_one_task_recurs_after_a_restoration(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """It is completed, its successor is deleted, it is reopened, the successor is restored."""
        open_own = partial(open_workspace, ADA)
        with open_own() as workspace:
            task = workspace.tasks.add(DAILY)
        closed = complete_task(open_own, task.id, Completion(completed=True))
        assert closed.next_id is not None
        remove_task(open_own, closed.next_id)
        reopened = complete_task(open_own, task.id, Completion(completed=False))
        restored = restore_task(open_own, closed.next_id)
        assert (reopened.recurrence, restored.recurrence) == (DAILY.recurrence, None)
        assert (restored.series_id, restored.occurrence) == (task.series_id, None)
        assert all_tasks(open_workspace) == [reopened, restored]

    def test_a_successor_that_is_restored_alone_recurs(self, open_workspace: OpenWorkspace) -> None:
        """As no other open task of its series does."""
        open_own = partial(open_workspace, ADA)
        with open_own() as workspace:
            task = workspace.tasks.add(DAILY)
        closed = complete_task(open_own, task.id, Completion(completed=True))
        assert closed.next_id is not None
        successor = change_task(open_own, closed.next_id, Edit({"title": "Buy bread"}))
        remove_task(open_own, successor.id)
        restored = restore_task(open_own, successor.id)
        assert vars(restored) == vars(successor) | {"version": 3, "updated_at": restored.updated_at}
