"""Delta sync: what has changed since a client last asked, page by page.

A first sync lists all entities, then goes on with the changes since it began. The log is
read by number, and an entity is shown as it is now: a client that applies each page by id
agrees with the service in the end.
"""

import itertools
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from taskservice.core.changes import ChangeLog, LogEntry, Position
from taskservice.core.entity import Entity
from taskservice.core.workspace import ENTITY_TYPES, entity_type

FIRST = UUID(int=0)
"""An id before all others."""


class SyncState(NamedTuple):
    """How far a client has come.

    It has been shown the changes up to `position`. What it holds may be as late as `seen`,
    since a page shows entities as they are now. While a first sync lists entities, `listing` is
    their type and `after` the id of the last one.
    """

    position: Position
    seen: Position
    listing: type[Entity] | None = None
    after: UUID = FIRST


class Entry(NamedTuple):
    """An entity of a client's copy: as it is now, None if it is gone."""

    kind: str
    id: UUID
    entity: Entity | None


class SyncPage(NamedTuple):
    """What a client applies to its copy. A page that is `full` belongs to a new copy."""

    entries: Sequence[Entry]
    next: SyncState
    more: bool
    full: bool


def sync(log: ChangeLog, state: SyncState | None, limit: int) -> SyncPage:
    """Return the page behind a state, or the first one. `limit` counts changes, or entities.

    Raises `SyncExpired` if it is no longer known what has changed since then.
    """
    if state is None or state.listing is not None:
        return _list(log, state, limit)
    entries, end = log.since(state.position, state.seen, limit)
    position = entries[-1].position if entries else state.position
    more = position != end
    return SyncPage(_latest(entries), SyncState(position, end if more else position), more, False)


def _list(log: ChangeLog, state: SyncState | None, limit: int) -> SyncPage:
    """Return a page of a first sync. It ends where the changes since its beginning begin."""
    listing = state.listing if state and state.listing else ENTITY_TYPES[0]
    after = state.after if state else FIRST
    found, end = log.entities(listing, after, state and state.seen, limit + 1)
    position = state.position if state else end
    entries = [Entry(one.type_name, one.id, one) for one in found[:limit]]
    if len(found) > limit:
        following = SyncState(position, end, listing, entries[-1].id)
    else:
        following = SyncState(position, end, _behind(listing))
    return SyncPage(entries, following, more=True, full=True)


def _behind(listing: type[Entity]) -> type[Entity] | None:
    """Return the type that is listed behind another one."""
    return dict(itertools.pairwise(ENTITY_TYPES)).get(listing)


def _latest(entries: Sequence[LogEntry]) -> list[Entry]:
    """Return each entity once, in the order of its last change; not those of a later version."""
    latest = {(one.kind, one.entity_id): one for one in entries if entity_type(one.kind)}
    ordered = sorted(latest.values(), key=lambda one: one.position)
    return [Entry(one.kind, one.entity_id, one.entity) for one in ordered]
