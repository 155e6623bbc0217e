"""SQL of a `Query`, with keyset pagination. Every statement filters by the owner."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Integer, bindparam, func, select, tuple_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from taskservice.adapters.sql.connection.compiled_statements import OrderBy, Statement
from taskservice.adapters.sql.storage.conditions import (
    Conditions,
    Variant,
    condition,
    parameters,
    shape_of,
)
from taskservice.adapters.sql.storage.mapping import EntityMapping
from taskservice.core import kinds
from taskservice.core.fields import fields_of
from taskservice.core.filters import filters_of
from taskservice.core.kinds import Kind
from taskservice.core.query import Query, Sort

MAX_CACHED_STATEMENTS = 512
"""How many pages and counts of different queries are kept compiled."""


class _Literal(ColumnElement[Any]):
    """A value in the text of a statement, so that an index on an expression can match it."""

    def __init__(self, value: Any, value_type: TypeEngine[Any]) -> None:
        self.value = value
        self.type = value_type


@compiles(_Literal)
def _render_literal(literal: _Literal, compiler: SQLCompiler, **_: Any) -> str:
    return compiler.render_literal_value(literal.value, literal.type)


_POSITION_PARAMETER = "after_{}"


class QueryShape(NamedTuple):
    """The parts of a query that determine its SQL text; all else is parameters."""

    query_type: type[Query[Any]]
    conditions: tuple[tuple[str, Variant], ...]
    sort: Sort
    has_position: bool

    @classmethod
    def of(cls, query: Query[Any], conditions: Conditions) -> "QueryShape":
        """Return the shape of `query`, which has these conditions."""
        return cls(type(query), shape_of(conditions), query.sort, query.after is not None)


def page(mapping: EntityMapping, query: Query[Any]) -> tuple[Statement, dict[str, Any]]:
    """Return the statement for one page, and its parameters.

    It reads one row more than the page holds, to find out whether there is a next page.
    """
    conditions = query.conditions()
    values = {**parameters(conditions), **_position_parameters(mapping, query)}
    shape = QueryShape.of(query, conditions)
    return _page(mapping, shape), {**values, "row_limit": query.limit + 1}


def total(mapping: EntityMapping, query: Query[Any]) -> tuple[Statement, dict[str, Any]]:
    """Return the statement that counts the rows that `query` admits, and its parameters."""
    conditions = query.conditions()
    return _total(mapping, QueryShape.of(query, conditions)), parameters(conditions)


def count_by_list(mapping: EntityMapping, query: Query[Any]) -> tuple[Statement, dict[str, Any]]:
    """Return the statement that counts the rows that `query` admits by list; its parameters."""
    conditions = query.conditions()
    return _count_by_list(mapping, QueryShape.of(query, conditions)), parameters(conditions)


@lru_cache(MAX_CACHED_STATEMENTS)
def _page(mapping: EntityMapping, shape: QueryShape) -> Statement:
    conditions = _conditions(mapping, shape, sorted_by=shape.sort.field)
    page = select(*mapping.field_columns).where(mapping.is_own, *conditions)
    if shape.has_position:
        page = page.where(_after_position(mapping, shape.sort))
    return Statement(
        page.limit(bindparam("row_limit", type_=Integer)), order_by=_order_by(mapping, shape.sort)
    )


@lru_cache(MAX_CACHED_STATEMENTS)
def _total(mapping: EntityMapping, shape: QueryShape) -> Statement:
    count = select(func.count()).select_from(mapping.table)
    return Statement(count.where(mapping.is_own, *_conditions(mapping, shape)))


@lru_cache(MAX_CACHED_STATEMENTS)
def _count_by_list(mapping: EntityMapping, shape: QueryShape) -> Statement:
    list_id = mapping.table.c.list_id
    count = select(list_id, func.count()).where(mapping.is_own, *_conditions(mapping, shape))
    return Statement(count.group_by(list_id))


def _conditions(
    mapping: EntityMapping, shape: QueryShape, sorted_by: str | None = None
) -> list[ColumnElement[bool]]:
    filters = filters_of(shape.query_type)
    return [
        condition(mapping.table, filters[name], variant, sorted_by=sorted_by)
        for name, variant in shape.conditions
    ]


def _position_parameters(mapping: EntityMapping, query: Query[Any]) -> dict[str, Any]:
    described = fields_of(mapping.entity_type)
    return {
        _POSITION_PARAMETER.format(name): _greatest(described[name].kind)
        if value is None and mapping.table.c[name].nullable
        else value
        for name, value in zip(query.sort.fields, query.after or (), strict=False)
    }


def _order_by(mapping: EntityMapping, sort: Sort) -> OrderBy:
    def order_by(columns: Any) -> list[ColumnElement[Any]]:
        keys = [_sort_key(mapping, columns[name], name) for name in sort.fields]
        return [key.desc() if sort.descending else key.asc() for key in keys]

    return order_by


def _after_position(mapping: EntityMapping, sort: Sort) -> ColumnElement[bool]:
    """Return the condition for rows after the cursor's position (keyset pagination)."""
    columns = [mapping.table.c[name] for name in sort.fields]
    key = tuple_(*(_sort_key(mapping, column, column.name) for column in columns))
    position = tuple_(
        *(
            bindparam(_POSITION_PARAMETER.format(column.name), type_=column.type)
            for column in columns
        )
    )
    return key < position if sort.descending else key > position


def _sort_key(mapping: EntityMapping, column: Any, name: str) -> ColumnElement[Any]:
    """Return what a sort compares: the column, or a value beyond all others instead of null.

    Row values cannot be compared with null. An index on the same expression serves the sort.
    """
    if not mapping.table.c[name].nullable:
        return column  # type: ignore[no-any-return]
    kind = fields_of(mapping.entity_type)[name].kind
    return func.coalesce(column, _Literal(_greatest(kind), column.type))


def _greatest(kind: Kind) -> Any:
    """Return a value that is greater than all values of a kind."""
    match kind:
        case kinds.Integer(_, maximum):
            return maximum + 1
        case kinds.Timestamp():
            return datetime.max.replace(tzinfo=UTC)
        case kinds.Line(limit):
            return "\U0010ffff" * (limit + 1)
    raise TypeError(f"a nullable {kind} cannot be sorted by")
