"""The tables of rules have the parts and the errors of the source, and rules that it takes."""

import ast
import re
from collections.abc import Iterator

import pytest
from tests.docs.api_tables import names, rows
from tests.processes import ROOT

from taskservice.core.recurrence_rule import RecurrenceText, parse_rule

CORE = ROOT / "src" / "taskservice" / "core"
PLANNING = (ROOT / "docs" / "planning.md").read_text()
OF_IMPORTS = {"must not be null with a recurrence", "must be null in an open task"}
"""Errors that no request causes, as the service sets these fields."""

REFUSED = {
    names(rule)[0]: detail
    for rule, detail in rows("| rule | `detail` of the 422 at `/recurrence` |")
}


def details(module: str) -> Iterator[str]:
    """Yield each text of a module that is the detail of an error, or a variable `detail`."""
    for node in ast.walk(ast.parse((CORE / module).read_text())):
        match node:
            case ast.Call(func=ast.Name("FieldError"), args=[_, ast.Constant(str(detail))]):
                yield detail
            case ast.Assign(targets=[ast.Name("detail")], value=ast.Constant(str(detail))):
                yield detail


def test_the_table_of_parts_has_every_part_of_a_rule() -> None:
    """In the order of the pattern in the OpenAPI document."""
    parts = [names(row[0]) for row in rows("| part of a rule | values | condition |")]
    pattern = RecurrenceText().json_schema()["pattern"]
    assert parts == [[name] for name in re.findall("([A-Z]+)=", pattern)]


@pytest.mark.parametrize("rule", REFUSED)
def test_each_rule_of_the_table_is_refused_as_it_says(rule: str) -> None:
    """With the detail beside it."""
    with pytest.raises(ValueError, match=f"^{re.escape(REFUSED[rule])}$"):
        parse_rule(rule)


def test_the_table_of_other_errors_has_those_of_the_source() -> None:
    """Each error of the rules about a task that recurs, and of its series."""
    shown = {row[1] for row in rows("| also 422 at | `detail` | cause |")}
    modules = ("recurring.py", "series.py", "successors.py")
    expected = {detail for module in modules for detail in details(module)}
    assert expected - OF_IMPORTS - shown == set()


def test_each_rule_of_the_page_about_planning_is_taken() -> None:
    """Each has days of its own, or an end."""
    table = PLANNING.partition("\n| rule | recurs |\n")[2].partition("\n\n")[0]
    rules = [parse_rule(names(line)[0]) for line in table.splitlines()[1:]]
    assert len(set(rules)) == len(rules) > 1
