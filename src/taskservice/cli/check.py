"""`taskservice check`: preflight checks of the configuration, with advice for each failure."""

import logging
from collections.abc import Iterator

import click

from taskservice.cli.check_database import database_findings
from taskservice.cli.check_findings import Finding, fail, ok
from taskservice.cli.check_keys import key_findings, rate_limit_findings
from taskservice.cli.options import database_option, environment
from taskservice.config import ConfigError, Settings
from taskservice.error_messages import error_message

SETTINGS_ADVICE = 'see docs/operations.md, "Exit status 2"'
FAILURE_ADVICE = "the check itself failed: fix the cause, or report a bug"

CHECKS = {"database": database_findings, "keys": key_findings, "ratelimit": rate_limit_findings}

_log = logging.getLogger("taskservice")


@click.command()
@database_option
def check(database: str | None) -> None:
    """Check whether the service can run with the configured settings.

    It checks settings, database, schema, role, keys and clocks, and changes
    nothing. Each line is ok, a warning or a failure, with advice. The exit
    status is 2 if a check fails, otherwise 0.
    """
    findings = []
    for finding in _findings(database):
        findings.append(finding)
        click.echo(finding.line())
    if failed := sum(finding.is_failure for finding in findings):
        raise ConfigError(f"{failed} of {len(findings)} checks failed")


def _findings(database: str | None) -> Iterator[Finding]:
    try:
        settings = Settings.from_environment(environment(database))
    except ConfigError as error:
        yield from (fail("settings", message, SETTINGS_ADVICE) for message in error.errors)
        return
    yield ok("settings", "all settings are valid")
    for part, findings in CHECKS.items():
        yield from _with_error(part, findings(settings))


def _with_error(part: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings of a part, and a failure if the check raises an exception."""
    try:
        yield from findings
    except Exception as error:
        _log.debug("check failed", exc_info=True)
        yield fail(part, error_message(error), FAILURE_ADVICE)
