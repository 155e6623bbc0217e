"""A random model of delta sync: writes, trash, pages, prunings and restored backups in any order.

Whatever happens, a client that has come to the end of a sync has the owner's data.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from taskservice.core.entity import Edit
from taskservice.core.errors import EntityInUse, SyncExpired
from taskservice.core.owner_data import iterate
from taskservice.core.task import NewTask
from taskservice.core.task_list import NewTaskList
from taskservice.core.trash import purge_task, restore_task
from taskservice.core.trashed_task import TrashedTask, TrashQuery
from taskservice.core.workspace import OpenWorkspace, Repository
from taskservice.testing.clock import TickingClock
from taskservice.testing.contract.sync_client import MAX_PAGES, SyncClient, everything

T = TypeVar("T")

CLIENTS = 2
BACKUPS = 3

_places = st.integers(0, 7)
_words = st.sampled_from("abc")


class Maintenance(Protocol):
    """What an administrator does with the storage of an adapter."""

    def prune(self, oldest: datetime, now: datetime) -> object:
        """Remove the changes of all owners before `oldest`; see `core.changes.first_kept`."""
        ...

    def back_up(self) -> Callable[[], None]:
        """Back up all data; return a function that restores it, any number of times."""
        ...


class _Failed(Exception):
    """A transaction fails."""


class SyncModel(RuleBasedStateMachine):
    """One owner, who writes; two clients, who follow; an administrator, who prunes and restores."""

    def __init__(
        self,
        open_workspace: OpenWorkspace,
        owner: str,
        clock: TickingClock,
        maintenance: Maintenance,
    ) -> None:
        super().__init__()
        self._open_workspace = open_workspace
        self._owner = owner
        self._clock = clock
        self._maintenance = maintenance
        self._clients = [SyncClient(open_workspace, owner) for _ in range(CLIENTS)]
        self._backups: list[Callable[[], None]] = []

    @initialize()
    def begin(self) -> None:
        """There are some entities, and a client has them."""
        for is_list in (True, False, False):
            self.create(count=2, word="a", is_list=is_list, fails=False)
        self._follow(self._clients[0], limit=100)

    @rule(count=st.integers(1, 3), word=_words, is_list=st.booleans(), fails=st.booleans())
    def create(self, count: int, word: str, is_list: bool, fails: bool) -> None:
        """Create entities, in one transaction that fails or not."""
        with (
            suppress(_Failed),
            self._open_workspace(self._owner, atomic=count > 1 or fails) as workspace,
        ):
            for _ in range(count):
                if is_list:
                    workspace.lists.add(NewTaskList(name=word))
                else:
                    lists = [*iterate(workspace.lists)]
                    list_id = lists[-1].id if lists else None
                    workspace.tasks.add(NewTask(title=word, list_id=list_id))
            if fails:
                raise _Failed

    @rule(place=_places, word=_words, is_list=st.booleans())
    def change(self, place: int, word: str, is_list: bool) -> None:
        """Change an entity, or set the value that it has."""
        with self._open_workspace(self._owner) as workspace:
            entities: Repository[Any, Any] = workspace.lists if is_list else workspace.tasks
            for one in _chosen([*iterate(entities)], place):
                entities.change(one.id, Edit({"name" if is_list else "title": word}))

    @rule(place=_places, is_completed=st.booleans())
    def complete(self, place: int, is_completed: bool) -> None:
        """Complete or reopen a task."""
        with self._open_workspace(self._owner) as workspace:
            for task in _chosen([*iterate(workspace.tasks)], place):
                workspace.tasks.change(task.id, Edit({"completed": is_completed}))

    @rule(place=_places, is_list=st.booleans())
    def remove(self, place: int, is_list: bool) -> None:
        """Remove an entity, unless it is in use."""
        with self._open_workspace(self._owner) as workspace:
            entities: Repository[Any, Any] = workspace.lists if is_list else workspace.tasks
            for one in _chosen([*iterate(entities)], place):
                with suppress(EntityInUse):
                    entities.remove(one.id)

    @rule(place=_places)
    def trash(self, place: int) -> None:
        """Move a task to the trash."""
        with self._open_workspace(self._owner) as workspace:
            for task in _chosen([*iterate(workspace.tasks)], place):
                workspace.tasks.trash(task.id)

    @rule(place=_places)
    def restore_from_trash(self, place: int) -> None:
        """Put a task of the trash back, in its list or in the inbox."""
        for task in _chosen(self._trashed(), place):
            restore_task(partial(self._open_workspace, self._owner), task.id)

    @rule(place=_places)
    def purge(self, place: int) -> None:
        """Delete a task of the trash for good."""
        for task in _chosen(self._trashed(), place):
            purge_task(partial(self._open_workspace, self._owner), task.id)

    @rule(client=st.integers(0, CLIENTS - 1), limit=st.integers(1, 4))
    def pull(self, client: int, limit: int) -> None:
        """A client applies a page. At the end of a sync it has the owner's data."""
        self._pull(self._clients[client], limit)

    @rule(client=st.integers(0, CLIENTS - 1), limit=st.integers(1, 4))
    def follow(self, client: int, limit: int) -> None:
        """A client applies all pages that there are."""
        self._follow(self._clients[client], limit)

    @rule(days=st.sampled_from([-40, -1, 1, 10, 40]))
    def set_clock(self, days: int) -> None:
        """Time passes, or the clock goes back."""
        self._clock.now += timedelta(days=days)

    @rule(days=st.sampled_from([0, 8, 30]))
    def prune(self, days: int) -> None:
        """Prune changes older than some days."""
        self._maintenance.prune(self._clock.now - timedelta(days=days), self._clock.now)

    @rule()
    def back_up(self) -> None:
        """Back up, and keep the last backups."""
        self._backups = [*self._backups[1 - BACKUPS :], self._maintenance.back_up()]

    @precondition(lambda self: self._backups)
    @rule(place=_places)
    def restore(self, place: int) -> None:
        """Restore a backup, perhaps once more, or one from before another."""
        for restore in _chosen(self._backups, place):
            restore()

    def teardown(self) -> None:
        """Every client has the owner's data in the end."""
        for client in self._clients:
            self._follow(client, 3)

    def _trashed(self) -> Sequence[TrashedTask]:
        with self._open_workspace(self._owner) as workspace:
            return workspace.trash.list(TrashQuery()).items

    def _follow(self, client: SyncClient, limit: int) -> None:
        pages = 0
        while self._pull(client, limit):
            pages += 1
            assert pages < MAX_PAGES, "the sync does not end"

    def _pull(self, client: SyncClient, limit: int) -> bool:
        """Apply a page, and return whether there is more."""
        try:
            page = client.pull(limit)
        except SyncExpired:
            return True
        if not page.more:
            assert client.copy == everything(self._open_workspace, self._owner)
        return page.more


def _chosen(found: Sequence[T], place: int) -> Sequence[T]:
    """Return one of several, nothing if there is none."""
    return [found[place % len(found)]] if found else []
