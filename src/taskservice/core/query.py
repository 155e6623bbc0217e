"""Queries: filters, sort order and keyset pagination of one owner's entities."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Generic, Self

from taskservice.core.entity import E, Entity
from taskservice.core.errors import FieldError
from taskservice.core.fields import fields_of
from taskservice.core.filters import Filter, Operator, filters_of

PAGE_LIMIT = 200
"""The maximum number of entities on a page."""

PAGE_DEFAULT = 100
"""The default number of entities on a page."""

Position = tuple[Any, ...]
"""A position in a sort order: the values of the sorted fields, which end with the id."""


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A sort order: by a field, then by id in the same direction.

    `created_at` sorts by id: by the time of creation, to the microsecond.
    Text sorts by code point, null as greater than any other value.
    """

    field: str = "created_at"
    descending: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields whose values are a position."""
        return ("id",) if self.field == "created_at" else (self.field, "id")

    def position(self, entity: Entity) -> Position:
        """Return the position of `entity`."""
        return tuple(getattr(entity, name) for name in self.fields)

    def key(self, entity: Entity) -> Position:
        """Return the position of `entity` as a key for `sorted`."""
        return self._comparable(entity, self.position(entity))

    def comes_after(self, entity: Entity, position: Position) -> bool:
        """Return whether `entity` comes after `position`."""
        key, other = self.key(entity), self._comparable(entity, position)
        return key < other if self.descending else key > other

    def _comparable(self, entity: Entity, position: Position) -> Position:
        fields = fields_of(type(entity))
        values = zip(self.fields, position, strict=True)
        return tuple(fields[name].sort_key(value) for name, value in values)


def sort_fields(entity_type: type[Entity]) -> list[str]:
    """Return the names of the fields to sort by, those of every entity first."""
    sortable = [name for name, one in fields_of(entity_type).items() if one.sortable]
    return sorted(sortable, key=lambda name: name not in {"created_at", "updated_at"})


@dataclass(frozen=True, kw_only=True)
class Query(Generic[E]):
    """A query for one owner's entities; subclasses add filters.

    A page has up to `limit` entities, 1 to 200, and starts after the position
    `after` (keyset pagination). If `with_total`, the page has the total number.
    """

    sort: Sort = Sort()
    limit: int = PAGE_DEFAULT
    after: Position | None = None
    with_total: bool = False

    entity_type: ClassVar[type[Entity]]

    @property
    def filters(self) -> dict[str, Any]:
        """The values of the filters that are set, by name."""
        names = filters_of(type(self))
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def conditions(self) -> list[tuple[Filter, Any]]:
        """Return the filters that are set and compare, each with the value to compare with."""
        filters = filters_of(type(self))
        return [
            (filters[name], self.bound(filters[name], value))
            for name, value in self.filters.items()
            if filters[name].operator is not Operator.CONTEXT
        ]

    def rule_errors(self) -> Iterator[FieldError]:
        """Yield the errors of parts of a client's query that do not agree with one another."""
        yield from ()

    def bound(self, one: Filter, value: Any) -> Any:
        """Return what a filter with this value compares with."""
        return value

    def value(self, entity: E, one: Filter) -> Any:
        """Return the value of `entity` that a filter compares."""
        return getattr(entity, one.field)

    def admits(self, entity: E) -> bool:
        """Return whether `entity` matches all filters.

        This is the specification for every adapter, and the oracle of the
        contract suite.
        """
        return all(
            one.operator.admits(self.value(entity, one), bound) for one, bound in self.conditions()
        )

    def page(self, entities: Iterable[E]) -> "Page[E]":
        """Filter, sort and paginate an owner's `entities` in memory."""
        found = sorted(filter(self.admits, entities), key=self.sort.key)
        if self.sort.descending:
            found.reverse()
        following = [entity for entity in found if self._is_after_position(entity)]
        return Page.of(following, self, len(found) if self.with_total else None)

    def _is_after_position(self, entity: E) -> bool:
        return self.after is None or self.sort.comes_after(entity, self.after)


@dataclass(frozen=True, kw_only=True)
class Page(Generic[E]):
    """One page of an owner's entities, in order.

    `next` is the query for the next page, or None. `total` is the number of all
    entities that match the filters, or None unless the query has `with_total`.
    """

    items: list[E]
    next: Query[E] | None = None
    total: int | None = None

    @classmethod
    def of(cls, found: list[E], query: Query[E], total: int | None = None) -> Self:
        """Return a page of `found`; one more than `query.limit` means that there is a next page."""
        items = found[: query.limit]
        has_next = len(found) > query.limit
        next_query = replace(query, after=query.sort.position(items[-1])) if has_next else None
        return cls(items=items, next=next_query, total=total)
