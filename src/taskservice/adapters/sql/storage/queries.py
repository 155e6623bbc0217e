"""SQL of a `TaskQuery`, with keyset pagination. Every statement filters by the owner."""

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

from taskservice.adapters.sql.connection.compiled_statements import OWNER, OrderBy, Statement
from taskservice.adapters.sql.tables import task_columns, tasks
from taskservice.core.ids import first_id, last_id
from taskservice.core.query import Sort, TaskQuery


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


_own = tasks.c.user_id == OWNER

# Ids are ordered by creation time, so bounds on the id let the primary key serve these filters.
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
_POSITION_PARAMETER = "after_{}"


class QueryShape(NamedTuple):
    """The parts of a query that determine its SQL text; all else is parameters."""

    conditions: tuple[str, ...]
    sort: Sort
    has_position: bool

    @classmethod
    def of(cls, query: TaskQuery, values: Mapping[str, Any]) -> Self:
        """Return the shape of `query` with the parameters `values`."""
        state = {None: None, True: "completed", False: "open"}[query.completed]
        conditions = tuple(name for name in _CONDITIONS if name in values or name == state)
        return cls(conditions, query.sort, query.after is not None)


def page(query: TaskQuery) -> tuple[Statement, dict[str, Any]]:
    """Return the statement for one page, and its parameters.

    It reads one task more than the page holds, to find out whether there is a next page.
    """
    values = _values(query)
    position = {
        _POSITION_PARAMETER.format(index): value for index, value in enumerate(query.after or ())
    }
    return _page(QueryShape.of(query, values)), {**values, **position, "row_limit": query.limit + 1}


def total(query: TaskQuery) -> tuple[Statement, dict[str, Any]]:
    """Return the statement that counts the tasks that `query` admits, and its parameters."""
    values = _values(query)
    return _total(QueryShape.of(query, values).conditions), values


@cache
def _page(shape: QueryShape) -> Statement:
    page = select(*task_columns).where(_own, *_conditions(shape.conditions))
    if shape.has_position:
        page = page.where(_after_position(shape.sort))
    return Statement(
        page.limit(bindparam("row_limit", type_=Integer)), order_by=_order_by(shape.sort)
    )


@cache
def _total(conditions: tuple[str, ...]) -> Statement:
    return Statement(select(func.count()).select_from(tasks).where(_own, *_conditions(conditions)))


def _values(query: TaskQuery) -> dict[str, Any]:
    values = {
        "text": None if query.text is None else query.text.casefold(),
        "created_after": query.created_after,
        "first_id": query.created_after and first_id(query.created_after),
        "created_before": query.created_before,
        "last_id": query.created_before and last_id(query.created_before),
        "updated_after": query.updated_after,
        "updated_before": query.updated_before,
    }
    return {name: value for name, value in values.items() if value is not None}


def _conditions(names: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [_CONDITIONS[name] for name in names]


def _keys(sort: Sort) -> list[str]:
    return ["id"] if sort.field == "created_at" else [sort.field, "id"]


def _order_by(sort: Sort) -> OrderBy:
    return lambda columns: [
        columns[key].desc() if sort.descending else columns[key].asc() for key in _keys(sort)
    ]


def _after_position(sort: Sort) -> ColumnElement[bool]:
    """Return the condition for rows after the cursor's position (keyset pagination)."""
    columns = [tasks.c[key] for key in _keys(sort)]
    key = tuple_(*columns)
    position = tuple_(
        *(
            bindparam(_POSITION_PARAMETER.format(index), type_=column.type)
            for index, column in enumerate(columns)
        )
    )
    return key < position if sort.descending else key > position
