"""`taskservice check`: would the service run as it is configured, and what is to be done if not."""

from collections.abc import Iterator

import click

from taskservice.cli.database_check import database_findings
from taskservice.cli.findings import Finding, fine, wrong
from taskservice.cli.keys_check import key_findings, storage_findings
from taskservice.cli.options import database_option, environment
from taskservice.config import ConfigError, Settings

LOOK_UP = 'docs/operations.md, "Exit status 2", says what to do about each'


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
        yield from (wrong("settings", fault, LOOK_UP) for fault in error.faults)
        return
    yield fine("settings", "complete, and each can be read")
    yield from database_findings(settings)
    yield from key_findings(settings)
    yield from storage_findings(settings)
