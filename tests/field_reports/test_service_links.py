"""Variables that nobody set: passed over in silence, and in no other case."""

from typing import Any

import pytest
from tests.field_reports.report import Report
from tests.field_reports.service_links import VARIABLES
from tests.secret_values import SECRET

from taskservice.config import DEFAULT_DATABASE, Settings

SETTINGS = {"DATABASE_URL": DEFAULT_DATABASE, "TASKSERVICE_JWT_SECRET": SECRET}


@pytest.mark.parametrize("report", VARIABLES, ids=str)
def test_what_is_no_setting_is_warned_of(
    report: Report[dict[str, str], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    """Unless Kubernetes has made it, which is seen by name and value."""
    Settings.from_environment({**SETTINGS, **report.tried})
    records: list[Any] = caplog.records
    assert [record.setting for record in records] == report.right
