"""SQL of filters: the conditions on the rows of a table, and their parameters."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    false,
    literal_column,
    or_,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from taskservice.adapters.sql.column_types import (
    EMPTY_ARRAY_LITERAL,
    NO_DIGITS_LITERAL,
    LocalTimeDigits,
)
from taskservice.core.filters import Filter, Operator
from taskservice.core.ids import first_id, last_id
from taskservice.core.labels import fold_label
from taskservice.core.local_times import LocalTime, end_of_day_digits, to_digits

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


class _Likely(ColumnElement[bool]):
    """A condition that SQLite must not take for selective.

    It would prefer an index for the condition to one for the order, and sort all that it finds.
    """

    type = Boolean()

    def __init__(self, condition: ColumnElement[bool]) -> None:
        self.condition = condition


@compiles(_Likely)
def _condition(likely: _Likely, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"({compiler.process(likely.condition, **kwargs)})"


@compiles(_Likely, "sqlite")
def _likely(likely: _Likely, compiler: SQLCompiler, **kwargs: Any) -> str:
    return f"likely({compiler.process(likely.condition, **kwargs)} IS TRUE)"


Variant = bool | tuple[int, bool] | None
"""What a filter's value adds to the text of a statement.

That is a boolean itself, as a partial index is found by the text; of several values,
how many are not null, and whether one is.
"""

Conditions = Sequence[tuple[Filter, Any]]
"""The filters of a query, each with the value to compare with."""

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

ZONE_MARGIN = timedelta(hours=16)
"""More than any time zone is away from UTC, so that an index on the digits narrows a range."""


def _variant(bound: Any) -> Variant:
    """Return what the value of a filter adds to the text of a statement."""
    match bound:
        case bool():
            return bound
        case tuple():
            return sum(one is not None for one in bound), None in bound
    return None


def shape_of(conditions: Conditions) -> tuple[tuple[str, Variant], ...]:
    """Return the name of each filter with its variant."""
    return tuple((one.name, _variant(bound)) for one, bound in conditions)


def condition(
    table: Table, one: Filter, variant: Variant, *, sorted_by: str | None
) -> ColumnElement[bool]:
    """Return the condition of a filter; `sorted_by` is the sorted field of a page."""
    column: Any = table.c[one.field]
    if one.operator is Operator.IS_SET:
        is_set = _is_set(column) if variant else ~_is_set(column)
        return is_set if sorted_by in {None, one.field} else _Likely(is_set)
    if isinstance(variant, bool):
        is_true: ColumnElement[bool] = column if variant else ~column
        return is_true
    if isinstance(variant, tuple):
        is_in = one.operator is Operator.IN
        return _is_in(column, one.name, *variant) if is_in else _has_labels(table, one, variant[0])
    if isinstance(column.type, LocalTimeDigits):
        return _is_in_time(table, one, is_indexed=sorted_by in {None, one.field})
    return _is_in_range(table, one)


def _is_set(column: Any) -> ColumnElement[bool]:
    is_digits = isinstance(column.type, LocalTimeDigits)
    is_set: ColumnElement[bool] = column < NO_DIGITS_LITERAL if is_digits else column.is_not(None)
    return is_set


def _is_in(column: Any, name: str, count: int, has_null: bool) -> ColumnElement[bool]:
    values = [bindparam(f"{name}_{n}", type_=column.type) for n in range(count)]
    return or_(column.in_(values) if values else false(), column.is_(None) if has_null else false())


def _has_labels(table: Table, one: Filter, count: int) -> ColumnElement[bool]:
    texts = (bindparam(f"{one.name}_{n}", type_=String()) for n in range(count))
    found = [_Position(table.c.label_search_text, text) > _ZERO for text in texts]
    matches = and_(true(), *found) if one.operator is Operator.HAS_ALL else or_(false(), *found)
    return and_(table.c[one.field] != EMPTY_ARRAY_LITERAL, matches) if count else matches


def _is_in_time(table: Table, one: Filter, *, is_indexed: bool) -> ColumnElement[bool]:
    """Return the condition for dates and local times: `LocalTime` in SQL.

    A comparison of digits narrows the range for an index, then the moment decides if there is one.
    """
    digits: Any = table.c[one.field]
    moment: Any = table.c[f"{one.field}_utc"]
    at, key = (bindparam(name, type_=BigInteger()) for name in (one.name, f"{one.name}_key"))
    at_moment = bindparam(f"{one.name}_utc", type_=moment.type)
    if one.operator is Operator.AT_MOST_OR_NULL:
        has_come = or_(digits <= at, digits.in_([key, NO_DIGITS_LITERAL]))
        return or_(and_(moment.is_(None), has_come), moment <= at_moment)
    compare = _COMPARISONS[one.operator]
    exact = or_(and_(moment.is_(None), compare(digits, at)), compare(moment, at_moment))
    found = and_(compare(digits, key), digits < NO_DIGITS_LITERAL, exact)
    return found if is_indexed else _Likely(found)


def _is_in_range(table: Table, one: Filter) -> ColumnElement[bool]:
    column = table.c[one.field]
    type_ = String() if one.operator is Operator.CONTAINS else column.type
    compared = _COMPARISONS[one.operator](column, bindparam(one.name, type_=type_))
    if bound := _ID_BOUNDS.get((one.field, one.operator)):
        id_parameter = bindparam(_ID_PARAMETER.format(one.name), type_=table.c.id.type)
        return and_(bound[0](table.c.id, id_parameter), compared)
    return compared


def parameters(conditions: Conditions) -> dict[str, Any]:
    """Return the parameters of the conditions of a query."""
    values: dict[str, Any] = {}
    for one, bound in conditions:
        values.update(_parameters(one, bound))
    return values


def _parameters(one: Filter, bound: Any) -> dict[str, Any]:
    match one.operator, bound:
        case _, bool():
            return {}
        case Operator.CONTAINS, str():
            return {one.name: bound.casefold()}
        case Operator.IN, _:
            values = [value for value in bound if value is not None]
        case ((Operator.HAS_ALL | Operator.HAS_ANY), _):
            values = [fold_label(label) for label in bound]
        case _, LocalTime():
            return _time_parameters(one, bound)
        case _:
            id_bound = _ID_BOUNDS.get((one.field, one.operator))
            ids = {_ID_PARAMETER.format(one.name): id_bound[1](bound)} if id_bound else {}
            return {one.name: bound, **ids}
    return {f"{one.name}_{n}": value for n, value in enumerate(values)}


def _time_parameters(one: Filter, bound: LocalTime) -> dict[str, Any]:
    return {
        one.name: bound.digits,
        f"{one.name}_utc": bound.moment,
        f"{one.name}_key": _key(one.operator, bound),
    }


def _key(comparison: Operator, bound: LocalTime) -> int:
    """Return the digits that narrow the range: those that are in it in any time zone.

    For `AT_MOST_OR_NULL`, those of the date of the bound, which has come on that day.
    """
    assert bound.moment is not None
    moment = bound.moment.replace(tzinfo=None)
    match comparison:
        case Operator.AT_LEAST:
            return min(bound.digits, to_digits(moment - ZONE_MARGIN))
        case Operator.BELOW:
            return max(bound.digits, to_digits(moment + ZONE_MARGIN))
    return end_of_day_digits(bound.digits)
