"""JSON Lines: what others write is read, and what is written does no harm where it is shown."""

from io import BytesIO

import pytest
from tests.field_reports.json_lines import READ, SHOWN
from tests.field_reports.report import Report

from taskservice.cli.jsonlines import format_entity, parse_entity, read_lines
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.testing import ADA, START


@pytest.mark.parametrize("report", READ, ids=str)
def test_a_mark_at_the_head_is_passed_over(report: Report[bytes, list[int]]) -> None:
    """Lines keep their numbers, and a file its size."""
    lines = list(read_lines(BytesIO(report.tried)))
    assert [(line.number, line.octets) for line in lines] == [(n, b"{}") for n in report.right]


@pytest.mark.parametrize("report", SHOWN, ids=str)
def test_a_title_is_escaped_where_a_terminal_would_obey_it(report: Report[str, str]) -> None:
    """And only there; the line is read back as the same task."""
    task = Task.create(
        ADA, START, TimeOrderedIds(), NewTask(title=report.tried, description=report.tried)
    )
    line = format_entity(task)
    assert line.decode().count(f'"{report.right}"') == 2
    assert parse_entity(line.rstrip(), ADA).entity == task
