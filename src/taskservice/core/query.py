"""Queries: filters, sort order and keyset pagination of one owner's entities."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar, Generic, Self

from taskservice.core.entity import E, Entity
from taskservice.core.fields import cached, fields_of
from taskservice.core.kinds import Kind, SearchText
from taskservice.core.task import Task

PAGE_LIMIT = 200
"""The maximum number of entities on a page."""

PAGE_DEFAULT = 100
"""The default number of entities on a page."""

SEARCH_LIMIT = 255
"""The maximum length of a search text, in code points."""

Position = tuple[Any, ...]
"""A position in a sort order: the values of the sorted fields, which end with the id."""


@dataclass(frozen=True, kw_only=True)
class Sort:
    """A sort order: by a field, then by id in the same direction.

    `created_at` sorts by id, which is the order of creation to the millisecond.
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
        return _comparable(self.position(entity))

    def comes_after(self, entity: Entity, position: Position) -> bool:
        """Return whether `entity` comes after `position`."""
        key, other = self.key(entity), _comparable(position)
        return key < other if self.descending else key > other


def _comparable(position: Position) -> Position:
    return tuple((value is None, value) for value in position)


def sort_fields(entity_type: type[Entity]) -> list[str]:
    """Return the names of the fields to sort by, those of every entity first."""
    sortable = [name for name, one in fields_of(entity_type).items() if one.sortable]
    return sorted(sortable, key=lambda name: name not in {"created_at", "updated_at"})


class Operator(Enum):
    """How a filter compares the value of a field with its own. Null is never admitted."""

    EQUALS = "="
    AT_LEAST = ">="
    BELOW = "<"
    CONTAINS = "contains"
    """The field has case folding, and so has the text that is searched."""

    def admits(self, value: Any, bound: Any) -> bool:
        """Return whether `value` is admitted by a filter with the value `bound`."""
        match self:
            case Operator.EQUALS:
                return bool(value == bound)
            case Operator.AT_LEAST:
                return value is not None and value >= bound
            case Operator.BELOW:
                return value is not None and value < bound
            case Operator.CONTAINS:
                return value is not None and bound.casefold() in value


@dataclass(frozen=True, kw_only=True)
class Filter:
    """The description of a filter: the field, the operator, and the query parameter."""

    name: str
    field: str
    operator: Operator
    kind: Kind
    doc: str
    example: Any
    parameter: str


def filter_by(
    field: str,
    operator: Operator,
    doc: str,
    *,
    example: Any,
    kind: Kind | None = None,
    parameter: str | None = None,
) -> Any:
    """Describe a filter of a query; see `Filter`. Its default is None, which admits everything.

    `kind` is by default that of the field, and `parameter` the name of the filter.
    """
    described = {
        "field": field,
        "operator": operator,
        "doc": doc,
        "example": example,
        "kind": kind,
        "parameter": parameter,
    }
    return dataclasses.field(default=None, metadata=described)


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

    def admits(self, entity: E) -> bool:
        """Return whether `entity` matches all filters.

        This is the specification for every adapter, and the oracle of the
        contract suite.
        """
        filters = filters_of(type(self))
        return all(
            filters[name].operator.admits(getattr(entity, filters[name].field), bound)
            for name, bound in self.filters.items()
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


@cached
def filters_of(query_type: type[Query[Any]]) -> Mapping[str, Filter]:
    """Return the filters of a query by name."""
    return {
        one.name: Filter(
            **{
                **one.metadata,
                "name": one.name,
                "kind": one.metadata["kind"] or _kind(query_type, one.metadata["field"]),
                "parameter": one.metadata["parameter"] or one.name,
            }
        )
        for one in dataclasses.fields(query_type)
        if one.metadata
    }


def _kind(query_type: type[Query[Any]], field: str) -> Kind:
    return fields_of(query_type.entity_type)[field].kind


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


_MIDNIGHT = "2026-02-09T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class TaskQuery(Query[Task]):
    """A query for one owner's tasks. A filter that is None admits every task.

    Times `…_after` are inclusive, times `…_before` exclusive; both are aware.
    """

    entity_type: ClassVar = Task

    completed: bool | None = filter_by(
        "completed",
        Operator.EQUALS,
        "Only completed tasks (true) or only open tasks (false). Empty counts as absent.",
        example=False,
    )
    text: str | None = filter_by(
        "search_text",
        Operator.CONTAINS,
        "Only tasks with this text in title or description. Case is ignored. Empty counts "
        "as absent.",
        example="milk",
        kind=SearchText(SEARCH_LIMIT),
        parameter="q",
    )
    created_after: datetime | None = filter_by(
        "created_at",
        Operator.AT_LEAST,
        "Only tasks created at this time or later.",
        example=_MIDNIGHT,
    )
    created_before: datetime | None = filter_by(
        "created_at", Operator.BELOW, "Only tasks created before this time.", example=_MIDNIGHT
    )
    updated_after: datetime | None = filter_by(
        "updated_at",
        Operator.AT_LEAST,
        "Only tasks changed at this time or later.",
        example=_MIDNIGHT,
    )
    updated_before: datetime | None = filter_by(
        "updated_at", Operator.BELOW, "Only tasks changed before this time.", example=_MIDNIGHT
    )
