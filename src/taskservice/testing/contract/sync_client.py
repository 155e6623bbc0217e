"""A client of delta sync, and what it must agree with in the end."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from taskservice.core.changes import LogEntry, Position
from taskservice.core.entity import Entity
from taskservice.core.errors import SyncExpired
from taskservice.core.owner_data import iterate
from taskservice.core.sync import FIRST, SyncPage, SyncState, sync
from taskservice.core.task import Task
from taskservice.core.workspace import ENTITY_TYPES, OpenWorkspace
from taskservice.testing.owners import ADA

MAX_PAGES = 2000
"""The most pages of one sync. A sync with more does not end."""


def everything(open_workspace: OpenWorkspace, owner: str = ADA) -> dict[UUID, Entity]:
    """Return all entities of an owner by id."""
    with open_workspace(owner) as workspace:
        stored = [one for kind in ENTITY_TYPES for one in iterate(workspace.repository(kind))]
    return {one.id: one for one in stored}


def end_of_log(open_workspace: OpenWorkspace, owner: str = ADA) -> Position:
    """Return the position of the newest change."""
    with open_workspace(owner) as workspace:
        return workspace.changes.entities(Task, FIRST, None, 1).end


def entries_since(
    open_workspace: OpenWorkspace, position: Position, limit: int = 1000, owner: str = ADA
) -> list[LogEntry]:
    """Return the changes behind a position."""
    with open_workspace(owner) as workspace:
        return [*workspace.changes.since(position, position, limit).entries]


class SyncClient:
    """Keeps a copy of an owner's data as a client of the API does. Its token is the `state`."""

    def __init__(self, open_workspace: OpenWorkspace, owner: str = ADA) -> None:
        self._open_workspace = open_workspace
        self._owner = owner
        self.copy: dict[UUID, Entity] = {}
        self.state: SyncState | None = None

    def pull(self, limit: int) -> SyncPage:
        """Apply the next page and return it. After `SyncExpired` a first sync begins."""
        state, self.state = self.state, None
        with self._open_workspace(self._owner) as workspace:
            page = sync(workspace.changes, state, limit)
        if state is None:
            self.copy.clear()
        for entry in page.entries:
            if entry.entity is None:
                self.copy.pop(entry.id, None)
            else:
                self.copy[entry.id] = entry.entity
        self.state = page.next
        return page

    def follow(
        self, limit: int = 100, between_pages: Callable[[], object] = lambda: None
    ) -> list[SyncPage]:
        """Apply pages until there is no more, and return them."""
        pages: list[SyncPage] = []
        while not pages or pages[-1].more:
            if pages:
                between_pages()
            assert len(pages) < MAX_PAGES, "the sync does not end"
            pages.append(self.pull(limit))
        return pages

    def is_expired(self) -> bool:
        """Ask for a page, and return whether that raises `SyncExpired`."""
        try:
            self.pull(100)
        except SyncExpired:
            return True
        return False


def following(open_workspace: OpenWorkspace, **options: Any) -> SyncClient:
    """Return a client that has everything."""
    client = SyncClient(open_workspace, **options)
    client.follow()
    return client
