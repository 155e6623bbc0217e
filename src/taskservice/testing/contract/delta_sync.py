"""The contract of delta sync: a client that follows the log has the same data in the end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Event
from typing import Any

import pytest

from taskservice.core.changes import Position
from taskservice.core.entity import Edit
from taskservice.core.errors import EntityNotFound, SyncExpired
from taskservice.core.owner_data import iterate
from taskservice.core.sync import FIRST
from taskservice.core.task import NewTask, Task
from taskservice.core.task_list import NewTaskList, TaskList
from taskservice.core.tasks import remove_task
from taskservice.core.trash import purge_task, restore_task
from taskservice.core.workspace import ENTITY_TYPES, OpenWorkspace, Repository
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.base import ContractBase
from taskservice.testing.contract.placement import SECONDS, add, add_list, at_once, new_task
from taskservice.testing.contract.sync_client import (
    SyncClient,
    end_of_log,
    entries_since,
    everything,
    following,
)
from taskservice.testing.owners import ADA, BOB

PAGE = 7
WRITES = 12


def add_some(open_workspace: OpenWorkspace, count: int) -> None:
    """Add tasks, and a list for every four."""
    with open_workspace(ADA, atomic=True) as workspace:
        for number in range(count):
            workspace.tasks.add(NewTask(title=f"{number}"))
        for number in range(count // 4):
            workspace.lists.add(NewTaskList(name=f"{number}"))


def write(open_workspace: OpenWorkspace, number: int) -> None:
    """Add, change and remove a task and a list."""
    with open_workspace(ADA) as workspace:
        workspace.lists.add(NewTaskList(name=f"new {number}"))
        _change_and_remove(workspace.lists, {"name": f"changed {number}"}, number)
        workspace.tasks.add(NewTask(title=f"new {number}"))
        _change_and_remove(workspace.tasks, {"title": f"changed {number}"}, number)


def _change_and_remove(entities: Repository[Any, Any], values: Any, number: int) -> None:
    """Change one and remove another, unless others have removed them meanwhile."""
    stored = [one.id for one in iterate(entities)]
    with suppress(EntityNotFound):
        entities.change(stored[5 * number % len(stored)], Edit(values))
        entities.remove(stored[3 * number % len(stored)])


def writes_in_turn(open_workspace: OpenWorkspace) -> Callable[[], None]:
    """Return a function that writes when it is called, the first times."""
    numbers = [*range(WRITES)]

    def write_next() -> None:
        if numbers:
            write(open_workspace, numbers.pop())

    return write_next


class DeltaSync(ContractBase):
    """The contract of delta sync."""

    def test_a_first_sync_agrees_while_others_write(self, open_workspace: OpenWorkspace) -> None:
        """In small pages: they change what was shown already, and what was not."""
        add_some(open_workspace, 60)
        client = SyncClient(open_workspace)
        pages = client.follow(PAGE, writes_in_turn(open_workspace))
        assert client.copy == everything(open_workspace)
        assert max(len(page.entries) for page in pages) == PAGE

    def test_a_first_sync_agrees_while_the_clock_goes_back(
        self, open_workspace: OpenWorkspace, clock: TickingClock
    ) -> None:
        """New entities with earlier ids than those that were shown are not skipped."""
        add_some(open_workspace, 60)
        write_next = writes_in_turn(open_workspace)

        def write_earlier() -> None:
            clock.now -= timedelta(hours=1)
            write_next()

        client = SyncClient(open_workspace)
        client.follow(PAGE, write_earlier)
        assert client.copy == everything(open_workspace)

    def test_a_client_agrees_while_others_write_at_once(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """In other threads, through its first sync and after it."""
        add_some(open_workspace, 20)
        client, are_done = SyncClient(open_workspace), Event()

        def follow() -> None:
            while not are_done.is_set():
                client.follow(3)
            client.follow(3)

        def write_some() -> None:
            for number in range(WRITES // 2):
                write(open_workspace, number)

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(follow)
            try:
                at_once([write_some] * 3)
            finally:
                are_done.set()
            reader.result(SECONDS)
        assert client.copy == everything(open_workspace)

    def test_a_first_sync_shows_lists_before_tasks(self, open_workspace: OpenWorkspace) -> None:
        """So a task is never shown before its list. Each page is full, the last one is not."""
        lists = [add_list(open_workspace) for _ in range(3)]
        tasks = [add(open_workspace, list_id=lists[0].id) for _ in range(4)]
        pages = SyncClient(open_workspace).follow(2)
        assert [[entry.entity for entry in page.entries] for page in pages] == [
            *(lists[:2], lists[2:], tasks[:2], tasks[2:], []),
        ]
        assert [(page.full, page.more) for page in pages] == [(True, True)] * 4 + [(False, False)]

    def test_a_page_goes_on_where_the_one_before_was_cut(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """No change is skipped, and the same state has the same page again."""
        client = following(open_workspace)
        tasks = [add(open_workspace) for _ in range(5)]
        state = client.state
        pages = client.follow(2)
        assert [[entry.id for entry in page.entries] for page in pages] == [
            [task.id for task in tasks[n : n + 2]] for n in (0, 2, 4)
        ]
        assert [page.more for page in pages] == [True, True, False]
        client.state = state
        assert client.follow(2) == pages

    def test_a_client_that_is_up_to_date_stays_where_it_is(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """It has no changes, no more, and the same state."""
        add_some(open_workspace, 4)
        client = following(open_workspace)
        state = client.state
        page = client.pull(1)
        assert (page.entries, page.more, page.full, page.next) == ([], False, False, state)

    def test_an_entity_is_shown_as_it_is_now(self, open_workspace: OpenWorkspace) -> None:
        """On each page that has a change of it. One that was removed is gone."""
        a_list, task = add_list(open_workspace), add(open_workspace)
        client = following(open_workspace)
        with open_workspace(ADA) as workspace:
            workspace.tasks.change(task.id, Edit({"title": "Buy bread"}))
            workspace.lists.remove(a_list.id)
            changed = workspace.tasks.change(task.id, Task.complete)
        first, second, third = client.follow(1)
        assert [(one.kind, one.id, one.entity) for one in first.entries] == [
            ("task", task.id, changed)
        ]
        assert [(one.kind, one.id, one.entity) for one in second.entries] == [
            ("list", a_list.id, None)
        ]
        assert third.entries == first.entries

    def test_a_task_that_was_removed_and_restored_is_one_entry(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """The task, as it is now. One that is in the trash is gone, and so is one purged there."""
        open_own = partial(open_workspace, ADA)
        tasks = [add(open_workspace) for _ in range(3)]
        client = following(open_workspace)
        for task in tasks:
            remove_task(open_own, task.id)
        restored = restore_task(open_own, tasks[0].id)
        purge_task(open_own, tasks[1].id)
        (page,) = client.follow()
        assert {one.id: (one.kind, one.entity) for one in page.entries} == {
            task.id: ("task", entity)
            for task, entity in zip(tasks, [restored, None, None], strict=True)
        }
        assert len(page.entries) == len(tasks)
        assert client.copy == everything(open_workspace) == {restored.id: restored}

    def test_the_changes_behind_a_position_are_read_up_to_a_limit(
        self, open_workspace: OpenWorkspace
    ) -> None:
        """With the position of the newest change, wherever the page ends."""
        start = end_of_log(open_workspace)
        for _ in range(3):
            add(open_workspace)
        entries = entries_since(open_workspace, start)
        with open_workspace(ADA) as workspace:
            for skipped, begun in enumerate([start, *(one.position for one in entries)]):
                page = workspace.changes.since(begun, start, 2)
                assert [*page.entries] == entries[skipped : skipped + 2]
                assert page.end == entries[-1].position

    @pytest.mark.parametrize("entity_type", ENTITY_TYPES)
    def test_entities_are_read_in_order_of_their_ids(
        self, open_workspace: OpenWorkspace, entity_type: type[Any]
    ) -> None:
        """Behind an id and up to a limit, those of one type alone."""
        lists = [add_list(open_workspace) for _ in range(3)]
        tasks = [add(open_workspace) for _ in range(3)]
        stored: list[Any] = lists if entity_type is TaskList else tasks
        end = end_of_log(open_workspace)
        with open_workspace(ADA) as workspace:
            read = workspace.changes.entities
            assert [*read(entity_type, FIRST, None, 2).entities] == stored[:2]
            assert [*read(entity_type, stored[0].id, end, 9).entities] == stored[1:]
            assert read(entity_type, stored[-1].id, end, 9) == ([], end)

    @pytest.mark.parametrize("atomic", [False, True])
    def test_a_position_that_the_log_does_not_have_has_expired(
        self, open_workspace: OpenWorkspace, atomic: bool
    ) -> None:
        """Another change with its number, none yet, or none there: also where it is the second."""
        for _ in range(3):
            add(open_workspace)
        end = end_of_log(open_workspace)
        wrong = [
            end._replace(mark=end.mark ^ 1),
            end._replace(mark=0),
            Position(end.sequence + 1, end.mark),
            Position(end.sequence + 1, 0),
            Position(end.sequence - 1, end.mark),
            Position(0, 1),
        ]
        for position in wrong:
            for asked in ((position, end), (end, position)):
                with pytest.raises(SyncExpired), open_workspace(ADA, atomic=atomic) as workspace:
                    workspace.changes.since(*asked, 10)
            with pytest.raises(SyncExpired), open_workspace(ADA, atomic=atomic) as workspace:
                workspace.changes.entities(Task, FIRST, position, 10)

    def test_another_owners_changes_are_not_seen(self, open_workspace: OpenWorkspace) -> None:
        """Nor does a position of one log stand for one of another."""
        client = following(open_workspace)
        with open_workspace(BOB) as workspace:
            theirs = workspace.tasks.add(new_task())
        assert client.pull(10).entries == []
        mine = add(open_workspace)
        assert [entry.id for entry in client.pull(10).entries] == [mine.id]
        assert [*following(open_workspace, owner=BOB).copy] == [theirs.id]
        client.state = following(open_workspace, owner=BOB).state
        assert client.is_expired()
