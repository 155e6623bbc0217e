"""Moves: puts an entity elsewhere in the manual order of its siblings; see `core.ordering`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from taskservice.core.errors import EntityNotFound, FieldError, InvalidEntity
from taskservice.core.ordering import (
    MAX_KEY_LENGTH,
    Ordered,
    key_above,
    key_at_end,
    key_between,
    keys_between,
)
from taskservice.core.preconditions import Precondition, with_precondition
from taskservice.core.query import PAGE_LIMIT, Query, Sort
from taskservice.core.workspace import OpenOwnWorkspace, Repository, all_pages, get_checked

OrderedT = TypeVar("OrderedT", bound=Ordered)
"""A type of ordered entities."""

PLACES = ("first", "last")
"""The places of a `Move` that are beside no sibling."""

_CROWDED_LENGTH = 64
"""Longer keys are spread together with those of their neighbors."""


class Move(NamedTuple):
    """Where to move: behind or before a sibling, or to one of `PLACES`. One of them is set."""

    after: UUID | None = None
    before: UUID | None = None
    place: str | None = None


class Gap(NamedTuple, Generic[OrderedT]):
    """The two siblings between which there is to be another; None at the start or the end."""

    low: OrderedT | None
    high: OrderedT | None


def at(positions: Mapping[UUID, str], entity: OrderedT, now: datetime, **edits: Any) -> OrderedT:
    """Return an entity at its position among `positions` by id, with some of its fields set."""
    return entity.placed(now, positions[entity.id], **edits)


def at_end(last: Ordered | None, entity: OrderedT, now: datetime, **edits: Any) -> OrderedT:
    """Return an entity behind the `last` one, with some of its fields set."""
    return entity.placed(now, key_at_end(last.position if last else "", now), **edits)


@dataclass(frozen=True)
class Siblings(Generic[OrderedT]):
    """The entities of a repository that a query admits: those that are ordered together.

    The workspace must be locked while their order changes.
    """

    repository: Repository[OrderedT, Any]
    query: Query[OrderedT]

    def move(
        self, entity: OrderedT, move: Move, precondition: Precondition[OrderedT] | None = None
    ) -> OrderedT:
        """Move one of them and return it, unchanged if it stands there already.

        Raises `InvalidEntity` if the entity to stand beside is not among them.
        """
        gap = self._gap(entity, move)
        if entity.id in {one.id for one in gap if one}:
            return entity
        if gap.high is None:
            step = partial(at_end, self._with_room_behind(gap.low, leaving=entity))
        else:
            (key,) = self.keys_in(gap, 1, leaving=entity)
            step = partial(at, {entity.id: key})
        return self.repository.change(entity.id, with_precondition(precondition, step))

    def all(self) -> Sequence[OrderedT]:
        """Return all of them, in their order."""
        return list(self._following(None, descending=False, limit=PAGE_LIMIT))

    def last(self) -> OrderedT | None:
        """Return the last one, with room behind it."""
        return self._with_room_behind(self._end(descending=True))

    def positions_at_end(self, entities: Sequence[OrderedT]) -> dict[UUID, str]:
        """Return positions by id behind all of them for others, which stay in their order."""
        last = self.last()
        if last is None or last.position < entities[0].position:
            return {one.id: one.position for one in entities}
        keys = self.keys_in(Gap(last, None), len(entities))
        return dict(zip((one.id for one in entities), keys, strict=True))

    def next_to(self, entity: OrderedT, *, descending: bool = False) -> OrderedT | None:
        """Return the one behind an entity, or if `descending` the one before it."""
        return next(self._following(entity, descending=descending), None)

    def keys_in(
        self, gap: Gap[OrderedT], count: int, *, leaving: OrderedT | None = None
    ) -> Sequence[str]:
        """Return keys in a gap, in order. Crowded neighbors are spread, but not the one `leaving`.

        One end of the gap may be None.
        """
        low, high = _ends(gap)
        if low < high:
            keys = keys_between(low, high, count)
            if max(map(len, keys), default=0) <= MAX_KEY_LENGTH:
                return keys
        return self._spread(gap, count, leaving)

    def key_behind(self, entity: OrderedT) -> str:
        """Return a key directly behind an entity, with room for many more behind it."""
        gap = Gap(entity, self.next_to(entity))
        low, high = _ends(gap)
        if low < high and len(key := key_between(low, high, is_next=True)) <= MAX_KEY_LENGTH:
            return key
        return self._spread(gap, 1, None)[0]

    def _gap(self, entity: OrderedT, move: Move) -> Gap[OrderedT]:
        if move.after is not None:
            low = self._neighbor(entity, "after", move.after)
            return Gap(low, self.next_to(low))
        if move.before is not None:
            high = self._neighbor(entity, "before", move.before)
            return Gap(self.next_to(high, descending=True), high)
        if move.place == "first":
            return Gap(None, self._end(descending=False))
        return Gap(self._end(descending=True), None)

    def _neighbor(self, entity: OrderedT, member: str, neighbor_id: UUID) -> OrderedT:
        try:
            neighbor = self.repository.get(neighbor_id)
        except EntityNotFound:
            neighbor = entity
        if neighbor.id == entity.id or not self.query.admits(neighbor):
            raise InvalidEntity([FieldError(member, f"is not beside this {entity.type_name}")])
        return neighbor

    def _spread(self, gap: Gap[OrderedT], count: int, leaving: OrderedT | None) -> Sequence[str]:
        """Give new keys to the crowded neighbors of a gap, and return keys for it."""
        edges = [one.position for one in gap if one]
        tied = edges[0] if edges[0] == edges[-1] else ""
        below, low = self._run(gap.low, tied, leaving, descending=True)
        above, high = self._run(gap.high, tied, leaving, descending=False)
        run = [*reversed(below), *above]
        high = high or key_above(run[-1].position if run else edges[-1])
        keys = keys_between(low, high, count + len(run))
        first, last = len(below), len(below) + count
        positions = dict(zip((one.id for one in run), [*keys[:first], *keys[last:]], strict=True))
        self.repository.change_all(run, partial(at, positions))
        return keys[first:last]

    def _run(
        self, edge: OrderedT | None, tied: str, leaving: OrderedT | None, *, descending: bool
    ) -> tuple[list[OrderedT], str]:
        """Return the crowded siblings from an edge of a gap on, and the key of the next one.

        Crowded are those with long keys, and with the key that both edges have, if they do.
        """
        run: list[OrderedT] = []
        if edge is not None:
            following = self._following(edge, descending=descending, limit=PAGE_LIMIT)
            for one in chain([edge], following):
                if len(one.position) <= _CROWDED_LENGTH and one.position != tied:
                    return run, one.position
                run += [one] if leaving is None or one.id != leaving.id else []
        return run, ""

    def _with_room_behind(
        self, last: OrderedT | None, *, leaving: OrderedT | None = None
    ) -> OrderedT | None:
        """Return the last one, after its run was spread if its key is long."""
        if last is None or len(last.position) <= _CROWDED_LENGTH:
            return last
        self._spread(Gap(last, None), 0, leaving)
        return self._end(descending=True)

    def _end(self, *, descending: bool) -> OrderedT | None:
        return next(self._following(None, descending=descending), None)

    def _following(
        self, entity: OrderedT | None, *, descending: bool, limit: int = 1
    ) -> Iterator[OrderedT]:
        sort = Sort(field="position", descending=descending)
        after = None if entity is None else sort.position(entity)
        query = replace(self.query, sort=sort, after=after, limit=limit)
        return all_pages(self.repository, query)


def _ends(gap: Gap[Any]) -> tuple[str, str]:
    """Return the keys that a gap is between."""
    low = gap.low.position if gap.low else ""
    return low, gap.high.position if gap.high else key_above(low)


def move(
    open_workspace: OpenOwnWorkspace,
    entity_type: type[OrderedT],
    entity_id: UUID,
    to: Move,
    precondition: Precondition[OrderedT] | None,
    *,
    siblings_of: Callable[[OrderedT], Query[OrderedT]],
) -> OrderedT:
    """Move an entity among its siblings, those that `siblings_of` queries; one transaction.

    Raises its `EntityNotFound`, what the precondition raises, and then `InvalidEntity`.
    """
    with open_workspace(atomic=True) as workspace:
        workspace.lock()
        repository: Repository[OrderedT, Any] = workspace.repository(entity_type)
        entity = get_checked(repository, entity_id, precondition)
        return Siblings(repository, siblings_of(entity)).move(entity, to, precondition)
