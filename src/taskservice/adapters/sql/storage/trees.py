"""SQL of trees of tasks: all sub-tasks of tasks."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Select,
    String,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    true,
)

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Statement
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.tables import tasks
from taskservice.core.task import Task

NO_LIMIT = 2**31 - 1

_ZERO: ColumnElement[int] = literal_column("0")
_level = literal_column("1", Integer).label("level")
_below = tasks.alias("below")
_columns = mapping_of(Task).field_columns

_ids = func.json_each(bindparam("task_ids", type_=String())).table_valued("value").c.value
_IS_CHILD: Mapping[str, ColumnElement[bool]] = {
    "postgresql": tasks.c.parent_id == any_(bindparam("task_ids", type_=ARRAY(Uuid()))),
    "sqlite": tasks.c.parent_id.in_(select(_ids)),
}


def ids_parameter(dialect: str, task_ids: Iterable[UUID]) -> list[UUID] | str:
    """Return the parameter `task_ids` as the statement of a dialect takes it."""
    ids = [*task_ids]
    return ids if dialect == "postgresql" else orjson.dumps([one.hex for one in ids]).decode()


def _children(dialect: str) -> CTE:
    own = select(tasks.c.id, _level).where(tasks.c.user_id == OWNER, _IS_CHILD[dialect])
    return own.cte("tree", recursive=True)


def _next_level(children: CTE) -> Any:
    return children.c.level + literal_column("1")


def _is_below(children: CTE) -> ColumnElement[bool]:
    return and_(_below.c.user_id == OWNER, _below.c.parent_id == children.c.id)


def _limited(query: Select[Any], tree: Any, found: Any) -> Statement:
    by_level = query.order_by(tree.c.level, found.position, found.id)
    return Statement(by_level.limit(bindparam("row_limit", type_=Integer())))


def _joined() -> Statement:
    children = _children("sqlite")
    step = select(_below.c.id, _next_level(children)).where(_is_below(children))
    tree = children.union_all(step)
    found = select(*_columns).where(tasks.c.user_id == OWNER, tasks.c.id == tree.c.id)
    return _limited(found, tree, tasks.c)


def _lateral() -> Statement:
    """Return a query that PostgreSQL answers row by row.

    It would join all tasks of the owner to the tree, as it cannot know how small that is.
    `OFFSET 0` keeps it from flattening the subqueries.
    """
    children = _children("postgresql")
    own = select(_below.c.id).where(_is_below(children)).offset(_ZERO)
    below = own.correlate(children).lateral("child")
    step = select(below.c.id, _next_level(children)).select_from(children.join(below, true()))
    tree = children.union_all(step)
    rows = select(*_columns).where(tasks.c.user_id == OWNER, tasks.c.id == tree.c.id)
    found = rows.offset(_ZERO).correlate(tree).lateral("found")
    return _limited(select(found).select_from(tree.join(found, true())), tree, found.c)


DESCENDANTS = {"postgresql": _lateral(), "sqlite": _joined()}
"""By dialect; see `TaskService.descendants`."""
