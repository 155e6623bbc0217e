"""`taskservice token`: issues a token with the shared secret, or explains one."""

import sys
from datetime import UTC, datetime, timedelta

import click

from taskservice.adapters.jwt import issue
from taskservice.cli.development_secret import with_existing_secret
from taskservice.cli.explain_token import explain
from taskservice.cli.options import (
    database_option,
    development_environment,
    optional_user_argument,
)
from taskservice.config import ConfigError, Settings
from taskservice.core.errors import Unauthenticated


@click.command()
@optional_user_argument
@click.option(
    "--days",
    default=1,
    show_default=True,
    type=click.IntRange(1, 3650),
    help="The lifetime of the token in days.",
)
@click.option(
    "--explain",
    "given",
    metavar="TOKEN",
    help="Explain why TOKEN is accepted or refused; - reads it from standard input.",
)
@database_option
def token(user: str | None, days: int, given: str | None, database: str | None) -> None:
    """Print a token for USER, or explain a token.

    The token is signed with the configured secret, or the development secret.

    With --explain, print a token's claims, the values that the service
    expects, and the user or the reason for refusal (exit status 2).
    """
    if (user is None) == (given is None):
        raise click.UsageError("give either USER or --explain TOKEN")
    settings = Settings.from_environment(with_existing_secret(development_environment(database)))
    if user is not None:
        click.echo(signed_token(settings, user, days))
    if given is not None:
        _print_explanation(sys.stdin.read() if given == "-" else given, settings)


def _print_explanation(given: str, settings: Settings) -> None:
    token = given.strip()
    token = token[7:].lstrip() if token[:7].lower() == "bearer " else token
    try:
        for line in explain(token, settings):
            click.echo(line)
    except Unauthenticated as error:
        raise ConfigError(f"refused: {error}") from None


def signed_token(settings: Settings, user: str, days: int) -> str:
    """Return a token for `user`. Raises `ConfigError` if no shared secret is configured."""
    if not settings.jwt_secret:
        raise ConfigError("TASKSERVICE_JWKS_URL is set: get the token from its issuer")
    return issue(
        settings.jwt_secret,
        user,
        lifetime=timedelta(days=days),
        now=datetime.now(UTC),
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
        subject_claim=settings.jwt_subject_claim,
    )
