"""Owner data: the port that imports, counts and erases everything of one owner."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from taskservice.core.entity import E, Entity, Find
from taskservice.core.errors import FieldError, TaskServiceError
from taskservice.core.query import PAGE_LIMIT, Query, Sort
from taskservice.core.workspace import Repository, all_pages

_OLDEST_FIRST = Sort(field="created_at", descending=False)


class OwnerCounts(NamedTuple):
    """The numbers of what one owner has: entities by the name of their type, records, changes."""

    entities: Mapping[str, int]
    idempotency_records: int
    changes: int

    @property
    def is_empty(self) -> bool:
        """Whether the owner has nothing."""
        return not any([*self.entities.values(), self.idempotency_records, self.changes])


class ErasureIncomplete(TaskServiceError):
    """The `removed` rows are deleted, but their bytes can still be read in the database files."""

    def __init__(self, removed: OwnerCounts, reason: str) -> None:
        super().__init__(f"the deleted data is still in the database files: {reason}")
        self.removed = removed


class Refusal(NamedTuple):
    """An entity that was not imported, and why.

    Without `errors` a different one is stored, or it is another owner's. One that
    `is_waiting` refers to entities that are not stored: import them, then try again.
    """

    entity: Entity
    errors: Sequence[FieldError] = ()
    is_waiting: bool = False


def sort_for_import(
    owner: str, entities: Sequence[Entity], stored: Find
) -> tuple[Sequence[Entity], Sequence[Refusal]]:
    """Return the owner's entities, each behind those that it refers to, and those to refuse.

    What they refer to is `stored`, or among them.
    """
    ready: list[Entity] = []
    known: dict[tuple[str, UUID], Entity] = {}
    refused = [Refusal(one) for one in entities if one.user_id != owner]
    waiting = [one for one in entities if one.user_id == owner]

    def find(type_name: str, entity_id: UUID) -> Entity | None:
        return stored(type_name, entity_id) or known.get((type_name, entity_id))

    def missing(one: Entity) -> list[FieldError]:
        return [*one.missing_references(vars(one), find)]

    while resolved := [one for one in waiting if not missing(one)]:
        waiting = [one for one in waiting if missing(one)]
        for one in resolved:
            if errors := [*one.placement_errors(vars(one), find)]:
                refused.append(Refusal(one, errors))
            else:
                ready.append(one)
                known.setdefault((one.type_name, one.id), one)
    return ready, [*refused, *(Refusal(one, missing(one), is_waiting=True) for one in waiting)]


class OwnerData(Protocol):
    """All data of one owner. Each method is atomic.

    Any method raises `Unavailable` if the storage cannot be reached.
    """

    def import_entities(self, entities: Sequence[Entity]) -> list[Refusal]:
        """Store the owner's `entities` with all their fields; return those that were not stored.

        Each that is stored is a change in the log.

        One that is already stored and equal counts as stored. One that is
        already stored but differs is not overwritten. They may be in any order;
        `sort_for_import` has the rules of references.
        """
        ...

    def count(self) -> OwnerCounts:
        """Return the numbers of entities, idempotency records and changes in the log."""
        ...

    def erase(self) -> OwnerCounts:
        """Delete all entities, idempotency records and changes; return their numbers.

        An adapter may also overwrite the deleted data. It raises
        `ErasureIncomplete` if it cannot do that yet; another call tries again.
        """
        ...


OpenOwnerData = Callable[[str], OwnerData]
"""Returns the `OwnerData` of the named owner."""


def iterate(repository: Repository[E, Any]) -> Iterator[E]:
    """Yield one owner's entities, the oldest first, page by page.

    One that exists from start to end is yielded exactly once, despite
    concurrent writes.
    """
    return all_pages(repository, Query(sort=_OLDEST_FIRST, limit=PAGE_LIMIT))
