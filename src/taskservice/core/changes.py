"""The change log: every change of an owner's entities, numbered 1, 2, 3 … in order of commit.

A number is taken in the transaction of the change itself. So there are no gaps, no number
for what changed nothing, and none that a reader could see late.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from taskservice.core.entity import Entity
from taskservice.core.errors import SyncExpired
from taskservice.core.fields import fields_of
from taskservice.core.ids import NewId

BOOKKEEPING = {"updated_at", "version"}
"""Fields that each change sets. The log has their values as those of the change itself."""

CLOCK_TOLERANCE = timedelta(days=1)
"""How far the clock of a server may be ahead of the one that prunes the log."""

MIN_OLD_CHANGES = 2
"""With fewer old changes nothing is pruned."""

_MARK = 2**64 - 1


class Origin(NamedTuple):
    """What made a change: the client that acted for the owner, and its request. None: unknown."""

    client: str | None = None
    request_id: str | None = None


UNKNOWN_ORIGIN = Origin()
"""The origin of changes of which neither is known."""

IMPORT = Origin(client="import")
"""The origin of the changes of an import."""

RETENTION = Origin(client="retention")
"""The origin of the purges of tasks that have been in the trash for long."""


class Position(NamedTuple):
    """A place in the log: the number of a change, and the last 8 bytes of its id, the mark.

    The mark tells the change from another one with the same number, as a database has that
    was restored from a backup. It is 0 where the log begins behind this number.
    """

    sequence: int
    mark: int

    @classmethod
    def of(cls, sequence: int, change_id: UUID | None) -> "Position":
        """Return the position of a change, or of where the log begins without an id."""
        return cls(sequence, change_id.int & _MARK if change_id else 0)


class Change(NamedTuple):
    """One change of one entity, as the log has it with its number.

    The `type` is the name of the entity's type and what happened, such as `task.created`.
    `version` is that after the change, and `at` its time: the entity's `updated_at`, but for an
    import or a removal. `previous` has the fields that changed as JSON values, as they were. It
    is None for a creation, an import or a removal, and for what was purged.
    """

    id: UUID
    type: str
    kind: str
    entity_id: UUID
    version: int
    at: datetime
    previous: Mapping[str, object] | None
    origin: Origin


class DescribeChange(NamedTuple):
    """Describes changes from one origin. Each gets a new id, before it is sent to the storage."""

    new_id: NewId
    origin: Origin

    def creation(self, entity: Entity, now: datetime) -> Change:
        """Return the creation of an entity, or its import."""
        return self._change("created", entity, now)

    def edit(self, before: Entity, after: Entity) -> Change:
        """Return the change from one state to another."""
        previous = previous_values(before, after)
        return self._change(after.change_name(previous.keys()), after, after.updated_at, previous)

    def removal(self, entity: Entity, now: datetime) -> Change:
        """Return the removal of an entity."""
        return self._change("removed", entity, max(now, entity.changed_at))

    def restoration(self, before: Entity, after: Entity) -> Change:
        """Return the restoration of a removed entity, which may have changed with that."""
        return self._change("restored", after, after.updated_at, previous_values(before, after))

    def _change(
        self,
        name: str,
        entity: Entity,
        at: datetime,
        previous: Mapping[str, object] | None = None,
    ) -> Change:
        change_type = entity.change_type(name)
        return Change(
            id=self.new_id(at),
            type=change_type,
            kind=kind_of(change_type),
            entity_id=entity.id,
            version=entity.version,
            at=at,
            previous=previous,
            origin=self.origin,
        )


def kind_of(change_type: str) -> str:
    """Return the kind of entity that a type of changes is about."""
    return change_type.partition(".")[0]


def previous_values(before: Entity, after: Entity) -> dict[str, object]:
    """Return the fields that differ as JSON values, as they were."""
    fields, values = fields_of(type(after)), vars(after)
    return {
        name: fields[name].to_json(value)
        for name, value in vars(before).items()
        if values[name] != value and name not in BOOKKEEPING
    }


def first_kept(times: Mapping[int, datetime], oldest: datetime, now: datetime) -> int:
    """Return the number of the first change to keep, of `times` by number; the rest is pruned.

    It is the one right before the first that is between `oldest` and `now`, as the position
    of clients that have seen no later one. A wrong clock removes no more than a right one:
    changes stamped far in the future, or long ago, do not count. If only one change is old, it
    is such a position, and stays.
    """
    if sum(at < oldest for at in times.values()) < MIN_OLD_CHANGES:
        return min(times, default=0)
    latest = now + CLOCK_TOLERANCE
    recent = [number for number, at in times.items() if oldest <= at <= latest]
    return min(recent, default=max(times, default=0) + 1) - 1


class LogState(NamedTuple):
    """The state of a log: the numbers of its oldest and newest changes, if it has any.

    `head` is the number that was used last.
    """

    head: int
    oldest: int | None
    newest: Position | None

    @property
    def end(self) -> Position:
        """The position of the newest change."""
        return self.newest or Position(self.head, 0)

    def require(self, position: Position, found: UUID | None) -> None:
        """Raise `SyncExpired` unless the log knows a position; `found` is the id at its number."""
        if position.mark:
            is_known = Position.of(position.sequence, found) == position
        else:
            is_known = position.sequence + 1 == (self.oldest or self.head + 1)
        if not is_known:
            raise SyncExpired


class LogEntry(NamedTuple):
    """A change in the log: its position, and its entity as it is now, None if it is gone."""

    position: Position
    kind: str
    entity_id: UUID
    entity: Entity | None


class NumberedChange(NamedTuple):
    """A change with its number."""

    sequence: int
    change: Change


class LogPage(NamedTuple):
    """Changes in order, and the position of the newest one in the same snapshot."""

    entries: Sequence[LogEntry]
    end: Position


class EntityPage(NamedTuple):
    """Entities of one type in order of their ids, and the position of the newest change."""

    entities: Sequence[Any]
    end: Position


class ChangeLog(Protocol):
    """One owner's change log. Each method reads one snapshot. Raises `Unavailable`."""

    def since(self, position: Position, seen: Position, limit: int) -> LogPage:
        """Return the next changes behind a position, up to `limit`.

        Raises `SyncExpired` unless the log has both positions.
        """
        ...

    def entities(
        self, entity_type: type[Entity], after: UUID, seen: Position | None, limit: int
    ) -> EntityPage:
        """Return the next entities of a type behind an id, up to `limit`.

        Raises `SyncExpired` unless the log has the position `seen`, if there is one.
        """
        ...

    def of_entity(
        self, entity_id: UUID, before: int | None, limit: int
    ) -> Sequence[NumberedChange]:
        """Return the changes of an entity before a number, the newest first, up to `limit`."""
        ...
