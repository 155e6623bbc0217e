"""SQL of labels: the labels of tasks, grouped, with the numbers of tasks."""

from sqlalchemy import case, func, select

from taskservice.adapters.sql.column_types import EMPTY_ARRAY_LITERAL
from taskservice.adapters.sql.connection.compiled_statements import OWNER, Statement
from taskservice.adapters.sql.tables import tasks

_columns = tasks.c

LABELS = Statement(
    select(
        _columns.labels,
        func.sum(case((_columns.completed, 0), else_=1)).label("open"),
        func.count().label("count"),
    )
    .where(_columns.user_id == OWNER, _columns.labels != EMPTY_ARRAY_LITERAL)
    .group_by(_columns.labels)
)
"""Returns the labels, and the numbers of open tasks and of all tasks that have just these."""
