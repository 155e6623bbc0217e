"""SQL of a `Query`, with keyset pagination. Every statement filters by the owner."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    bindparam,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from taskservice.adapters.sql.connection.compiled_statements import OrderBy, Statement
from taskservice.adapters.sql.storage.mapping import EntityMapping
from taskservice.core import kinds
from taskservice.core.fields import Field, fields_of
from taskservice.core.filters import Filter, Operator, filters_of
from taskservice.core.ids import first_id, last_id
from taskservice.core.kinds import Kind
from taskservice.core.query import Query, Sort

_ZERO: ColumnElement[int] = literal_column("0")


class _Position(FunctionElement[int]):
    """The position of a substring, from 1, or 0 if there is none: `strpos`, `instr`.

    LIKE takes up to 150 times as long if the text nearly matches everywhere.
    """

    type = Integer()


@compiles(_Position, "postgresql")
def _strpos(position: _Position, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"strpos{compiler.process(position.clause_expr, **kwargs)}"


@compiles(_Position, "sqlite")
def _instr(position: _Position, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"instr{compiler.process(position.clause_expr, **kwargs)}"


class _Literal(ColumnElement[Any]):
    """A value in the text of a statement, so that an index on an expression can match it."""

    def __init__(self, value: Any, value_type: TypeEngine[Any]) -> None:
        self.value = value
        self.type = value_type


@compiles(_Literal)
def _render_literal(literal: _Literal, compiler: SQLCompiler, **_: Any) -> str:
    return compiler.render_literal_value(literal.value, literal.type)


Comparison = Callable[[Any, Any], ColumnElement[bool]]

_COMPARISONS: Mapping[Operator, Comparison] = {
    Operator.EQUALS: operator.eq,
    Operator.AT_LEAST: operator.ge,
    Operator.BELOW: operator.lt,
    Operator.CONTAINS: lambda column, text: _Position(column, text) > _ZERO,
}

# Ids are ordered by creation time, so bounds on the id let the primary key serve these filters.
_ID_BOUNDS: Mapping[tuple[str, Operator], tuple[Comparison, Callable[[datetime], UUID]]] = {
    ("created_at", Operator.AT_LEAST): (operator.ge, first_id),
    ("created_at", Operator.BELOW): (operator.le, last_id),
}
_ID_PARAMETER = "{}_id"
_POSITION_PARAMETER = "after_{}"


class QueryShape(NamedTuple):
    """The parts of a query that determine its SQL text; all else is parameters.

    A condition is the name of a filter, and its value if that is true or false: a
    partial index is found by the text of the statement.
    """

    query_type: type[Query[Any]]
    conditions: tuple[tuple[str, bool | None], ...]
    sort: Sort
    has_position: bool

    @classmethod
    def of(cls, query: Query[Any]) -> "QueryShape":
        """Return the shape of `query`."""
        conditions = tuple(
            (name, value if isinstance(value, bool) else None)
            for name, value in query.filters.items()
        )
        return cls(type(query), conditions, query.sort, query.after is not None)


def page(mapping: EntityMapping, query: Query[Any]) -> tuple[Statement, dict[str, Any]]:
    """Return the statement for one page, and its parameters.

    It reads one row more than the page holds, to find out whether there is a next page.
    """
    parameters = {**_filter_parameters(query), **_position_parameters(mapping, query)}
    return _page(mapping, QueryShape.of(query)), {**parameters, "row_limit": query.limit + 1}


def total(mapping: EntityMapping, query: Query[Any]) -> tuple[Statement, dict[str, Any]]:
    """Return the statement that counts the rows that `query` admits, and its parameters."""
    return _total(mapping, QueryShape.of(query)), _filter_parameters(query)


@cache
def _page(mapping: EntityMapping, shape: QueryShape) -> Statement:
    page = select(*mapping.field_columns).where(mapping.is_own, *_conditions(mapping, shape))
    if shape.has_position:
        page = page.where(_after_position(mapping, shape.sort))
    return Statement(
        page.limit(bindparam("row_limit", type_=Integer)), order_by=_order_by(mapping, shape.sort)
    )


@cache
def _total(mapping: EntityMapping, shape: QueryShape) -> Statement:
    count = select(func.count()).select_from(mapping.table)
    return Statement(count.where(mapping.is_own, *_conditions(mapping, shape)))


def _conditions(mapping: EntityMapping, shape: QueryShape) -> list[ColumnElement[bool]]:
    filters = filters_of(shape.query_type)
    return [_condition(mapping, filters[name], is_true) for name, is_true in shape.conditions]


def _condition(mapping: EntityMapping, one: Filter, is_true: bool | None) -> ColumnElement[bool]:
    column = mapping.table.c[one.field]
    if is_true is not None:
        return column if is_true else ~column
    type_ = String() if one.operator is Operator.CONTAINS else column.type
    condition = _COMPARISONS[one.operator](column, bindparam(one.name, type_=type_))
    if bound := _ID_BOUNDS.get((one.field, one.operator)):
        id_parameter = bindparam(_ID_PARAMETER.format(one.name), type_=mapping.table.c.id.type)
        return and_(bound[0](mapping.table.c.id, id_parameter), condition)
    return condition


def _filter_parameters(query: Query[Any]) -> dict[str, Any]:
    filters, parameters = filters_of(type(query)), {}
    for name, value in query.filters.items():
        if isinstance(value, bool):
            continue
        is_search = filters[name].operator is Operator.CONTAINS
        parameters[name] = value.casefold() if is_search else value
        if bound := _ID_BOUNDS.get((filters[name].field, filters[name].operator)):
            parameters[_ID_PARAMETER.format(name)] = bound[1](value)
    return parameters


def _position_parameters(mapping: EntityMapping, query: Query[Any]) -> dict[str, Any]:
    described = fields_of(mapping.entity_type)
    return {
        _POSITION_PARAMETER.format(name): _greatest(described[name].kind)
        if value is None
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
    described: Field = fields_of(mapping.entity_type)[name]
    if not described.nullable:
        return column  # type: ignore[no-any-return]
    return func.coalesce(column, _Literal(_greatest(described.kind), column.type))


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
