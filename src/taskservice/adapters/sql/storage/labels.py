"""SQL of labels: each label, with the numbers of open tasks and of all tasks that have it."""

from typing import Any

from sqlalchemy import ColumnElement, case, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB

from taskservice.adapters.sql.column_types import EMPTY_ARRAY_LITERAL
from taskservice.adapters.sql.connection.compiled_statements import OWNER, Statement
from taskservice.adapters.sql.tables import tasks

MAX_SPELLINGS = 20_000
"""How many different labels of one user are counted, the first by code point."""

_columns = tasks.c

_groups = (
    select(
        _columns.labels,
        func.sum(case((_columns.completed, 0), else_=1)).label("open"),
        func.count().label("count"),
    )
    .where(_columns.user_id == OWNER, _columns.labels != EMPTY_ARRAY_LITERAL)
    .group_by(_columns.labels)
    .subquery("groups")
)
"""Tasks that have just the same labels are unnested together."""


def _labels(label: ColumnElement[str]) -> Statement:
    counted: Any = select(label, func.sum(_groups.c.open), func.sum(_groups.c.count))
    by_label = counted.select_from(_groups).group_by(label).order_by(label)
    return Statement(by_label.limit(MAX_SPELLINGS))


_array = cast(_groups.c.labels, JSONB)
_postgresql_items = func.jsonb_array_elements_text(_array).table_valued("value")
_sqlite_items = func.json_each(_groups.c.labels).table_valued("value")

LABELS = {
    "postgresql": _labels(_postgresql_items.render_derived().c.value.collate("C")),
    "sqlite": _labels(_sqlite_items.c.value),
}
"""By dialect; each returns a label and the two numbers."""
