"""Times that other programs write are taken for what they mean, wherever a time comes in."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.field_reports.report import Report
from tests.field_reports.timestamps import DAY, IMPORTED, LEAP, OF_FORM, OF_VALUE, TAKEN, YEAR
from tests.http_callers import SETTINGS, ApiClient
from tests.problem_details import faults

from taskservice.adapters.http.api.schemas import TaskQuerySchema
from taskservice.adapters.memory import InMemoryStorage
from taskservice.app import create_app, openapi_document
from taskservice.cli.jsonlines import InvalidLine, format_entity, parse_entity
from taskservice.core.ids import TimeOrderedIds
from taskservice.core.task import NewTask, Task
from taskservice.testing import ADA

APP = create_app(InMemoryStorage().open_workspace, SETTINGS)
NAMES = ("created_after", "created_before", "updated_after", "updated_before")
PATTERNS = {
    parameter["schema"]["pattern"]
    for parameter in json.loads(openapi_document())["paths"]["/api/tasks/{user_id}/tasks"]["get"][
        "parameters"
    ]
    if parameter["name"] in NAMES
}
(PATTERN,) = PATTERNS
IS_LIKE_A_TIME = "must be an RFC 3339 time such as 2026-02-09T10:00:00Z: "


def asked(text: str) -> Any:
    """Return what Ada is answered who asks by this time in all four ways."""
    return ApiClient(APP.test_client(), ADA)("GET", query_string=dict.fromkeys(NAMES, text))


@pytest.mark.parametrize("report", TAKEN, ids=str)
def test_a_time_means_its_moment(report: Report[str, str]) -> None:
    """200, by the moment that is meant; the document's pattern takes it, too."""
    assert asked(report.tried).status_code == 200
    with APP.test_request_context("/"):
        query = TaskQuerySchema().load(dict.fromkeys(NAMES, report.tried))
    moments = {getattr(query, name) for name in NAMES}
    assert {moment.isoformat() for moment in moments} == {report.right}
    assert re.search(PATTERN, report.tried)


@pytest.mark.parametrize("report", [*OF_FORM, *OF_VALUE], ids=str)
def test_a_refusal_says_which_part_is_wrong(report: Report[str, str]) -> None:
    """422 names the part; what the document's pattern can tell, it does."""
    found = faults(asked(report.tried))
    assert found.keys() == {f"?{name}" for name in NAMES}
    for detail in found.values():
        assert detail.startswith(IS_LIKE_A_TIME + report.right)
    assert bool(re.search(PATTERN, report.tried)) == (report in OF_VALUE)


@given(st.from_regex(PATTERN, fullmatch=True))
def test_what_the_document_allows_is_taken(text: str) -> None:
    """But for three things that no pattern can tell: the day, the year in UTC, a leap second."""
    answer = asked(text)
    if answer.status_code == 200:
        return
    details = {detail.removeprefix(IS_LIKE_A_TIME) for detail in faults(answer).values()}
    assert len(details) == 1
    assert details <= {DAY, YEAR, LEAP}


@pytest.mark.parametrize("report", IMPORTED, ids=str)
def test_a_time_of_an_import_is_its_moment_or_refused(report: Report[str, str]) -> None:
    """A line may have another notation of the same moment, and none of another moment."""
    now = datetime(2026, 2, 9, 10, 0, 0, 123456, UTC)
    task = Task.create(ADA, now, TimeOrderedIds(), NewTask(title="Buy milk"))
    written = {
        **json.loads(format_entity(task)),
        "created_at": report.tried,
        "updated_at": report.tried,
    }
    line = json.dumps(written).encode()
    if not report.right:
        assert parse_entity(line, ADA).entity == task
        return
    wrong = f"{IS_LIKE_A_TIME}{report.right}"
    with pytest.raises(InvalidLine) as refused:
        parse_entity(line, ADA)
    assert str(refused.value) == f"created_at {wrong}; updated_at {wrong}"


def test_an_id_of_an_import_is_taken_in_either_case() -> None:
    """RFC 9562, section 4: as the API takes it in a path."""
    task = Task.create(ADA, datetime.now(UTC), TimeOrderedIds(), NewTask(title="Buy milk"))
    members = json.loads(format_entity(task))
    line = json.dumps({**members, "id": members["id"].upper()}).encode()
    assert parse_entity(line, ADA).entity == task
