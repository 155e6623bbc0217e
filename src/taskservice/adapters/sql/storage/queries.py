"""A `TaskQuery` in SQL. Every statement names the owner first."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple, Self

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

from taskservice.adapters.sql.connection.statements import OWNER, OrderBy, Statement
from taskservice.adapters.sql.tables import fields, tasks
from taskservice.core.ids import first_id, last_id
from taskservice.core.query import Sort, TaskQuery


class _Position(FunctionElement[int]):
    """Where a text stands in another, from 1, and 0 where it does not: `str.find` in SQL.

    LIKE takes up to 150 times as long for a text that nearly matches everywhere.
    """

    type = Integer()


@compiles(_Position, "postgresql")
def _strpos(position: _Position, compiler: SQLCompiler, **how: Any) -> str:
    return f"strpos{compiler.process(position.clause_expr, **how)}"


@compiles(_Position, "sqlite")
def _instr(position: _Position, compiler: SQLCompiler, **how: Any) -> str:
    return f"instr{compiler.process(position.clause_expr, **how)}"


_own = tasks.c.user_id == OWNER

# Ids are in the order of creation: their bounds let the primary key find a time of creation.
_CONDITIONS: Mapping[str, ColumnElement[bool]] = {
    "completed": tasks.c.completed,
    "open": ~tasks.c.completed,
    "text": _Position(tasks.c.search_text, bindparam("text", type_=String())) > literal_column("0"),
    "created_after": and_(
        tasks.c.id >= bindparam("first_id"), tasks.c.created_at >= bindparam("created_after")
    ),
    "created_before": and_(
        tasks.c.id <= bindparam("last_id"), tasks.c.created_at < bindparam("created_before")
    ),
    "updated_after": tasks.c.updated_at >= bindparam("updated_after"),
    "updated_before": tasks.c.updated_at < bindparam("updated_before"),
}
_POSITION = "after_{}"


class Shape(NamedTuple):
    """What makes one query's statement another than the next's; the rest is parameters."""

    conditions: tuple[str, ...]
    sort: Sort
    is_continued: bool

    @classmethod
    def of(cls, query: TaskQuery, values: Mapping[str, Any]) -> Self:
        """Return the shape of a query whose parameters are `values`."""
        state = {None: None, True: "completed", False: "open"}[query.completed]
        found = tuple(name for name in _CONDITIONS if name in values or name == state)
        return cls(found, query.sort, query.after is not None)


def page(query: TaskQuery) -> tuple[Statement, dict[str, Any]]:
    """Return the statement for one page, and its parameters.

    It asks for one task more than the page holds, to know whether more follow.
    """
    values = _values(query)
    position = {_POSITION.format(place): value for place, value in enumerate(query.after or ())}
    return _page(Shape.of(query, values)), {**values, **position, "most": query.limit + 1}


def total(query: TaskQuery) -> tuple[Statement, dict[str, Any]]:
    """Return the statement that counts what `query` admits, and its parameters."""
    values = _values(query)
    return _total(Shape.of(query, values).conditions), values


@cache
def _page(shape: Shape) -> Statement:
    found = select(*fields).where(_own, *_conditions(shape.conditions))
    if shape.is_continued:
        found = found.where(_behind(shape.sort))
    return Statement(found.limit(bindparam("most", type_=Integer)), order_by=_order(shape.sort))


@cache
def _total(conditions: tuple[str, ...]) -> Statement:
    return Statement(select(func.count()).select_from(tasks).where(_own, *_conditions(conditions)))


def _values(query: TaskQuery) -> dict[str, Any]:
    found = {
        "text": None if query.text is None else query.text.casefold(),
        "created_after": query.created_after,
        "first_id": query.created_after and first_id(query.created_after),
        "created_before": query.created_before,
        "last_id": query.created_before and last_id(query.created_before),
        "updated_after": query.updated_after,
        "updated_before": query.updated_before,
    }
    return {name: value for name, value in found.items() if value is not None}


def _conditions(names: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [_CONDITIONS[name] for name in names]


def _keys(sort: Sort) -> list[str]:
    return ["id"] if sort.field == "created_at" else [sort.field, "id"]


def _order(sort: Sort) -> OrderBy:
    return lambda columns: [
        columns[key].desc() if sort.descending else columns[key].asc() for key in _keys(sort)
    ]


def _behind(sort: Sort) -> ColumnElement[bool]:
    """Return the condition that a row stands behind the position (a keyset, never an offset)."""
    columns = [tasks.c[key] for key in _keys(sort)]
    key = tuple_(*columns)
    position = tuple_(
        *(
            bindparam(_POSITION.format(place), type_=column.type)
            for place, column in enumerate(columns)
        )
    )
    return key < position if sort.descending else key > position
