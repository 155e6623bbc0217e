"""The tables of the API page have the fields, filters and sort orders of the source."""

import pytest
from tests.docs.api_tables import names, rows

from taskservice.core import kinds
from taskservice.core.entity import Entity
from taskservice.core.fields import Field, fields_of
from taskservice.core.filters import filters_of
from taskservice.core.kinds import Kind
from taskservice.core.labels import Labels
from taskservice.core.local_times import DateOrTime
from taskservice.core.ordering import PositionKey
from taskservice.core.query import PAGE_DEFAULT, PAGE_LIMIT, sort_fields
from taskservice.core.recurrence_rule import RULE_LIMIT, RecurrenceText
from taskservice.core.task import Task
from taskservice.core.task_list import TaskList
from taskservice.core.task_query import TaskQuery
from taskservice.core.zones import TimeZone

SIMPLE: dict[type[Kind], str] = {
    kinds.Boolean: "boolean",
    kinds.Timestamp: "time",
    kinds.Identifier: "UUID",
    DateOrTime: "date, or local date and time",
    TimeZone: "name of a time zone",
    PositionKey: "text to sort by",
}
TABLES = {Task: "field", TaskList: "field of a list"}
"""The entities, and how the heads of their tables begin."""


def written(field: Field) -> str:
    """Return the type of a field in words."""
    return f"{words(field.kind)}, or null" if field.nullable else words(field.kind)


def words(kind: Kind) -> str:
    """Return the kind of a field in words."""
    match kind:
        case kinds.Line(limit):
            text = f"line of 1 to {limit:,} code points"
        case kinds.Owner(limit):
            text = f"text of up to {limit:,} characters"
        case kinds.Text(limit):
            text = f"text of up to {limit:,} code points"
        case kinds.Integer(minimum, maximum):
            text = f"integer from {minimum} to {maximum}"
        case kinds.Reference(type_name):
            text = f"UUID of a {type_name}"
        case kinds.Choice(choices):
            text = ", ".join(f"`{word}`" for word in choices)
        case Labels(limit):
            text = f"array of up to {limit} texts"
        case RecurrenceText():
            text = f"rule of up to {RULE_LIMIT} characters"
        case _:
            text = SIMPLE[type(kind)]
    return text


@pytest.mark.parametrize("entity_type", TABLES)
def test_the_table_of_an_entity_has_every_field(entity_type: type[Entity]) -> None:
    """In order, each with its type and limit, and with who sets it."""
    settable = fields_of(entity_type.new_type)
    expected = [
        [f"`{name}`", written(field), "client" if name in settable else "service"]
        for name, field in fields_of(entity_type).items()
    ]
    table = rows(f"| {TABLES[entity_type]} | type | set by | value |")
    assert [row[:3] for row in table] == expected


def test_the_table_of_parameters_has_every_filter() -> None:
    """The first column has each filter, and what every list has."""
    found = [name for row in rows("| parameter | effect |") for name in names(row[0])]
    filters = [one.parameter for one in filters_of(TaskQuery).values()]
    assert sorted(found) == sorted([*filters, "sort", "limit", "cursor"])


def test_the_table_of_parameters_has_every_sort_order_and_limit() -> None:
    """Sort orders and the bounds of the page size are those of the source."""
    effects = dict(rows("| parameter | effect |"))
    assert names(effects["`sort`"].partition(", each")[0]) == sort_fields(Task)
    assert effects["`limit`"] == f"page size, 1 to {PAGE_LIMIT}; default {PAGE_DEFAULT}"
