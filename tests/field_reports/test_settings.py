"""Settings are read in one way: trimmed, normalised, or refused by name."""

import logging

import pytest
from tests.field_reports.report import Report
from tests.field_reports.settings import READ, REFUSED, Setting
from tests.secret_values import SECRET

from taskservice.config import ConfigError, Settings
from taskservice.config.parsers import PARSERS

GIVEN = {"DATABASE_URL": "sqlite:///x.db", "TASKSERVICE_JWT_SECRET": SECRET}
FIELDS = {name: name.removeprefix("TASKSERVICE_").lower() for name in PARSERS}


@pytest.mark.parametrize("report", READ, ids=str)
def test_a_setting_is_read(report: Report[Setting, object]) -> None:
    """The value is that of the clean spelling."""
    name, value = report.tried
    settings = Settings.from_environment({**GIVEN, name: value})
    assert getattr(settings, FIELDS[name]) == report.right


@pytest.mark.parametrize("report", REFUSED, ids=str)
def test_a_setting_is_refused(report: Report[Setting, str]) -> None:
    """One message, which names the setting and quotes nothing of it."""
    name, value = report.tried
    with pytest.raises(ConfigError) as error:
        Settings.from_environment({**GIVEN, name: value})
    assert error.value.errors == (f"{name} {report.right}",)


@pytest.mark.parametrize("name", PARSERS)
def test_every_setting_has_the_same_habits(name: str) -> None:
    """White space alone is unset; quotes and control characters are refused."""
    for value, fault in (('"x"', "quotes"), ("x\x00y", "control characters")):
        with pytest.raises(ConfigError, match=f"{name} must not .*{fault}"):
            Settings.from_environment({**GIVEN, name: value})
    kept = {**GIVEN, "TASKSERVICE_JWKS_URL": ""} if name not in GIVEN else {}
    if kept:
        assert Settings.from_environment({**kept, name: " \r\n"}) == Settings.from_environment(
            GIVEN
        )


def test_a_secret_that_was_trimmed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Others who share it may not trim it; nothing of it is logged."""
    with caplog.at_level(logging.WARNING):
        Settings.from_environment({**GIVEN, "TASKSERVICE_JWT_SECRET": f"{SECRET}\r\n"})
    (record,) = caplog.records
    assert record.getMessage() == "whitespace around setting removed"
    assert vars(record)["setting"] == "TASKSERVICE_JWT_SECRET"
