"""A database's address, as it is shown to people: no secret in it, wherever it stands."""

from dataclasses import replace

import pytest
from tests.field_reports.report import Report
from tests.field_reports.shown_addresses import SECRET_PART, SHOWN
from tests.http_callers import SETTINGS

from taskservice.cli.serve import announce


@pytest.mark.parametrize("report", SHOWN, ids=str)
def test_an_address_is_shown_without_secrets(
    report: Report[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By `serve`, which is the one that shows it."""
    announce(replace(SETTINGS, database_url=report.tried), "http://127.0.0.1:8000")
    banner = capsys.readouterr().out
    assert f"  database       {report.right}\n" in banner
    assert SECRET_PART not in banner
