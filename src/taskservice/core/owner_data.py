"""Owner data: the port that imports, counts and erases everything of one owner."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from taskservice.core.entity import E, Entity
from taskservice.core.errors import TaskServiceError
from taskservice.core.query import PAGE_LIMIT, Query, Sort
from taskservice.core.workspace import Repository

_OLDEST_FIRST = Sort(field="created_at", descending=False)


class OwnerCounts(NamedTuple):
    """The number of entities of one owner by the name of their type, and of idempotency records."""

    entities: Mapping[str, int]
    idempotency_records: int

    @property
    def is_empty(self) -> bool:
        """Whether the owner has nothing."""
        return not any([*self.entities.values(), self.idempotency_records])


class ErasureIncomplete(TaskServiceError):
    """The `removed` rows are deleted, but their bytes can still be read in the database files."""

    def __init__(self, removed: OwnerCounts, reason: str) -> None:
        super().__init__(f"the deleted data is still in the database files: {reason}")
        self.removed = removed


class OwnerData(Protocol):
    """All data of one owner. Each method is atomic.

    Any method raises `Unavailable` if the storage cannot be reached.
    """

    def import_entities(self, entities: Sequence[Entity]) -> list[Entity]:
        """Store the owner's `entities` with all their fields; return those that were not stored.

        One that is already stored and equal counts as stored. One that is
        already stored but differs is not overwritten, and is returned. So is
        one of another owner.
        """
        ...

    def count(self) -> OwnerCounts:
        """Return the number of entities and idempotency records."""
        ...

    def erase(self) -> OwnerCounts:
        """Delete all entities and idempotency records; return their numbers.

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
    query: Query[E] | None = Query(sort=_OLDEST_FIRST, limit=PAGE_LIMIT)
    while query is not None:
        page = repository.list(query)
        yield from page.items
        query = page.next
