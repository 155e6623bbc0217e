"""`taskservice check`: would the service run as it is configured, and what is to be done if not."""

import logging
from collections.abc import Iterator

import click

from taskservice.cli.check_database import database_findings
from taskservice.cli.check_keys import key_findings, storage_findings
from taskservice.cli.findings import Finding, fail, ok
from taskservice.cli.options import database_option, environment
from taskservice.config import ConfigError, Settings
from taskservice.error_messages import error_message

LOOK_UP = 'docs/operations.md, "Exit status 2", says what to do about each'
DEFECT = "what the check needs failed: mend that first, or report it as a defect"

PARTS = {"database": database_findings, "keys": key_findings, "rates": storage_findings}

_log = logging.getLogger("taskservice")


@click.command()
@database_option
def check(database: str | None) -> None:
    """Look whether the service would run as it is configured.

    It looks at settings, database, schema, role, keys and clocks, and changes
    nothing. Each line is ok, a warning or a failure, with what to do. The exit
    status is 0 unless something fails, then 2.
    """
    findings = []
    for finding in _findings(database):
        findings.append(finding)
        click.echo(finding.told())
    if failed := sum(finding.fails for finding in findings):
        raise ConfigError(f"{failed} of {len(findings)} checks failed")


def _findings(database: str | None) -> Iterator[Finding]:
    try:
        settings = Settings.from_environment(environment(database))
    except ConfigError as error:
        yield from (fail("settings", fault, LOOK_UP) for fault in error.faults)
        return
    yield ok("settings", "complete, and each can be read")
    for part, findings in PARTS.items():
        yield from _guarded(part, findings(settings))


def _guarded(part: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings of a part; one more where looking at it fails."""
    try:
        yield from findings
    except Exception as error:
        _log.debug("check failed", exc_info=True)
        yield fail(part, error_message(error), DEFECT)
