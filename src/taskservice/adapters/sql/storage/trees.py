"""SQL of trees of tasks: all sub-tasks of a task."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    literal_column,
    select,
    true,
)

from taskservice.adapters.sql.connection.compiled_statements import OWNER, Statement
from taskservice.adapters.sql.storage.mapping import mapping_of
from taskservice.adapters.sql.tables import tasks
from taskservice.core.task import Task

NO_LIMIT = 2**31 - 1

_ROOT = bindparam("task_id", type_=Uuid())
_ZERO: ColumnElement[int] = literal_column("0")
_level = literal_column("1", Integer).label("level")
_children = (
    select(tasks.c.id, _level)
    .where(tasks.c.user_id == OWNER, tasks.c.parent_id == _ROOT)
    .cte("tree", recursive=True)
)
_next_level = _children.c.level + literal_column("1")
_below = tasks.alias("below")
_is_below = and_(_below.c.user_id == OWNER, _below.c.parent_id == _children.c.id)
_columns = mapping_of(Task).field_columns


def _limited(query: Select[Any], tree: Any, found: Any) -> Statement:
    by_level = query.order_by(tree.c.level, found.position, found.id)
    return Statement(by_level.limit(bindparam("row_limit", type_=Integer())))


def _joined() -> Statement:
    tree = _children.union_all(select(_below.c.id, _next_level).where(_is_below))
    found = select(*_columns).where(tasks.c.user_id == OWNER, tasks.c.id == tree.c.id)
    return _limited(found, tree, tasks.c)


def _lateral() -> Statement:
    """Return a query that PostgreSQL answers row by row.

    It would join all tasks of the owner to the tree, as it cannot know how small that is.
    `OFFSET 0` keeps it from flattening the subqueries.
    """
    below = select(_below.c.id).where(_is_below).offset(_ZERO).correlate(_children).lateral("child")
    step = select(below.c.id, _next_level).select_from(_children.join(below, true()))
    tree = _children.union_all(step)
    own = select(*_columns).where(tasks.c.user_id == OWNER, tasks.c.id == tree.c.id)
    found = own.offset(_ZERO).correlate(tree).lateral("found")
    return _limited(select(found).select_from(tree.join(found, true())), tree, found.c)


DESCENDANTS = {"postgresql": _lateral(), "sqlite": _joined()}
"""By dialect; see `TaskService.descendants`."""
