"""The tables of the API page have the fields, filters and sort orders of the source."""

import re

from tests.processes import ROOT

from taskservice.core import kinds
from taskservice.core.fields import Field, fields_of
from taskservice.core.filters import filters_of
from taskservice.core.kinds import Kind
from taskservice.core.labels import Labels
from taskservice.core.local_times import DateOrTime
from taskservice.core.query import PAGE_DEFAULT, PAGE_LIMIT, sort_fields
from taskservice.core.task import NewTask, Task
from taskservice.core.task_query import TaskQuery
from taskservice.core.zones import TimeZone

PAGE = (ROOT / "docs" / "api.md").read_text()


SIMPLE: dict[type[Kind], str] = {
    kinds.Boolean: "boolean",
    kinds.Timestamp: "time",
    kinds.Identifier: "UUID",
    DateOrTime: "date, or local date and time",
    TimeZone: "name of a time zone",
}


def rows(head: str) -> list[list[str]]:
    """Return the cells of the table with this head, row by row."""
    table = PAGE.partition(f"\n{head}\n")[2].partition("\n\n")[0]
    lines = table.splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


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
        case kinds.Choice(choices):
            text = ", ".join(f"`{word}`" for word in choices)
        case Labels(limit):
            text = f"array of up to {limit} texts"
        case _:
            text = SIMPLE[type(kind)]
    return text


def test_the_table_of_a_task_has_every_field() -> None:
    """In order, each with its type and limit, and with who sets it."""
    settable = fields_of(NewTask)
    expected = [
        [f"`{name}`", written(field), "client" if name in settable else "service"]
        for name, field in fields_of(Task).items()
    ]
    assert [row[:3] for row in rows("| field | type | set by | value |")] == expected


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


def names(cell: str) -> list[str]:
    """Return what stands in code."""
    return re.findall(r"`([^`]+)`", cell)
