"""A `TaskQuery` in SQL. Every statement names the owner first, as `bindparam("owner")`."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select, tuple_

from taskservice.adapters.sql.tables import fields, tasks
from taskservice.core.ids import first_id, last_id
from taskservice.core.query import Sort, TaskQuery

own = tasks.c.user_id == bindparam("owner")


def page_statement(query: TaskQuery) -> Select[Any]:
    """Return the statement for one page; it asks for one task more, to know whether more follow."""
    statement = select(*fields).where(own, *_filters(query))
    if query.after is not None:
        statement = statement.where(_behind(query))
    return statement.order_by(*_order(query.sort)).limit(query.limit + 1)


def count_statement(query: TaskQuery) -> Select[Any]:
    """Return the statement that counts what `query` admits."""
    return select(func.count()).select_from(tasks).where(own, *_filters(query))


def _filters(query: TaskQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if query.completed is not None:
        found.append(tasks.c.completed if query.completed else ~tasks.c.completed)
    if query.text is not None:
        found.append(tasks.c.folded.contains(query.text.casefold(), autoescape=True))
    # Ids are in the order of creation: their bounds let the primary key find a time of creation.
    if (first := query.created_after) is not None:
        found.append(and_(tasks.c.id >= first_id(first), tasks.c.created_at >= first))
    if (end := query.created_before) is not None:
        found.append(and_(tasks.c.id <= last_id(end), tasks.c.created_at < end))
    if query.updated_after is not None:
        found.append(tasks.c.updated_at >= query.updated_after)
    if query.updated_before is not None:
        found.append(tasks.c.updated_at < query.updated_before)
    return found


def _columns(sort: Sort) -> list[ColumnElement[Any]]:
    return [tasks.c.id] if sort.field == "created_at" else [tasks.c[sort.field], tasks.c.id]


def _order(sort: Sort) -> list[ColumnElement[Any]]:
    return [column.desc() if sort.descending else column.asc() for column in _columns(sort)]


def _behind(query: TaskQuery) -> ColumnElement[bool]:
    """Return the condition that a row stands behind the position (a keyset, never an offset)."""
    assert query.after is not None
    columns = _columns(query.sort)
    key = tuple_(*columns)
    position = tuple_(
        *(
            bindparam(None, value, column.type)
            for column, value in zip(columns, query.after, strict=True)
        )
    )
    return key < position if query.sort.descending else key > position
